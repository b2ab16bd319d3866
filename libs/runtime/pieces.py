"""Large JSON, some elements at a time: what is made of a hundred megabytes at once takes half a gigabyte, and nobody else gets a turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

PIECE: Final = 250
"""Elements of a list that are handled together: of large ones so many take a few milliseconds."""

_Object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_Elements = msgspec.json.Decoder(list[msgspec.Raw])


def members(text: bytes) -> dict[str, msgspec.Raw] | None:
    """The values of a JSON object by name, unparsed, as views of the text; None when the text is no object, or is malformed.

    Only whoever parses the values learns whether they are well formed.
    """
    try:
        return _Object.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def elements(value: msgspec.Raw) -> list[msgspec.Raw] | None:
    """The elements of a JSON list, unparsed, as views of the text; None for any other value."""
    try:
        return _Elements.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def pieces(parts: Sequence[msgspec.Raw]) -> Iterator[bytes]:
    """Elements as JSON lists of at most `PIECE`, in order."""
    for start in range(0, len(parts), PIECE):
        yield b"[" + b",".join(parts[start : start + PIECE]) + b"]"
