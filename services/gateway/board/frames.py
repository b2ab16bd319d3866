"""What readers of the stream are sent: changes as frames, made once for all who listen to the same topics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from contracts.documents import stamp
from contracts.shapes import Json, Target
from services.gateway.board.changes import Change
from services.gateway.board.inbox import APPROVALS
from services.gateway.board.live import Live
from services.gateway.board.rows import MATRIX
from services.gateway.board.state import pair_key
from services.gateway.board.targets import ROLLOUT, target_row

EVENTS: Final = "events"
SETTINGS: Final = "settings"
WHOLE: Final = frozenset({MATRIX, APPROVALS, EVENTS, "policies", "freezes", "jobs", "resources", "versions", "agents", SETTINGS})
"""Topics of the workspace."""
SINGLE: Final = frozenset({"target", "deployment", "version", "job"})
"""Topics of one thing: they are followed by its id, or by the key of a release target."""

MOST_TARGETS: Final = 1_000
"""Targets of one rollout in one frame; of more a page that shows some of them does better to ask again."""

MOST_EVENTS: Final = 2_000
"""Facts of which one frame tells; who missed more than a page shows of them asks for that page sooner."""

Finish = Callable[[Json], Json]
"""Adds to a row of the approvals what depends on who reads it."""


class Topics(NamedTuple):
    """What a reader listens to.

    Attributes:
        whole: topics of the workspace.
        singles: (topic, id) of single things but targets.
        targets: (key of a cell, resource id, key of the target).
        rollouts: keys of cells.
    """

    whole: frozenset[str]
    singles: frozenset[tuple[str, str]]
    targets: frozenset[tuple[str, str, str]]
    rollouts: frozenset[str]

    @property
    def is_wide(self) -> bool:
        """Whether the matrix is among them, which is told less often."""
        return MATRIX in self.whole


class UnknownTopic(ValueError):
    """The text names no topic."""


def topics_of(names: Iterable[str]) -> Topics:
    """Topics by their names. Raises: UnknownTopic."""
    whole: set[str] = set()
    singles: set[tuple[str, str]] = set()
    targets: set[tuple[str, str, str]] = set()
    rollouts: set[str] = set()
    for name in names:
        topic, _, of = name.partition(":")
        if name in WHOLE:
            whole.add(name)
        elif topic == "target" and (target := Target.parse(of)) is not None:
            targets.add((pair_key(target.deployment_id, target.environment_id), target.resource_id, of))
        elif topic in SINGLE - {"target"} and of:
            singles.add((topic, of))
        elif topic == ROLLOUT and len(of.split("/")) == 2 and all(of.split("/")):
            rollouts.add(of)
        else:
            raise UnknownTopic(name)
    return Topics(frozenset(whole), frozenset(singles), frozenset(targets), frozenset(rollouts))


def must_begin_anew(changes: Sequence[Change], topics: Topics) -> bool:
    """Whether all rows of a topic may have changed, so that a reader takes a new snapshot sooner than being told of each."""
    if any(not topics.rollouts.isdisjoint(change.told) for change in changes):
        return True
    if EVENTS in topics.whole and sum(len(change.events) for change in changes) > MOST_EVENTS:
        return True
    return any(len(_targets(changes, key)) > MOST_TARGETS for key in topics.rollouts)


def patch(live: Live, changes: Sequence[Change], since: int, topics: Topics, finish: Finish) -> bytes | None:
    """A frame about changes after a position; None where they are none of a reader's business. Rows are as of `live.position`.

    Args:
        changes: those of the ring after `since`, oldest first.
    """
    assert live.time is not None, "what changed was recorded at some time"
    rows = [
        (topic, key, finish(row) if topic == APPROVALS and row is not None else row)
        for topic, key in _union(change.rows for change in changes)
        if topic in topics.whole
        for row in (live.row((topic, key)),)
    ]
    rows += _target_rows(live, changes, topics)
    touched = _touched(changes, topics)
    events: list[Any] = []
    if EVENTS in topics.whole:
        events = [
            {"position": position, "type": type_, "subject": subject, "time": time}
            for change in changes
            for position, type_, subject, time in change.events
            if position > since
        ]
    if not rows and not touched and not events:
        return None
    data = {"position": live.position, "time": stamp(live.time), "rows": rows, "touched": touched, "events": events}
    return b"id: %d\nevent: patch\ndata: %s\n\n" % (live.position, orjson.dumps(data))


def reset(position: int) -> bytes:
    """A frame that asks the reader to take new snapshots; it goes on from `position`."""
    return b"id: %d\nevent: reset\ndata: %s\n\n" % (position, orjson.dumps({"position": position}))


def touch(position: int, time: datetime, touched: tuple[str, str]) -> bytes:
    """A frame that says only that something changed of which the log of the workspace does not tell. No more of that was told by then."""
    data = {"position": position, "time": stamp(time), "rows": [], "touched": [touched], "events": []}
    return b"id: %d\nevent: patch\ndata: %s\n\n" % (position, orjson.dumps(data))


def beat(position: int, now: datetime) -> bytes:
    """A sign of life; `position` is that of the log's newest fact here, `now` our clock."""
    return b": alive\n\nevent: beat\ndata: %s\n\n" % orjson.dumps({"position": position, "time": stamp(now)})


def _union(names: Iterable[frozenset[tuple[str, str]]]) -> list[tuple[str, str]]:
    return sorted(frozenset().union(*names))


def _targets(changes: Sequence[Change], key: str) -> frozenset[str]:
    return frozenset[str]().union(*(change.targets.get(key, frozenset()) for change in changes))


def _target_rows(live: Live, changes: Sequence[Change], topics: Topics) -> list[Any]:
    rows: list[Any] = []
    for key in sorted(topics.rollouts):
        pair = live.board.pairs.get(key)
        deployment_id, _, environment_id = key.partition("/")
        for one in sorted(_targets(changes, key)):
            name = Target(one, environment_id, deployment_id).key
            there = pair is not None and one in pair.targets
            rows.append((f"{ROLLOUT}:{key}", name, target_row(live.board, pair, one) if pair is not None and there else None))
    return rows


def _touched(changes: Sequence[Change], topics: Topics) -> list[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for change in changes:
        found |= change.touched & topics.singles
        found.update(one for one in change.touched if one[0] in topics.whole)
        found.update(
            ("target", name) for key, one, name in topics.targets if one in change.targets.get(key, ()) or key in change.told
        )
        # Where so much moved that it was not told one by one, everybody who looks at one of them asks again.
        many = {topic for topic, of in change.touched if not of}
        found.update(one for one in topics.singles if f"{one[0]}s" in many)
    return sorted(found)
