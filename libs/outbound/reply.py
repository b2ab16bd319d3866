"""An answer, read out of the bytes that a connection brings, within bounds; pure."""

from __future__ import annotations

import zlib
from typing import Final

import httptools
import httpx

from libs.outbound.answer import ENCODINGS, Reading
from libs.outbound.failures import NoWay

MAX_HEAD: Final = 128 * 1024
"""Bytes of all headers together, of the answers before the answer (1xx) as well, and of anything else that is no body."""


class Reply:
    """What came back of one request.

    Args:
        method: of the request.
        max_bytes: of the unpacked body that are kept.

    Attributes:
        status: of the answer; None before its headers were read.
        headers, body: of the answer, once there is a status.
        ended: there is nothing more to wait for.
        lasting: it ended so that the connection can be used for another request.
    """

    def __init__(self, method: str, max_bytes: int) -> None:
        self.status: int | None = None
        self.headers = httpx.Headers()
        self.body = Reading(max_bytes, "")
        self.ended = False
        self.lasting = False
        self._method = method
        self._most = max_bytes
        self._fields: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._told = 0
        self._head = 0
        self._no_body = 0
        self._whole = False
        self._keeps = False
        # It holds on to our methods, and we to it only while it is needed, so that nothing is left for the collector of cycles.
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what came. Raises: NoWay: `protocol`."""
        parser = self._parser
        assert parser is not None, "an answer that ended takes nothing more"
        self._no_body += len(data)
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._keeps = False
            if self._told == 101:
                raise NoWay("protocol", "it changes the protocol, which was not asked for") from None
            if not self._whole:
                raise NoWay("protocol", f"what came back can not be read: {error}") from None
        if self.status is None and self._told >= 200:
            self._begin(self._told)
        if self._chunks:
            self._no_body = 0
            self._take()
        if self._whole:
            self._end(lasting=self._keeps)
        elif max(self._no_body, self._head) > MAX_HEAD:
            raise NoWay("protocol", f"it has more than {MAX_HEAD} bytes of headers")

    def cut(self) -> bool:
        """The connection ended: whether that is how this answer ends."""
        if self.status is not None and "content-length" not in self.headers and "transfer-encoding" not in self.headers:
            self._end(lasting=False)
        return self.ended

    def _begin(self, status: int) -> None:
        self.headers = httpx.Headers(self._fields)
        if self._head > MAX_HEAD:
            raise NoWay("protocol", f"it has more than {MAX_HEAD} bytes of headers")
        self._no_body = self._head = 0
        self.status = status
        coding = self.headers.get("transfer-encoding", "chunked").strip().lower()
        if coding != "chunked":
            raise NoWay("protocol", f"the answer is sent as {coding[:40]!r}, which was not asked for")
        encoding = self.headers.get("content-encoding", "").strip().lower()
        if encoding not in ENCODINGS:
            raise NoWay("protocol", f"the answer is packed with {encoding[:40]!r}, which was not asked for")
        self.body = Reading(self._most, encoding)
        if self._method == "HEAD":
            self._whole, self._keeps = True, False

    def _take(self) -> None:
        chunks, self._chunks = self._chunks, []
        try:
            full = any(self.body.feed(chunk) for chunk in chunks)
        except zlib.error as error:
            raise NoWay("protocol", f"what came back can not be unpacked: {error}") from None
        if full:
            self._end(lasting=False)

    def _end(self, *, lasting: bool) -> None:
        self.ended, self.lasting, self._parser = True, lasting, None

    # --- told by the parser ----------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Another answer begins: the real one after a 1xx, or one that nobody asked for."""
        if self._whole:
            self._keeps = False
        else:
            self._fields, self._told = [], 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer after a body: those are only counted."""
        self._head += len(name) + len(value)
        if not self._told:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """All headers of an answer were read."""
        if not self._whole:
            assert self._parser is not None
            self._told, self._keeps = self._parser.get_status_code(), self._parser.should_keep_alive()

    def on_body(self, chunk: bytes) -> None:
        """A part of the body."""
        if not self._whole:
            self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        """An answer is whole."""
        self._whole = self._told >= 200
