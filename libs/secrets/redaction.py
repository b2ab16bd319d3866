"""Takes known secrets out of what is about to leave: messages, errors, metadata, logs; pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote

from libs.secrets.references import MASK, MAX_DEPTH

_WORD_UNDER: Final = 4
"""Shorter secrets are taken out where they stand alone; inside of words they would shred every message and say less by it."""

_LINE_FROM: Final = 16
"""Single lines of longer secrets (keys, certificates) are secrets as well, when they are at least this long."""

_CODED_FROM: Final = 6

_PART_FROM: Final = 6
"""What a secret holds beside its secret (`Bearer`, a host) says which part that is; shorter ones could be any number or word."""

_CREDENTIALS: Final = re.compile(r"(basic|bearer|token|apikey|api-key|bot)\s+(\S.*)", re.IGNORECASE)
_IN_ADDRESS: Final = re.compile(r"://[^/?#:@]*:([^/?#]*)@")
_IN_PAIRS: Final = re.compile(r"\bpassword\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))")


class Redacted:
    """Takes out these secrets, also where they are escaped for a URL or JSON, or inside of Base64.

    Args:
        secrets: in clear.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        shapes: set[str] = set()
        for secret in secrets:
            shapes |= _shapes(secret)
        # The longest first, so that a secret inside another does not leave the rest of that one behind.
        ordered = sorted(shapes, key=lambda shape: (-len(shape), shape))
        self._pattern = re.compile("|".join(map(_pattern, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text with the mask in place of every secret."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def error(self, error: BaseException) -> str:
        """What an error says, for people, without secrets."""
        return self.text(str(error) or type(error).__name__)

    def json(self, value: Any) -> Any:
        """JSON data with every text in it redacted, keys as well; numbers that are secrets too, and whatever is below 64 levels."""
        return self._json(value, 0)

    def _json(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            return MASK
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(key): self._json(one, depth + 1) for key, one in value.items()}
        if isinstance(value, Sequence):
            return [self._json(one, depth + 1) for one in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value if self.text(str(value)) == str(value) else MASK
        return value


def _shapes(secret: str) -> set[str]:
    if not secret.strip():
        return set()
    plain = {secret, secret.strip(), *(part for part in _parts(secret) if len(part) >= _PART_FROM)}
    lines = [line.strip() for line in secret.splitlines()]
    if len(lines) > 1:
        plain |= {line for line in lines if len(line) >= _LINE_FROM}
    shapes = set(plain)
    for one in plain:
        try:
            shapes |= {
                quote(one, safe=""),
                quote(one),
                quote_plus(one),
                json.dumps(one)[1:-1],
                json.dumps(one, ensure_ascii=False)[1:-1],
            }
            if len(one) >= _CODED_FROM:
                shapes |= _coded(one.encode())
        except UnicodeEncodeError:
            continue  # half a character is in no URL and no Base64
    return shapes


def _parts(secret: str) -> Iterator[str]:
    """What others may show of a secret by itself: the token of a header, the password of an address or of a connection string."""
    if header := _CREDENTIALS.fullmatch(secret.strip()):
        yield header[2]
        if header[1].lower() == "basic":
            yield _decoded(header[2]).partition(":")[2]
    for address in _IN_ADDRESS.finditer(secret):
        yield from (address[1], unquote(address[1]))
    for pair in _IN_PAIRS.finditer(secret):
        yield re.sub(r"\\(.)", r"\1", pair[1] or pair[2])


def _decoded(coded: str) -> str:
    try:
        return base64.b64decode(coded, validate=True).decode()
    except ValueError:  # neither Base64 nor text
        return ""


def _coded(secret: bytes) -> set[str]:
    """What Base64 makes of the secret inside of something longer (`user:secret`), at each of its three alignments."""
    found: set[str] = set()
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            coded = encode(b"\0" * before + secret).rstrip(b"=").decode("ascii")
            first = (before * 8 + 5) // 6
            whole = (before + len(secret)) * 8 // 6
            found.add(coded[first:whole])
    return found


def _pattern(shape: str) -> str:
    escaped = re.escape(shape)
    return rf"(?<![^\W_]){escaped}(?![^\W_])" if len(shape) < _WORD_UNDER else escaped
