"""What the board costs, without the system around it: `python -m tests.bench.board [--targets 10000] [--cells 500x60]`.

Seconds of the processor: folding a version that goes to many targets, one look at a page of them, the rows of a large matrix, the state's
bytes. Nothing is read from a log.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts import dispatcher, inventory, planner, policy
from libs.runtime import codec
from libs.simulation.world import WORKSPACE, decode
from services.gateway.board.live import Live
from services.gateway.board.state import Board, initial, pair_key
from services.gateway.board.targets import page

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
DEPLOYMENT, ENVIRONMENT, OLD, NEW = (f"00000000-0000-4000-8000-{number:012d}" for number in range(1, 5))
PLACE: Final = {"deployment_id": DEPLOYMENT, "environment_id": ENVIRONMENT}


class Given:
    """A board that facts are given to, and how long each kind of fact took."""

    def __init__(self) -> None:
        self.live = Live(initial(WORKSPACE), 0, None)
        self.took: dict[str, list[float]] = {}

    def take(self, fact: Fact) -> None:
        one = Recorded(
            workspace_id=WORKSPACE, position=self.live.position + 1, id="", type=type(fact).TYPE, stream=fact.stream, time=NOW,
            recorded_time=NOW, correlation_id="", causation_id="", auth_id="service:bench", traceparent="", data=b"", decode=decode,
            fact=fact,
        )  # fmt: skip
        began = time.thread_time()
        self.live.take(one)
        self.took.setdefault(type(fact).__name__, []).append(time.thread_time() - began)


def resource(number: int) -> str:
    return f"00000000-0000-4000-8001-{number:012d}"


def release(version_id: str, number: int) -> str:
    return f"00000000-0000-4000-8002-{int(version_id[-2:]) * 10**8 + number:012d}"


def catalog(given: Given) -> None:
    given.take(planner.DeploymentSaved(deployment_id=DEPLOYMENT, name="api", created_at=NOW))
    given.take(planner.EnvironmentSaved(environment_id=ENVIRONMENT, name="prod", created_at=NOW))
    for version_id, tag in ((OLD, "v1"), (NEW, "v2")):
        given.take(planner.VersionCreated(version_id=version_id, deployment_id=DEPLOYMENT, tag=tag, name="", created_at=NOW))


def rollout(given: Given, version_id: str, targets: int) -> None:
    """A version is held, cleared and deployed on so many targets, in facts as large as the services make them."""
    for start in range(0, targets, 2_000):
        ids = tuple(resource(number) for number in range(start, min(start + 2_000, targets)))
        group = policy.VerdictGroup(verdict="waiting", message="Waiting for approval: 0/1 given.", resource_ids=ids)
        rule = {"policy_id": OLD, "rule_id": NEW, "rule_type": "anyApproval"}
        given.take(policy.RuleEvaluated(**PLACE, version_id=version_id, **rule, groups=(group,), evaluated_at=NOW))
    for start in range(0, targets, 2_000):
        ids = tuple(resource(number) for number in range(start, min(start + 2_000, targets)))
        given.take(policy.TargetsCleared(**PLACE, version_id=version_id, resource_ids=ids, at=1, cleared_at=NOW))
    for start in range(0, targets, 1_000):
        numbers = range(start, min(start + 1_000, targets))
        items = tuple(planner.ReleaseItem(resource_id=resource(one), release_id=release(version_id, one)) for one in numbers)
        given.take(planner.ReleasesCreated(**PLACE, version_id=version_id, items=items, cleared_at=1, created_at=NOW))
    snapshot = dispatcher.DispatchSnapshot(resource=1, environment=1, deployment=1, version=1, release=1)
    for number in range(targets):
        ids: dict[str, Any] = {
            **PLACE,
            "version_id": version_id,
            "resource_id": resource(number),
            "release_id": release(version_id, number),
            "job_id": release(version_id, number),
        }
        given.take(dispatcher.JobCreated(**ids, status="pending", snapshot=snapshot, created_at=NOW, deadline_at=NOW))
        given.take(dispatcher.JobStatusChanged(**ids, status="successful", previous="pending", changed_at=NOW, completed_at=NOW))


def timed(what: Callable[[], Any]) -> tuple[float, Any]:
    began = time.thread_time()
    found = what()
    return time.thread_time() - began, found


def many_targets(targets: int) -> None:
    given = Given()
    catalog(given)
    for number in range(targets):
        name = f"cluster-{number}"
        given.take(
            inventory.ResourceSaved(
                resource_id=resource(number),
                identifier=name,
                name=name,
                kind="Cluster",
                version="v1",
                created_at=NOW,
                updated_at=NOW,
            )
        )
    for start in range(0, targets, 2_000):
        ids = tuple(resource(number) for number in range(start, min(start + 2_000, targets)))
        given.take(planner.TargetsChanged(**PLACE, added=ids))
    rollout(given, OLD, targets)
    rollout(given, NEW, targets)
    print(f"{targets:,} targets, a first and a second version: {given.live.position:,} facts")
    for kind, took in given.took.items():
        print(f"  {kind}: {len(took):,}, {1e6 * sum(took) / len(took):,.0f} µs each, longest {1000 * max(took):.1f} ms")
    board = given.live.board
    pair = board.pairs[pair_key(DEPLOYMENT, ENVIRONMENT)]
    for status in (None, "healthy", "failed"):
        took_s, _ = timed(lambda status=status: page(board, pair, status=status, version_id=None, limit=100, offset=5_000))  # type: ignore[misc]
        print(f"  a page of 100 of status {status}: {1000 * took_s:.1f} ms")
    took_s, _ = timed(given.live.close)
    print(f"  telling of it all: {1000 * took_s:.1f} ms")
    encoded_s, data = timed(lambda: codec.encode(Board, board))
    decoded_s, _ = timed(lambda: codec.decode(Board, data))
    print(f"  the state: {len(data) / 1e6:.1f} MB, written in {encoded_s:.2f} s, read in {decoded_s:.2f} s")


def many_cells(deployments: int, environments: int) -> None:
    given = Given()
    d = [f"00000000-0000-4000-8003-{number:012d}" for number in range(deployments)]
    e = [f"00000000-0000-4000-8004-{number:012d}" for number in range(environments)]
    for number, one in enumerate(d):
        given.take(planner.DeploymentSaved(deployment_id=one, name=f"d{number}", created_at=NOW))
    for number, one in enumerate(e):
        given.take(planner.EnvironmentSaved(environment_id=one, name=f"e{number}", created_at=NOW))
    for one in d:
        for other in e:
            given.take(planner.TargetsChanged(deployment_id=one, environment_id=other, added=(resource(1),)))
    board = given.live.board
    rows_s, live = timed(lambda: Live(board, 1, NOW))
    shown_s, _ = timed(live.snapshot)
    print(
        f"{deployments} × {environments} cells: all rows {1000 * rows_s:.0f} ms (beside the loop), again {1000 * shown_s:.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.board", description=__doc__)
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--cells", default="500x60")
    asked = parser.parse_args()
    gc.set_threshold(100_000, 20, 20)  # as the process of the services has it
    many_targets(asked.targets)
    for size in ("40x6", asked.cells):
        many_cells(*map(int, size.split("x")))


if __name__ == "__main__":
    main()
