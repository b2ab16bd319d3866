"""Many metrics in virtual time: verifier alone, its questions asked when they are due, so many of a party at a time, each taking a while."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from datetime import datetime, timedelta
from typing import Any, Final

from contracts.facts.dispatcher import DispatchSnapshot, JobCreated
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import MeasurementTaken
from libs.runtime.lanes import LANE
from libs.runtime.room import Room
from libs.runtime.service import Intent, Outcome
from libs.simulation.world import START, World
from services.verifier.app import service
from tests.unit.verifier.verifier_scene import GOOD, id_of, metric

USUAL_S: Final = 0.02


class VirtualHours(World):
    """Verifier alone. Other than in the world, what waits is not looked through at every instant.

    Attributes:
        answer_s: seconds that a party takes to answer, by party; those that are not in it take `USUAL_S`.
        asked: every question that was asked, and when, in order.
    """

    def __init__(self, answer_s: dict[str, float] | None = None) -> None:
        self.answer_s = answer_s or {}
        self.asked: list[tuple[str, datetime]] = []
        self._due: list[tuple[datetime, int, Intent]] = []
        self._answers: list[tuple[datetime, int, Intent, dict[str, Any]]] = []
        self._lines: defaultdict[str, deque[Intent]] = defaultdict(deque)
        self._under_way: defaultdict[str, int] = defaultdict(int)
        self._order = 0
        super().__init__([service], {"verifier": lambda intent, now: None})
        self.record(
            EnvironmentSaved(environment_id=id_of("environment"), name="production", created_at=START),
            DeploymentSaved(deployment_id=id_of("deployment"), name="shop", created_at=START),
        )

    def verify(self, verifications: int, hosts: list[str], *, count: int, interval_s: int) -> None:
        """So many targets are verified, all of them required at this instant; each with one metric of each host."""
        for number in range(verifications):
            self.record(*self._target(number, hosts, count, interval_s))
        self.run()

    def lateness_s(self) -> list[float]:
        """Seconds that each measurement was late, ascending."""
        return sorted((one.measured_at - one.due_at).total_seconds() for one in self.facts(MeasurementTaken))

    def next_due(self) -> datetime | None:
        """The next instant at which something happens by itself."""
        heads = [heap[0][0] for heap in (self._due, self._answers) if heap]
        timer = self.room("verifier").next_due()
        return min((*heads, *((timer,) if timer else ())), default=None)

    def _perform(self, room: Room[Any]) -> bool:
        for intent in room.take_opened():
            self._order += 1
            heapq.heappush(self._due, (intent.not_before or self.now, self._order, intent))
        outcomes: list[Outcome] = []
        while self._answers and self._answers[0][0] <= self.now:
            _, _, intent, answer = heapq.heappop(self._answers)
            self._under_way[intent.lane] -= 1
            self._begin(intent.lane)
            if room.is_open(intent.key):
                outcomes.append(Outcome(intent.key, answer))
        while self._due and self._due[0][0] <= self.now:
            intent = heapq.heappop(self._due)[2]
            if room.is_open(intent.key):
                self._lines[intent.lane].append(intent)
                self._begin(intent.lane)
        if outcomes and (round_ := room.settle(outcomes, self.now)):
            self._append(room, round_)
        return bool(outcomes)

    def _begin(self, lane: str) -> None:
        """Ask who is next in a party's line, if it may be asked."""
        line = self._lines[lane]
        while line and self._under_way[lane] < LANE:
            intent = line.popleft()
            self._under_way[lane] += 1
            self._order += 1
            self.asked.append((intent.key, self.now))
            answer = {"asked": intent.request["provider"], "measured_at": self.now.isoformat(), "result": {**GOOD, "value": 0.5}}
            at = self.now + timedelta(seconds=self.answer_s.get(lane, USUAL_S))
            heapq.heappush(self._answers, (at, self._order, intent, answer))

    def _target(
        self, number: int, hosts: list[str], count: int, interval_s: int
    ) -> tuple[ResourceSaved, JobCreated, VerificationRequired]:
        name = f"r{number}"
        about: dict[str, Any] = {
            "release_id": id_of(f"release of {name}"),
            "resource_id": id_of(name),
            "environment_id": id_of("environment"),
            "deployment_id": id_of("deployment"),
            "version_id": id_of("version"),
        }
        resource = ResourceSaved(
            resource_id=id_of(name), identifier=name, name=name, kind="Cluster", version="v1", created_at=START, updated_at=START
        )
        job = JobCreated(
            job_id=id_of(f"job of {name}"),
            **about,
            status="pending",
            snapshot=DispatchSnapshot(resource=1, environment=1, deployment=1, version=1, release=1),
            created_at=self.now,
            deadline_at=self.now,
        )
        metrics = tuple(
            metric(
                host, count=count, interval_seconds=interval_s, provider={"type": "http", "url": f"{host}/{{{{.resource.name}}}}"}
            )
            for host in hosts
        )
        required = VerificationRequired(
            job_id=id_of(f"job of {name}"),
            **about,
            policy_id=id_of("policy"),
            rule_id=id_of("rule"),
            metrics=metrics,
            required_at=self.now,
        )
        return resource, job, required
