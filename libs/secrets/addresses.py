"""Passwords inside of addresses (`https://user:password@host`): which texts hold one in clear, and how they are shown; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from libs.secrets.config import texts
from libs.secrets.fields import Path
from libs.secrets.problem import SecretProblem
from libs.secrets.references import MASK

_NAMED: Final = r"\{\{[^{}]*\}\}|\$\{secret:[^{}\s]*\}"
"""What stands for something else: an action of a template, a reference."""

_VARIABLE: Final = r"\$\(\w+\)|\$\{\w+\}|\$[A-Z_][A-Z0-9_]*"
"""What whoever gets the text fills in."""

_PORT: Final = rf"""(?:\d*|{_VARIABLE})(?:[/?#'",;)\]}}>\\]|$)"""
"""What follows a host and `:`; then an `@` further on belongs to the path, or to the next address."""

_DIGEST: Final = r"sha\d+:"
"""What follows the `@` of an image: its `name:tag` is no user and password."""

_WITH_PASSWORD: Final = re.compile(
    # A password with characters that should have been escaped is one all the same.
    rf"(?!\[)(?P<user>(?:{_NAMED}|[^/?#:@\s\"])*+):(?!{_PORT})(?P<password>(?:{_NAMED}|[^\s@])++)(?P<more>(?:@[^/?#\s@\"]+(?=@))*)@(?!{_DIGEST})"
)
_USER_INFO: Final = re.compile(r"[^/@\s]+(?=@)")
_NOT_LITERAL: Final = re.compile(_NAMED)
_ELSEWHERE: Final = re.compile(rf"{_VARIABLE}|<[^<>]*>|{MASK}")
"""A whole password that whoever gets the text fills in: a variable, a placeholder."""

_WITHOUT_SCHEME: Final = re.compile(r"(?:mailto|sip|acct):", re.IGNORECASE)
"""What begins like an address without its scheme and is none."""

_ADDRESS: Final = re.compile(r"(?!webhookurl$)(?:.*(?:url|uri|address|endpoint|host|server)|site)")
"""Names of fields that say where a secret is sent. Where a tool sends its notifications it sends no secret of ours."""
_SEPARATORS: Final = re.compile(r"[\s_.\-]+")


def is_address(path: Path) -> bool:
    """Whether the name of a field says that it holds an address that secrets are sent to: `serverUrl`, `API_HOST`, `site` …"""
    names = [part for part in path if isinstance(part, str)]
    return bool(names) and _ADDRESS.fullmatch(_SEPARATORS.sub("", names[-1]).lower()) is not None


def with_clear_password(text: str, *, alone: bool = False) -> bool:
    """Whether some address in a text says a password in clear, rather than by a template or a reference.

    Args:
        text: any; a whole document, too.
        alone: it is an address itself, of which the scheme may be left out.
    """
    return any(_is_clear(found) for found in map(_WITH_PASSWORD.match, _authorities(text, alone)) if found is not None)


def in_clear(config: Any) -> Iterator[Path]:
    """The paths of all texts of a configuration with a password in clear inside of an address.

    What is sealed is not in clear any more: of a configuration that was, these are what would be recorded.
    """
    return (path for path, text in texts(config) if with_clear_password(text, alone=is_address(path)))


def none_in_clear(config: Any) -> None:
    """Check that no address in a configuration says a password in clear.

    Raises: SecretProblem: `in_clear`, with the path of the first that does.
    """
    for path in in_clear(config):
        raise SecretProblem(
            "in_clear",
            "there is a password in this address, which would be recorded in clear: write ${secret:env:NAME} or ${secret:file:NAME} in its "
            "place, or leave it out and give it in the field for it",
            path,
        )


def without_user_info(text: str, *, alone: bool = False) -> str:
    """The text with the mask for user and password of the addresses in it.

    Args:
        alone: see `with_clear_password`.
    """
    before, *rest = text.split("://")
    if not rest:
        return _masked(before.strip()) if alone and with_clear_password(text, alone=True) else text
    return "://".join([before, *map(_masked, rest)])


def _authorities(text: str, alone: bool) -> list[str]:
    """What follows the schemes of a text: each begins with who calls, where it says so."""
    before, *rest = text.split("://")
    if rest or not alone:
        return rest
    before = before.strip()
    return [] if _WITHOUT_SCHEME.match(before) else [before]


def _is_clear(found: re.Match[str]) -> bool:
    password = found["password"] + found["more"]
    return _NOT_LITERAL.search(password) is None and _ELSEWHERE.fullmatch(password) is None


def _masked(authority: str) -> str:
    found = _WITH_PASSWORD.match(authority)
    if found is not None:
        return MASK + authority[found.end("more") :]
    found = _USER_INFO.match(authority)
    return authority if found is None else MASK + authority[found.end() :]
