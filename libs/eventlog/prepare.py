"""What is checked and encoded of an append before anything is sent, the same for every log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from libs.eventlog.limits import GROUP_BYTES, GROUP_FACTS
from libs.eventlog.mapping import encode
from libs.eventlog.port import MAX_FACT_BYTES, Append, NewFact, Unstorable

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


class FactKnown(ValueError):
    """A fact with this id is in the log already.

    An append that carries neither a checkpoint move nor a command and was repeated after an outage ends here: its first try had been
    committed.
    """


@dataclass(frozen=True, slots=True)
class Prepared:
    """An append with its encoded payloads (one per fact, in order) and their total size in bytes."""

    append: Append
    payloads: tuple[bytes, ...]
    size_bytes: int

    @property
    def long(self) -> bool:
        """Whether it is too much for one call of `es.append`."""
        return len(self.payloads) > GROUP_FACTS or self.size_bytes > GROUP_BYTES


def prepare(append: Append) -> Prepared:
    """Encode the facts of an append. Raises: Unstorable."""
    payloads = tuple(encoded(append.facts))
    return Prepared(append, payloads, sum(map(len, payloads)))


def encoded(facts: Iterable[NewFact]) -> Iterator[bytes]:
    """The payloads of facts, in order. Raises: Unstorable."""
    for new in facts:
        payload = encode(new.fact)
        if len(payload) > MAX_FACT_BYTES:
            raise Unstorable(
                f"{new.fact.TYPE} about {new.fact.stream} is {len(payload):,} bytes, over the limit of {MAX_FACT_BYTES:,} of one fact; "
                "split it into several facts or store a reference"
            )
        if b"\\u0000" in payload and _NUL.search(payload):
            raise Unstorable(f"{new.fact.TYPE} about {new.fact.stream} holds a NUL character (\\u0000); remove it")
        yield payload


def storable(text: str) -> str:
    """A text as Postgres can store it: what is no character that it knows becomes U+FFFD."""
    return _NO_TEXT.sub("\ufffd", text)
