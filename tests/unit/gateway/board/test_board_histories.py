"""Whatever happens in a workspace: who takes a snapshot and then patches sees what a new snapshot shows, and no count drifts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from libs.runtime import codec
from libs.simulation.world import WORKSPACE, refold
from services.gateway.board import frames, inbox
from services.gateway.board.app import BOARD
from services.gateway.board.counting import status_of
from services.gateway.board.frames import Topics
from services.gateway.board.live import Live
from services.gateway.board.standing import is_settled
from services.gateway.board.state import Board, initial
from services.gateway.board.targets import target_row, topic_of
from tests.simulation.test_random_histories import LONG, History

Rows = dict[tuple[str, str], Any]


def rows_of(live: Live, pairs: list[str]) -> Rows:
    """Everything that a reader of all topics with rows has after a snapshot."""
    shown = live.snapshot()
    board = live.board
    rows: Rows = {("matrix", "counters"): shown["counters"]}
    rows.update((("matrix", f"deployment/{one['id']}"), one) for one in shown["deployments"])
    rows.update((("matrix", f"environment/{one['id']}"), one) for one in shown["environments"])
    rows.update((("matrix", one["key"]), one) for one in shown["cells"])
    rows.update((("approvals", row["key"]), row) for row in inbox.page(board, limit=10_000)[0])
    for key in pairs:
        pair = board.pairs.get(key)
        for one in pair.targets if pair is not None else ():
            row = target_row(board, pair, one)
            rows[topic_of(key), row["key"]] = row
    plain: Rows = {name: orjson.loads(orjson.dumps(row)) for name, row in rows.items()}
    return plain


class Reader:
    """Reads along with patches alone, and begins anew when it is told to."""

    def __init__(self, live: Live, pairs: list[str]) -> None:
        self.pairs = pairs
        self.topics = Topics(frozenset({"matrix", "approvals"}), frozenset(), frozenset(), frozenset(pairs))
        self.rows = rows_of(live, pairs)
        self.position = live.position

    def read(self, live: Live) -> None:
        live.close()
        changes = live.ring.after(self.position)
        assert live.ring.reaches(self.position)
        if frames.must_begin_anew(changes, self.topics):
            self.__init__(live, self.pairs)  # type: ignore[misc]
            return
        frame = frames.patch(live, changes, self.position, self.topics, lambda row: row) if changes else None
        if frame is not None:
            data = orjson.loads(frame.split(b"data: ", 1)[1])
            assert data["position"] == live.position
            for topic, key, row in data["rows"]:
                if row is None:
                    self.rows.pop((topic, key), None)
                else:
                    self.rows[topic, key] = row
        self.position = live.position


class Boarded(History):
    """A random history with a board beside it, and readers who look now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.live = Live(initial(WORKSPACE), 0, None)
        self.readers: list[Reader] = []

    @rule()
    def somebody_comes(self) -> None:
        self._follow()
        pairs = [f"{one}/{other}" for one in self.yard.deployments.values() for other in self.yard.stages.values()]
        self.readers = [*self.readers[-2:], Reader(self.live, pairs)]

    @rule(pick=st.integers(0, 2))
    def somebody_reads(self, pick: int) -> None:
        self._follow()
        if self.readers:
            reader = self.readers[pick % len(self.readers)]
            reader.read(self.live)
            assert reader.rows == rows_of(self.live, reader.pairs)

    @invariant()
    def counts_are_true(self) -> None:
        self._follow()
        for pair in self.live.board.pairs.values():
            targets = list(pair.targets.values())
            assert dict(pair.statuses) == Counter(one.why.status for one in targets)
            assert dict(pair.whys) == Counter(one.why for one in targets)
            assert dict(pair.wanted) == Counter(one.desired for one in targets if one.desired)
            assert dict(pair.running) == Counter(one.running for one in targets if one.running)
            assert dict(pair.settled) == Counter(one.running for one in targets if is_settled(one))
            assert sum(sum(of.values()) for of in pair.untils.values()) == sum(one.until is not None for one in targets)
            assert sum(pair.held.values()) == sum(len(one.holds) for one in targets)
            assert pair.status == status_of(pair.statuses)
            assert (pair.key in self.live.board.asking) == bool(pair.asked_since)

    def _follow(self) -> None:
        yard = getattr(self, "yard", None)
        for one in yard.log[self.live.position :] if yard is not None else ():
            self.live.take(one)

    def teardown(self) -> None:
        if hasattr(self, "yard"):
            self._follow()
            for reader in self.readers:
                reader.read(self.live)
                assert reader.rows == rows_of(self.live, reader.pairs)
            board = refold(BOARD, self.yard.log)  # type: ignore[arg-type]  # it folds, and is asked for no more
            assert board == self.live.board
            assert codec.decode(Board, codec.encode(Board, board)) == board
            for deployment, id_ in self.yard.deployments.items():
                for stage, other in self.yard.stages.items():
                    pair = board.pairs.get(f"{id_}/{other}")
                    told = self.yard.runs(deployment, stage)
                    seen = {
                        board.resources[one].name: board.tag(target.running) or None
                        for one, target in (pair.targets.items() if pair is not None else ())
                    }
                    assert seen == told
        super().teardown()


TestBoardedHistories = Boarded.TestCase
TestBoardedHistories.settings = settings(
    max_examples=LONG or 12,
    stateful_step_count=40 if LONG else 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=not LONG,
    database=None,
)
