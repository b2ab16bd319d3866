"""Objects that a job applied, as they are seen, and as the job's metadata remembers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from contracts.shapes import Json
from services.dispatcher.adapters.kubernetes_api import Place
from services.dispatcher.adapters.kubernetes_manifests import JOB_LABEL
from services.dispatcher.adapters.kubernetes_status import WATCHED, Standing, standing

WATCHING: Final = "kubernetes/watched"
"""Metadata: what is looked after until the job ends, as a JSON list of `{apiVersion, kind, namespace, name, uid}`."""
APPLIED: Final = "kubernetes/applied"
"""Metadata: everything that was applied, for people."""
APPLIED_AT: Final = "kubernetes/applied-at"

MAX_APPLIED: Final = 2_000
MAX_TOLD: Final = 5
"""So many objects a message names."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An object that is there, and where."""

    place: Place
    document: Json

    @property
    def uid(self) -> str:
        return str(metadata_of(self.document).get("uid") or "")

    @property
    def standing(self) -> Standing:
        return standing(self.document)

    @property
    def is_watched(self) -> bool:
        """Whether it takes its time after it was applied."""
        return (self.place.api_version, self.place.kind) in WATCHED

    @property
    def is_run(self) -> bool:
        """Whether it may be one that the job made for itself, and that ends."""
        return self.is_watched and self.place.kind in ("Job", "Pod")

    def is_of(self, job_id: str) -> bool:
        """Whether it says itself that it is this job's."""
        labels = metadata_of(self.document).get("labels")
        return isinstance(labels, dict) and labels.get(JOB_LABEL) == job_id

    def __str__(self) -> str:
        return f"{self.place} {self.standing.said}"


def metadata_of(document: Json) -> dict[str, Any]:
    """The metadata of an object; empty where it has none."""
    metadata = document.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def noted(seen: Sequence[Seen], at: datetime) -> dict[str, str]:
    """What a job's metadata is to remember."""
    if not seen:
        return {}
    notes = {APPLIED: ", ".join(str(one.place) for one in seen)[:MAX_APPLIED], APPLIED_AT: at.isoformat()}
    watched = [
        {
            "apiVersion": one.place.api_version,
            "kind": one.place.kind,
            "namespace": one.place.namespace,
            "name": one.place.name,
            "uid": one.uid,
        }
        for one in seen
        if one.is_watched
    ]
    return {**notes, WATCHING: orjson.dumps(watched).decode()} if watched else notes


def watched(text: str | None) -> list[tuple[Place, str]]:
    """The places and uids that a job's metadata remembers; people may have written anything there."""
    try:
        notes = orjson.loads(text or "[]")
    except orjson.JSONDecodeError:
        return []
    return list(_places(notes)) if isinstance(notes, list) else []


def _places(notes: list[Any]) -> Iterator[tuple[Place, str]]:
    for one in notes:
        if not isinstance(one, dict):
            continue
        api_version, kind, namespace, name, uid = (
            str(one.get(key) or "") for key in ("apiVersion", "kind", "namespace", "name", "uid")
        )
        plural = WATCHED.get((api_version, kind))
        # A name of dots alone would lead somewhere else.
        if plural and uid and namespace.strip(".") and name.strip("."):
            yield Place(api_version, kind, plural, namespace, name), uid


def told(parts: Iterable[object]) -> str:
    """The first few, for people."""
    texts = list(map(str, parts))
    more = f"; and {len(texts) - MAX_TOLD} more" if len(texts) > MAX_TOLD else ""
    return "; ".join(texts[:MAX_TOLD]) + more
