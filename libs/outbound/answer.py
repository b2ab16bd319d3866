"""The answer of a call, and its body read only so far."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson

from libs.outbound.failures import NotJson

ENCODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
"""What a body may be packed with; gzip is all we ask for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whatever its status.

    Attributes:
        status: 200, 404 …
        headers: case does not matter; `get_list` gives repeated ones.
        body: unpacked, at most as long as was asked for.
        cut: the body was longer, or ended inside a packed stream.
        url: where it came from in the end, as text.
        elapsed_s: from the call to the last byte read, in seconds.
    """

    status: int
    headers: httpx.Headers
    body: bytes
    cut: bool = False
    url: str = ""
    elapsed_s: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def text(self) -> str:
        """The body as text; what is no UTF-8, and the NUL that a database text can not hold, becomes U+FFFD."""
        return self.body.decode("utf-8", errors="replace").replace("\x00", "\ufffd")

    def json(self) -> Any:
        """The body as JSON.

        Raises: NotJson: says the type and length of what came instead, and nothing of its content.
        """
        what = f"{self.headers.get('content-type', 'no content type')}, {len(self.body)} bytes"
        if self.cut:
            raise NotJson(f"the answer is longer than what is read of it ({what})")
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise NotJson(f"the answer with status {self.status} is no JSON ({what})") from error


class Reading:
    """Takes a body chunk by chunk, unpacked and packed bytes both within bounds, so that neither a flood nor a bomb fills the memory.

    Args:
        most: bytes that are kept.
        encoding: the Content-Encoding, one of `ENCODINGS`.
    """

    def __init__(self, most: int, encoding: str) -> None:
        self._most = most
        self._body = bytearray()
        # 32 lets zlib find out by itself whether it is gzip or deflate.
        self._unpack = None if encoding in ("", "identity") else zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
        self._fed = 0

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; True when no more is wanted. Raises: zlib.error."""
        self._fed += len(chunk)
        room = self._most - len(self._body) + 1
        if self._unpack is None:
            self._body += chunk[:room]
        elif not self._unpack.eof:  # what follows the end of a packed stream is nothing
            self._body += self._unpack.decompress(chunk, room)
        return len(self._body) > self._most or self._fed > self._most + 65_536

    @property
    def body(self) -> bytes:
        """What was kept."""
        return bytes(self._body[: self._most])

    @property
    def cut(self) -> bool:
        """Whether there was more."""
        unended = self._unpack is not None and self._fed > 0 and not self._unpack.eof
        return unended or len(self._body) > self._most
