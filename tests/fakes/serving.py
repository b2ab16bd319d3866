"""What the pretended far sides of agents have in common: they answer over a real socket, and fail where a test wants them to."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from tests.unit.outbound.outside import Got, Outside, outside, said

REASONS = {200: "OK", 201: "Created", 202: "Accepted", 204: "No Content"}


class Clock:
    """A time that only tests move; whoever pauses finds it moved."""

    def __init__(self, at: datetime = datetime(2026, 5, 1, 12, tzinfo=UTC)) -> None:
        self.at = at
        self.pauses: list[float] = []

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.forward(seconds)


@dataclass(frozen=True)
class Asked:
    """A request as a fake reads it: `path` without its query, unquoted; `json` None where the body is none."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Reply:
    """An answer; `json` None is an empty body."""

    status: int = 200
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass
class Fault:
    """What goes wrong with one call.

    Attributes:
        meets: a pattern; the first call after it was set that has it in `METHOD /path` meets it.
        reply: the answer; None is none at all.
        done: what was asked for happens all the same.
        cut: the connection ends; else, without a reply, nothing ever comes.
        times: so many calls meet it.
        until: the answer is held back until this is set; `silent` tells that a call waits for it.
    """

    meets: str
    reply: Reply | None = None
    done: bool = False
    cut: bool = False
    times: int = 1
    until: asyncio.Event | None = None


class Fake:
    """A far side; `handle` is what makes it the one or the other.

    Attributes:
        asked: every request, in order.
        faults: what is to go wrong.
        silent: set when a call came that is never answered, or not yet.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.silent = asyncio.Event()
        self.server = Outside()

    @property
    def url(self) -> str:
        return self.server.url("")

    def handle(self, asked: Asked) -> Reply:
        """Do what is asked and answer."""
        raise AssertionError(f"nothing answers {asked}")

    def calls(self, pattern: str) -> list[Asked]:
        """The requests so far that have a pattern in `METHOD /path`."""
        return [one for one in self.asked if re.search(pattern, str(one))]

    @asynccontextmanager
    async def serving(self, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        async with outside(self._serve, tls=tls) as self.server:
            yield

    async def _serve(self, got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _ = got.line.split(" ")
        parts = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in got.headers)}
        asked = Asked(method, unquote(parts.path), query, headers, _json(got.body), got.body)
        self.asked.append(asked)
        fault = next((one for one in self.faults if one.times > 0 and re.search(one.meets, str(asked))), None)
        if fault is None:
            self._write(writer, self.handle(asked))
            return
        fault.times -= 1
        done = self.handle(asked) if fault.done else None
        if fault.until is not None:
            self.silent.set()
            await fault.until.wait()
            self._write(writer, fault.reply or done or self.handle(asked))
        elif fault.reply is not None:
            self._write(writer, fault.reply)
        elif fault.cut:
            writer.close()
        else:
            self.silent.set()
            await reader.read()  # until the client gives up

    def _write(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        body = reply.body if reply.body is not None else orjson.dumps(reply.json) if reply.json is not None else b""
        headers = [f"{name}: {value}" for name, value in {"Content-Type": "application/json", **reply.headers}.items()]
        writer.write(said(f"{reply.status} {REASONS.get(reply.status, 'Status')}", body, *headers))


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
