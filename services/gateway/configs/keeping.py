"""What of a configuration that is known already stays when it is sent again: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from contracts.agents import AGENT_CONFIGS, secret_fields
from libs.secrets.addresses import is_address
from libs.secrets.config import merged_back, texts
from libs.secrets.fields import Path, SecretFields
from libs.secrets.problem import SecretProblem
from libs.secrets.references import MASK, SEALED, references
from services.gateway.configs.checks import is_read_outside

_READ_BACK: Final = frozenset({"argo-cd"})

OF_ANY_TYPE: Final = SecretFields.of(*sorted({field for one in AGENT_CONFIGS for field in secret_fields(one)}))
"""A deployment, a version or a step does not say of which type its agent is: what is secret for one type is."""


def reads_back(agent_type: str) -> bool:
    """Whether whoever may write an agent is shown its secrets: clients in use compare them with what they sent, or work with them.

    Of an `argo-cd` agent Terraform takes a missing key for the text `<nil>`; of a type that we do not know it knows no more than that it
    sent texts and gets them back; `http-pull` agents read their own configuration. Everybody else keeps what they sent.
    """
    return agent_type in _READ_BACK or is_read_outside(agent_type)


def fields_of(agent_type: str) -> SecretFields:
    """Which fields of an agent's own configuration are secret: those that its type names, and those whose name says so."""
    return SecretFields.of(*sorted(secret_fields(agent_type)))


def stands_for_known(config: Any) -> bool:
    """Whether some of it is not what is meant, but stands for what is known: a mask, or a sealed text."""
    return any(MASK in text or SEALED in text for _, text in texts(config))


def kept(config: Any, known: Any, *, same_kind: bool = True) -> Any:
    """The configuration that is meant, masks replaced by the sealed secrets that they stand for.

    Args:
        config: as it was sent.
        known: as it is recorded; None when nothing is.
        same_kind: whether it is still used in the same way.

    Raises: SecretProblem, with its path: `masked` for a mask behind which nothing is known, `unknown` for a sealed secret from elsewhere,
        `forbidden` for secrets that would now be sent to another place: whoever may change that need not be who knows them.
    """
    meant = merged_back(config, known)
    held = [(path, one) for path, text in texts(meant) for one in _sealed(path, text)]
    if not held:
        return meant
    known_secrets = {one for path, text in texts(known) for one in _sealed(path, text)}
    for path, one in held:
        if one not in known_secrets:
            raise SecretProblem("unknown", "this sealed secret does not belong here; enter the secret itself", path)
    before, now = _addresses(known), _addresses(meant)
    moved = sorted({path for path in {*before, *now} if before.get(path) != now.get(path)}, key=str)
    if moved or not same_kind:
        what = f"{'/'.join(map(str, moved[0]))} is another one now" if moved else "it is used in another way now"
        raise SecretProblem(
            "forbidden", f"{what}, and this secret would go along unseen: enter the secret itself once more", held[0][0]
        )
    return meant


def _sealed(path: Path, text: str) -> Iterator[str]:
    try:
        yield from (one.name for one in references(text) if one.kind == "sealed")
    except SecretProblem as problem:
        raise problem.at(path) from None


def _addresses(config: Any) -> dict[Path, str]:
    return {path: _plain(text) for path, text in texts(config) if is_address(path)}


def _plain(address: str) -> str:
    """An address as far as it leads somewhere: how it is written means nothing."""
    plain = address.strip().rstrip("/")
    return plain if "://" in plain else f"https://{plain}"
