"""Policy alone over many targets: states to decide on, made of facts as the other services record them, and decisions timed on them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import NAMESPACE_OID, uuid5

from contracts.command import Asked, Wish
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts.dispatcher import DispatchSnapshot, JobCreated, JobStatusChanged
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import (
    DeploymentLinked,
    DeploymentSaved,
    EnvironmentLinked,
    EnvironmentSaved,
    ReleaseItem,
    ReleasesCreated,
    SystemSaved,
    TargetsChanged,
    VersionCreated,
)
from libs.eventlog.port import Checkpoint
from libs.runtime.room import Room, Round
from libs.simulation.world import WORKSPACE, decode
from services.policy.app import service
from services.policy.state import State

T = TypeVar("T")

START = datetime(2026, 1, 1, tzinfo=UTC)
TRIALS = 5
ITEMS = 2_000
"""Targets that planner names in one fact."""
SNAPSHOT = DispatchSnapshot(resource=1, environment=1, deployment=1, version=1, release=1)


def uid(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


@dataclass
class Taken:
    """What one trial took: seconds of the processor and of the clock in all, and the longest time without a turn for anybody else."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    longest_s: float = 0.0
    facts: int = 0

    def time(self, do: Callable[[], T]) -> T:
        """Do something, and add what it takes."""
        wall, cpu = time.perf_counter(), time.process_time()
        done = do()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        self.cpu_s += cpu
        self.wall_s += wall
        self.longest_s = max(self.longest_s, cpu)
        return done


@dataclass
class Yard:
    """A workspace as policy knows it. Its state is never changed, so that any number of trials start from the same one."""

    now: datetime = START
    room: Room[State] = field(default_factory=lambda: Room(service, WORKSPACE))
    asked: int = 0

    def __post_init__(self) -> None:
        self.room.fold(())

    @property
    def state(self) -> State:
        return self.room.state

    def copy(self) -> Yard:
        """Another one that stands where this one does."""
        other = Yard(self.now, asked=self.asked)
        other.room.reset(self.state, self.room.position, Checkpoint(self.room.position, self.room.stored.sequence))
        other.room.fold(())
        return other

    # --- what happens ------------------------------------------------------------------------------------------------------------

    def tell(self, *facts: Fact) -> None:
        """Other services record facts; policy folds them, and is yet to decide on them."""
        first = self.room.position + 1
        self.room.fold(self._recorded(first + n, fact, uid(f"fact {first + n}")) for n, fact in enumerate(facts))

    def settle(self, taken: Taken | None = None) -> Taken:
        """Let policy decide on facts and on time until it is quiet at this instant."""
        taken = taken if taken is not None else Taken()
        while (round_ := taken.time(self._next)) is not None:
            self.append(round_, taken)
        return taken

    def do(self, wish: Wish, taken: Taken | None = None) -> Any:
        """A command, and what follows from it; its answer."""
        taken = taken if taken is not None else Taken()
        round_ = taken.time(partial(self.room.command, wish, self._asked()))
        self.append(round_, taken)
        self.settle(taken)
        return round_.answer

    def wish(self, wish: Wish) -> None:
        """A command whose consequences are left for later."""
        self.append(self.room.command(wish, self._asked()), Taken())

    def ask(self, wish: Wish) -> Any:
        """A query."""
        return self.room.query(wish, self._asked())

    def append(self, round_: Round, taken: Taken) -> None:
        """Take a round in, as the host does; what it folds it folds with turns for others in between."""
        facts = round_.append.facts
        first = self.room.position + 1
        self.room.appended(round_)
        recorded = [self._recorded(first + n, new.fact, new.id) for n, new in enumerate(facts)]
        for one in recorded:
            taken.time(partial(self.room.fold, (one,)))
        taken.facts += len(facts)

    def _next(self) -> Round | None:
        return self.room.react(self.now) or self.room.fire(self.now)

    def _asked(self) -> Asked:
        self.asked += 1
        return Asked(id=uid(f"asked {self.asked}"), workspace_id=WORKSPACE, auth_id="user:ana", now=self.now)

    def _recorded(self, position: int, fact: Fact, id_: str) -> Recorded:
        return Recorded(
            workspace_id=WORKSPACE, position=position, id=id_, type=type(fact).TYPE, stream=fact.stream, time=self.now,
            recorded_time=self.now, correlation_id="", causation_id="", auth_id="", traceparent="", data=b"", decode=decode, fact=fact,
        )  # fmt: skip

    # --- a world -----------------------------------------------------------------------------------------------------------------

    def environments(self, *names: str) -> None:
        """A system with these environments."""
        self.tell(SystemSaved(system_id=uid("system"), name="bench", created_at=self.now))
        for name in names:
            self.tell(
                EnvironmentSaved(environment_id=uid(name), name=name, metadata={"stage": name}, created_at=self.now),
                EnvironmentLinked(system_id=uid("system"), environment_id=uid(name)),
            )

    def deployment(self, name: str, supersession: str = "latest") -> None:
        """A deployment of the system."""
        saved = DeploymentSaved.model_validate(
            {"deployment_id": uid(name), "name": name, "supersession": supersession, "created_at": self.now}
        )
        self.tell(saved, DeploymentLinked(system_id=uid("system"), deployment_id=uid(name)))

    def resources(self, count: int) -> list[str]:
        """So many resources, with labels as clusters have them. Their ids."""
        ids = [uid(f"resource {n}") for n in range(count)]
        for n, one in enumerate(ids):
            metadata = {"tier": "gold", "region": f"r{n % 5}", "team": f"t{n % 11}", "zone": f"z{n % 7}", "owner": f"o{n % 97}"}
            self.tell(
                ResourceSaved(
                    resource_id=one, identifier=f"cluster/{n}", name=f"cluster-{n}", kind="KubernetesCluster", version="v1",
                    config={"server": f"https://cluster-{n}.example"}, metadata=metadata, created_at=self.now, updated_at=self.now,
                )
            )  # fmt: skip
        return ids

    def targets(self, deployment: str, environment: str, ids: Sequence[str]) -> None:
        """Resources become targets of a deployment in an environment."""
        for run in runs(ids):
            self.tell(TargetsChanged(deployment_id=uid(deployment), environment_id=uid(environment), added=tuple(run)))

    def version(self, deployment: str, tag: str) -> str:
        """A version is posted. Its id."""
        version_id = uid(f"{deployment} {tag}")
        at = self.now + timedelta(microseconds=self.room.position)
        self.tell(
            VersionCreated(
                version_id=version_id, deployment_id=uid(deployment), tag=tag, name=tag, status="ready", metadata={"channel": "stable"},
                created_at=at,
            )
        )  # fmt: skip
        return version_id

    def deploy(self, deployment: str, environment: str, version_id: str, ids: Sequence[str]) -> None:
        """A version is deployed to targets: released, and its jobs succeed."""
        place = {"deployment_id": uid(deployment), "environment_id": uid(environment), "version_id": version_id}
        for run in runs(ids):
            items = tuple(ReleaseItem(resource_id=one, release_id=f"{version_id}/{one}") for one in run)
            self.tell(ReleasesCreated(**place, items=items, cleared_at=0, created_at=self.now))
        for one in ids:
            job: dict[str, Any] = {
                **place,
                "job_id": f"{version_id}/{one}/job",
                "release_id": f"{version_id}/{one}",
                "resource_id": one,
            }
            self.tell(
                JobCreated(
                    **job, agent_id="agent", status="pending", snapshot=SNAPSHOT, created_at=self.now, deadline_at=self.now
                ),
                JobStatusChanged(
                    **job, agent_id="agent", status="successful", previous="pending", completed_at=self.now, changed_at=self.now
                ),
            )

    def policy(self, name: str, selector: str, *rules: RuleInput) -> None:
        """A policy is saved."""
        self.do(SavePolicy(name=name, selector=selector, rules=rules))


def estate(count: int, *, in_staging: int = 1, supersession: str = "latest") -> tuple[Yard, list[str]]:
    """A deployment in staging and, on so many targets, in production, where v0 runs."""
    yard = Yard()
    return yard, furnish(yard, count, in_staging=in_staging, supersession=supersession)


def furnish(yard: Yard, count: int, *, in_staging: int, supersession: str = "latest") -> list[str]:
    """Make the same in a workspace; ids of the resources."""
    yard.environments("staging", "production")
    yard.deployment("api", supersession)
    ids = yard.resources(count)
    yard.targets("api", "production", ids)
    yard.targets("api", "staging", ids[:in_staging])
    yard.settle()
    zero = yard.version("api", "v0")
    yard.deploy("api", "staging", zero, ids[:in_staging])
    yard.deploy("api", "production", zero, ids)
    yard.settle()
    yard.now += timedelta(minutes=1)
    return ids


class Counted:
    """A function that counts how often it is called."""

    def __init__(self, do: Callable[..., Any]) -> None:
        self._do = do
        self.calls = 0

    def __call__(self, *given: Any) -> Any:
        self.calls += 1
        return self._do(*given)


def runs(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """As many ids at a time as one fact holds."""
    return (ids[start : start + ITEMS] for start in range(0, len(ids), ITEMS))


def trials(what: str, base: Yard, go: Callable[[Yard, Taken, int], object], check: Callable[[Yard], str] = lambda _: "") -> None:
    """Do something on copies of a yard, and print a line with the medians.

    Args:
        go: does it to a copy, and times what is to be timed; told which trial it is.
        check: what came of it, as text; fails when it is wrong, so that a figure of something else is never told.
    """
    found: list[Taken] = []
    said = ""
    for n in range(TRIALS):
        yard, taken = base.copy(), Taken()
        gc.collect()
        go(yard, taken, n)
        said = check(yard)
        found.append(taken)
    cpu, wall, longest = (
        statistics.median(values) for values in zip(*((t.cpu_s, t.wall_s, t.longest_s) for t in found), strict=True)
    )
    print(f"| {what} | {told(cpu)} | {told(wall)} | {told(longest)} | {found[0].facts:,} | {said} |", flush=True)


def told(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"
