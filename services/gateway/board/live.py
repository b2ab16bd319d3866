"""The rows of a board as they were last told, and what of them changed: the part of the view that knows nothing of time and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from contracts.documents import stamp
from contracts.envelope import Recorded
from contracts.shapes import Json
from services.gateway.board import inbox, rows
from services.gateway.board.app import BOARD
from services.gateway.board.changes import Change, Heading, Ring, RowName
from services.gateway.board.inbox import APPROVALS
from services.gateway.board.rows import COUNTERS, MATRIX
from services.gateway.board.state import Board, Status
from services.gateway.board.touching import Touched

MOST_TOUCHED: Final = 100
"""Names of one topic in one change; of more it is said that there are many (an empty id)."""
_MANY: Final = frozenset({"jobs", "resources", "versions"})


class Live:
    """A board that moves.

    Attributes:
        board, position: the fold of the log through a position.
        time: when the newest fact was recorded; None before any.
        ring: what changed. It is behind `position` until `close`.
    """

    def __init__(self, board: Board, position: int, time: datetime | None) -> None:
        self.board = board
        self.position = position
        self.time = time
        self.ring = Ring(position)
        self._touched = Touched()
        self._events: list[Heading] = []
        self._shown: dict[RowName, Json] = {}
        self._approvals: dict[str, set[str]] = {}
        self._statuses: dict[str, Status] = {}
        self._counts: dict[Status, int] = rows.status_counts(board)
        catalog = _catalog(board)
        self._named = set(catalog)
        for key, row in catalog.items():
            self._shown[MATRIX, key] = row
        for pair in rows.cells(board):
            self._shown[MATRIX, pair.key] = rows.cell_row(board, pair)
            self._statuses[pair.key] = pair.status
        for key in board.asking:
            found = inbox.rows_of(board, board.pairs[key])
            self._approvals[key] = set(found)
            self._shown.update(((APPROVALS, one), row) for one, row in found.items())
        self._shown[MATRIX, COUNTERS] = self._counters()

    @property
    def is_behind(self) -> bool:
        """Whether facts were taken that the ring does not tell of."""
        return self.ring.head < self.position

    def take(self, recorded: Recorded) -> None:
        """Fold the fact that follows."""
        before = self.board
        if recorded.type in BOARD.reads:
            self.board = BOARD.evolve(before, recorded)
        self._touched.take(recorded, before, self.board)
        self._events.append((recorded.position, recorded.type, recorded.stream, stamp(recorded.recorded_time)))
        self.position = recorded.position
        self.time = recorded.recorded_time

    def close(self) -> None:
        """Have the ring tell of every fact that was taken."""
        if not self.is_behind:
            return
        touched, self._touched = self._touched, Touched()
        events, self._events = tuple(self._events), []
        touched.find_said(self.board)
        changed: set[RowName] = set()
        if touched.catalog:
            self._look_at_catalog(changed)
        for key in touched.pairs:
            self._look_at_cell(key, changed)
        for key in touched.asks:
            self._look_at_asks(key, changed)
        self._put((MATRIX, COUNTERS), self._counters(), changed)
        self.ring.add(
            Change(
                after=self.ring.head,
                position=self.position,
                rows=frozenset(changed),
                targets={key: frozenset(ids) for key, ids in touched.targets.items() if key not in touched.told},
                told=frozenset(touched.told),
                touched=_bounded(touched.others),
                events=events,
            )
        )

    def row(self, name: RowName) -> Json | None:
        """A row of the matrix or the approvals as it was last told; None for one that is gone."""
        return self._shown.get(name)

    def snapshot(self) -> Json:
        """The whole matrix, as of `position`."""
        self.close()
        deployments = rows.deployment_rows(self.board)
        environments = rows.environment_rows(self.board)
        return {
            "deployments": list(deployments.values()),
            "environments": list(environments.values()),
            "cells": [self._shown[MATRIX, key] for key in self._statuses],
            "counters": self._shown[MATRIX, COUNTERS],
            "approvals": self._count_approvals(),
        }

    # --- what changed ------------------------------------------------------------------------------------------------------------

    def _look_at_catalog(self, changed: set[RowName]) -> None:
        found = _catalog(self.board)
        for key, row in found.items():
            self._put((MATRIX, key), row, changed)
        for gone in self._named - set(found):
            self._drop((MATRIX, gone), changed)
        self._named = set(found)

    def _look_at_cell(self, key: str, changed: set[RowName]) -> None:
        pair = self.board.pairs.get(key)
        before = self._statuses.pop(key, None)
        if before is not None:
            self._counts[before] -= 1
        if pair is None or not rows.is_shown(self.board, pair):
            self._drop((MATRIX, key), changed)
            return
        self._statuses[key] = pair.status
        self._counts[pair.status] += 1
        self._put((MATRIX, key), rows.cell_row(self.board, pair), changed)

    def _look_at_asks(self, key: str, changed: set[RowName]) -> None:
        if key not in self.board.asking and key not in self._approvals:
            return
        pair = self.board.pairs.get(key)
        found = inbox.rows_of(self.board, pair) if pair is not None else {}
        for gone in self._approvals.pop(key, set()) - set(found):
            self._drop((APPROVALS, gone), changed)
        if found:
            self._approvals[key] = set(found)
        for one, row in found.items():
            self._put((APPROVALS, one), row, changed)

    def _put(self, name: RowName, row: Json, changed: set[RowName]) -> None:
        if self._shown.get(name) != row:
            self._shown[name] = row
            changed.add(name)

    def _drop(self, name: RowName, changed: set[RowName]) -> None:
        if self._shown.pop(name, None) is not None:
            changed.add(name)

    def _counters(self) -> Json:
        return rows.counters_of(self._counts, self._count_approvals())

    def _count_approvals(self) -> int:
        return sum(map(len, self._approvals.values()))


def _catalog(board: Board) -> Mapping[str, Json]:
    return {**rows.deployment_rows(board), **rows.environment_rows(board)}


def _bounded(touched: set[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Topics that pages list whole are told by few names."""
    by_topic: dict[str, int] = {}
    for topic, _ in touched:
        by_topic[topic] = by_topic.get(topic, 0) + 1
    many = {topic for topic, count in by_topic.items() if topic in _MANY and count > MOST_TOUCHED}
    return frozenset({one for one in touched if one[0] not in many} | {(topic, "") for topic in many})
