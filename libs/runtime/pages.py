"""The pages of a stored state: numbered pieces of JSON, compressed one by one.

signalbox state 3\\n  { length of the page: 4 bytes, big endian · the page: zlib of JSON }…      the last page is the root
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import orjson
from pydantic_core import from_json

_MARK: Final = b"signalbox state 3\n"
"""Tells these bytes from those of an older form, which must not pass for a state."""
_LENGTH: Final = 4
_LEVEL: Final = 1
"""The fastest: documents of one kind repeat themselves so much that more effort gains little."""


class Writer:
    """Takes pages, and gives them as bytes at the end."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = [_MARK]
        self._count = 0

    def add(self, page: Any) -> int:
        """Store a page (plain JSON values). Returns: its number, from 0."""
        data = zlib.compress(orjson.dumps(page), _LEVEL)
        self._pieces += (len(data).to_bytes(_LENGTH, "big"), data)
        self._count += 1
        return self._count - 1

    def finish(self, root: Any) -> bytes:
        """Everything, with the page from which the others are reached."""
        self.add(root)
        return b"".join(self._pieces)


class Reader:
    """Reads pages one at a time, so that only one of them is in memory beside what is made of it. Raises: ValueError: these are none."""

    def __init__(self, data: bytes) -> None:
        if not data.startswith(_MARK):
            raise ValueError("these bytes are not a state as it is stored today")
        view = memoryview(data)
        self._pages: list[memoryview] = []
        at = len(_MARK)
        while at < len(view):
            start = at + _LENGTH
            at = start + int.from_bytes(view[at:start], "big")
            self._pages.append(view[start:at])
        if not self._pages or at != len(view):
            raise ValueError("the stored state ends early")

    @property
    def root(self) -> Any:
        """The page from which the others are reached."""
        return self.page(-1)

    def page(self, number: int) -> Any:
        """A page as plain JSON values. Texts that repeat within it are one object."""
        text = zlib.decompress(self._pages[number])
        try:
            return from_json(text, cache_strings="all")
        except ValueError:
            # A client's document may be nested deeper than this parser goes. The other one does, and shares no texts.
            return orjson.loads(text)
