"""How a document is saved: only when it changed, and only when it fits; and how an absent one is refused."""

from __future__ import annotations

from typing import Final, TypeVar

import orjson
from immutables import Map

from contracts.command import Refused
from contracts.fact import Fact
from libs.eventlog.port import MAX_FACT_BYTES
from libs.runtime.service import Draft

_D = TypeVar("_D", bound=Fact)

_LARGEST: Final = f"at most {MAX_FACT_BYTES}; shorten its config, metadata or description"


def require(documents: Map[str, _D], id_: str, what: str) -> _D:
    """The document of an entity. Raises: Refused: there is none."""
    found = documents.get(id_)
    if found is None:
        raise Refused("not_found", f"{what} {id_} not found")
    return found


def saved(document: Fact, before: Fact | None, what: str = "") -> tuple[Draft, ...]:
    """What to append to save a document: nothing when the same content is there. Raises: Refused: it (`what`) is too large."""
    if before is not None and _content(document) == _content(before):
        return ()
    if (size := len(document.to_json())) > MAX_FACT_BYTES:
        what = what or document.stream.partition("/")[0].capitalize()
        raise Refused("invalid", f"{what} is too large: {size} bytes of JSON, {_LARGEST}")
    return (Draft(document),)


def _content(document: Fact) -> bytes:
    # As JSON, because Python holds 1, 1.0 and True for equal and JSON does not; the order of keys is no content.
    return orjson.dumps(document.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
