"""References to secrets inside any text: `${secret:env:NAME}`, `${secret:file:NAME}` and `${secret:sealed:…}`; pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from libs.secrets.problem import SecretProblem

Kind: TypeAlias = Literal["env", "file", "sealed"]

MASK: Final = "••••••"
"""Stands for a sealed value wherever a configuration is shown, whatever the length of the value."""

MAX_DEPTH: Final = 64
"""Levels of a configuration; what is deeper is a mistake, or meant to exhaust us."""

_OPENING: Final = "${secret:"
SEALED: Final = f"{_OPENING}sealed:"
"""How a sealed value begins."""
_REFERENCE: Final = re.compile(r"\$\{secret:(env|file|sealed):([^{}\s]*)\}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference: where the secret is, and its name there (for `sealed`, the sealed value itself)."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{_OPENING}{self.kind}:{self.name}}}"


def references(text: str) -> tuple[Reference, ...]:
    """The references in a text, in order.

    Raises: SecretProblem: `malformed`: something begins like a reference and is none.
    """
    found = tuple(Reference(cast(Kind, match[1]), match[2]) for match in _REFERENCE.finditer(text))
    if text.count(_OPENING) != len(found):
        raise SecretProblem(
            "malformed",
            f"what begins with {_OPENING} is no reference; write ${{secret:env:NAME}} or ${{secret:file:NAME}}, or the secret itself",
        )
    return found


def whole(text: str) -> Reference | None:
    """The reference that a text consists of; None when it is anything else."""
    match = _REFERENCE.fullmatch(text)
    return None if match is None else Reference(cast(Kind, match[1]), match[2])


def replaced(text: str, value: Callable[[Reference], str]) -> str:
    """The text with every reference replaced by its value; values are not searched for references again."""
    return _REFERENCE.sub(lambda match: value(Reference(cast(Kind, match[1]), match[2])), text)


def masked_text(text: str) -> str:
    """The text with the mask in place of what is sealed; references to the environment and to files stay readable."""
    return replaced(text, lambda one: MASK if one.kind == "sealed" else str(one)) if _OPENING in text else text
