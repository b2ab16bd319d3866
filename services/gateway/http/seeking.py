"""Looks for facts in the log: by type, by what they are about, by a text in them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson

from contracts.envelope import Recorded
from libs.eventlog.port import EventLog

PAGE_BYTES: Final = 4 << 20
"""Payloads of one page: it ends early, rather than that somebody gets a thousand of the largest."""
_BATCH: Final = 1_000
FIRST: Final = 100
"""Facts that are read before it is known how large they are."""
_BATCH_BYTES: Final = 8 << 20
"""What is read at once, as far as what was read before tells."""
_MOST: Final = 20_000
"""Facts that one request looks through for a text: some tenths of a second of a database's work."""
MOST_BYTES: Final = 64 << 20
"""The same in bytes of their payloads."""


class Wanted(NamedTuple):
    """Which facts.

    Attributes:
        types: of these types; of all when there is none.
        subject: about this thing alone, unless it is empty.
        text: with this in type, subject, author or payload, in whatever case, unless it is empty.
        after, before: positions between which they lie.
        newest_first: in which order.
    """

    types: tuple[str, ...]
    subject: str
    text: str
    after: int
    before: int
    newest_first: bool


async def sought(log: EventLog, workspace_id: str, wanted: Wanted, limit: int) -> tuple[list[Recorded], int | None]:
    """Facts in order, at most `limit` and, from the second one on, at most `PAGE_BYTES` of payloads.

    Returns: them, and the position from which to go on; None when everything was looked through.
    Raises: LogUnavailable.
    """
    # What the log can not tell by itself is looked through here.
    sifted = bool(wanted.text) or bool(wanted.subject and wanted.types)
    found: list[Recorded] = []
    seen = read_bytes = page_bytes = 0
    place = wanted.before if wanted.newest_first else wanted.after
    while True:
        most = _BATCH if sifted else limit - len(found)
        size = min(most, FIRST if not seen else fitting(seen, read_bytes))
        batch = await _read(log, workspace_id, wanted, place, size)
        inside = [one for one in batch if wanted.after < one.position < wanted.before]
        for one in await _matching(inside, wanted) if sifted else inside:
            page_bytes += len(one.data)
            if found and page_bytes > PAGE_BYTES:
                return found, found[-1].position
            found.append(one)
            if len(found) == limit:
                return found, one.position
        seen += len(batch)
        read_bytes += sum(len(one.data) for one in batch)
        if len(inside) < size:
            return found, None
        place = inside[-1].position
        if seen >= _MOST or read_bytes >= MOST_BYTES:
            return found, place


def fitting(count: int, size: int) -> int:
    """How many facts to read at once, after so many with so many bytes of payloads."""
    return max(1, _BATCH_BYTES * count // max(1, size))


async def _read(log: EventLog, workspace_id: str, wanted: Wanted, place: int, size: int) -> list[Recorded]:
    match bool(wanted.subject), wanted.newest_first:
        case True, True:
            return await log.read_stream_back(workspace_id, wanted.subject, place, size)
        case True, False:
            return await log.read_stream(workspace_id, wanted.subject, place, size)
        case False, True:
            return await log.read_back(workspace_id, place, size, wanted.types)
        case _:
            if wanted.types:
                return await log.read_types(workspace_id, place, size, wanted.types)
            return await log.read(workspace_id, place, size)


async def _matching(batch: Sequence[Recorded], wanted: Wanted) -> list[Recorded]:
    """Those that are wanted. In a thread: a thousand payloads take longer than others should wait."""
    # As it stands in JSON, where a quote is written as two characters.
    text = orjson.dumps(wanted.text)[1:-1].decode().lower()

    def pick() -> list[Recorded]:
        return [
            one
            for one in batch
            if (not wanted.types or one.type in wanted.types)
            and (not text or any(text in part.lower() for part in (one.type, one.stream, one.auth_id, one.data.decode())))
        ]

    return await asyncio.to_thread(pick)
