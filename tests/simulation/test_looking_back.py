"""Whatever happens in a workspace: what is read as of then is what was read then."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from contracts.command import Answer, AsOf, Refused, Request, Wish
from contracts.commands.inventory import ResourceInput
from contracts.commands.planner import LiftMark, PinVersion, PreviewResource, Redeploy, ReleasePin, RollBack
from contracts.commands.policy.evaluations import EvaluateTarget
from contracts.commands.policy.explanations import ExplainRollout, ExplainTarget, ExplainVersion
from contracts.commands.policy.forecasts import ForecastRollout
from contracts.commands.policy.freezes import FreezeEffect, SaveFreeze, ThawFreeze
from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.planner import MarkLifted, RollbackStarted
from contracts.shapes import Target
from libs.eventlog.memory import MemoryLog
from libs.runtime import as_of, snapshots
from libs.runtime.answering import Answering
from libs.runtime.as_of import FoldAt
from libs.runtime.past import Past
from libs.simulation.world import WORKSPACE, refold
from services.gateway.adapters.memory import MemoryRows
from services.gateway.as_of.tables import FOLD, Tables
from services.gateway.readmodel import patches_of
from services.gateway.rows import Change
from tests.simulation.shop import SERVICES, now_or_never
from tests.simulation.test_random_histories import History
from tests.simulation.yard import DEPLOYMENTS, NAMES, Ledger, Yard

ASKED, LOOKS = 120, 40
"""So many of a history's answers are asked for again, and its rows as of so many positions."""


def asked(yard: Yard, turn: int) -> list[Wish]:
    """What somebody may look at now: every target, and of versions and rollouts another one each time."""
    wishes: list[Wish] = [ExplainTarget(**one._asdict()) for one in yard.all_targets()]
    wishes += [EvaluateTarget(**one._asdict()) for one in yard.all_targets()[:1]]
    if versions := sorted(yard.ledger.versions):
        version = versions[turn % len(versions)]
        stage = sorted(yard.stages.values())[turn % len(yard.stages)]
        wishes += [
            ExplainVersion(version_id=version),
            ExplainRollout(version_id=version, environment_id=stage),
        ]
        if turn % 16 == 0:  # a forecast runs everything that is to come
            wishes.append(ForecastRollout(version_id=version, environment_id=stage))
    preview = ResourceInput(identifier="new", name="new", kind="Cluster", version="v1", metadata={"env": "staging"})
    return [*wishes, FreezeEffect(), PreviewResource(resource=preview)]


def live(yard: Yard, wish: Wish) -> Answer:
    """What is answered now."""
    try:
        result = yard.ask(wish)
    except Refused as refused:
        return Answer(position=len(yard.log), refusal=refused.refusal)
    return Answer(position=len(yard.log), result=result.model_dump(mode="json") if hasattr(result, "model_dump") else result)


class Account(Ledger):
    """The yard's bookkeeping without its judgement, which knows nothing of what people choose by hand."""

    def _one(self, one: Recorded, stage_of: dict[str, str]) -> None:
        match one.fact:
            case JobCreated() as fact:
                self.jobs.setdefault(Target(fact.resource_id, fact.environment_id, fact.deployment_id), []).append(fact)
                self.status[fact.job_id] = fact.status
            case JobStatusChanged() as fact:
                self.status[fact.job_id] = fact.status
            case RollbackStarted() | MarkLifted():
                pass
            case _:
                super()._one(one, stage_of)


class LookingBack(History):
    """A history that is written down as it is read, and read again in the end.

    Attributes:
        told: what was asked, when, and what the answer was.
        rows: the read tables at each position.
    """

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[Wish, AsOf, Answer]] = []
        self.tables = MemoryRows()
        self.rows: list[Tables] = [Tables()]
        self.freezes: list[str] = []

    @precondition(lambda self: hasattr(self, "yard"))
    @invariant()
    def is_written_down(self) -> None:
        yard = self.yard
        if not isinstance(yard.ledger, Account):
            yard.ledger = Account()
            yard.take()
        for one in yard.log[len(self.rows) - 1 :]:
            changes = [Change(one.position, patch) for patch in patches_of(one)]
            assert now_or_never(self.tables.apply(WORKSPACE, one.position - 1, one.position, changes))
            self.rows.append(now_or_never(self.tables.held(WORKSPACE)))
        then = AsOf(position=len(yard.log), time=yard.now)
        self.told += [(wish, then, live(yard, wish)) for wish in asked(yard, len(self.told))]

    @rule(seed=st.integers(0, 999))
    def a_busy_hour(self, seed: int) -> None:
        """Versions go out while people do what they do, each thing followed by a look at everything."""
        chance, yard = Random(seed), self.yard
        for _ in range(6):
            self.posted += 1
            name = chance.choice(DEPLOYMENTS)
            yard.deployment(name)  # it may have been deleted
            self._perhaps(lambda name=name: yard.link_deployment(name))
            version = yard.post(name, f"v{self.posted}")
            act = chance.choice([self.approve_all, self.a_choice, self.a_freeze, self.a_thaw, self.a_failure, self.wait_long])
            self._perhaps(lambda act=act, version=version: act(version, chance) if act.__code__.co_argcount > 1 else act())
            self.is_written_down()
            yard.advance(chance.choice([0, 3, 7, 60, 600]))
            self.is_written_down()

    def a_choice(self, version: str, chance: Random) -> None:
        """Somebody wants something else on a target, or on all of a rollout."""
        targets = self.yard.all_targets()
        if not targets:
            return
        target = chance.choice(targets)
        kind: Any = chance.choice([Redeploy, RollBack, ReleasePin, PinVersion, LiftMark])
        one: dict[str, Any] = {"resource_id": target.resource_id} if chance.random() < 0.5 else {}
        named: dict[str, Any] = {"version_id": version} if kind in (PinVersion, LiftMark) else {}
        place = {"environment_id": target.environment_id, "deployment_id": target.deployment_id}
        self.yard.do(kind(**place, **one, **named))

    def a_freeze(self, version: str, chance: Random) -> None:
        """Nothing goes for an hour, or a quarter of each."""
        often: dict[str, Any] = (
            {"rrule": "FREQ=HOURLY", "duration_minutes": 15, "timezone": "UTC"} if chance.random() < 0.5 else {}
        )
        ends_at: dict[str, Any] = {} if often else {"ends_at": self.yard.now + timedelta(hours=1)}
        made = self.yard.do(SaveFreeze(scope="workspace", reason="a sale", **often, **ends_at))
        self.freezes.append(made["id"])

    def a_thaw(self, version: str, chance: Random) -> None:
        if self.freezes:
            self.yard.do(ThawFreeze(freeze_id=self.freezes.pop()))

    def a_failure(self, version: str, chance: Random) -> None:
        """The newest version is unhealthy on one resource, or its jobs fail."""
        tag = self.yard.ledger.versions[version].tag
        if chance.random() < 0.5:
            self.yard.failing.add(tag)
        else:
            self.yard.sick.add((tag, chance.choice(NAMES)))

    def teardown(self) -> None:
        if hasattr(self, "yard"):
            self.a_busy_hour(len(self.yard.log))
        # Batches as small as the history, so that it has many; and what is stored is read however near it is.
        with pytest.MonkeyPatch.context() as patched:
            for name, value in (("BATCH", 20), ("WAYPOINT", 60), ("NEAR", 0)):
                patched.setattr(as_of, name, value)
            if hasattr(self, "yard"):
                asyncio.run(self.look_back(Random(len(self.yard.log))))

    async def look_back(self, chance: Random) -> None:
        """Ask again, in any order."""
        log = MemoryLog()
        workspace = log.workspace(WORKSPACE)
        for one in self.yard.log:
            log.put(workspace, one)
        pasts = {service.name: Past(service, log, lambda workspace_id: None, Answering(service)) for service in SERVICES}
        for service in SERVICES:
            for position in chance.sample(range(len(self.rows)), min(3, len(self.rows))):
                await snapshots.save(log, service, WORKSPACE, position, refold(service, self.yard.log[:position]))
        for wish, then, answer in chance.sample(self.told, min(ASKED, len(self.told))):
            request = Request(id=str(uuid4()), workspace_id=WORKSPACE, auth_id="user:bo", as_of=then)
            assert await pasts[wish.SERVICE].answer(wish, request, then, 60) == answer, f"{wish!r} as of {then}"
        fold = FoldAt(log, FOLD, kept=3, store_every=50)
        for position in (*chance.sample(range(len(self.rows)), min(LOOKS, len(self.rows))), len(self.rows) - 1):
            assert (await fold.at(WORKSPACE, position)).dump() == self.rows[position].dump(), f"rows as of {position}"
        await asyncio.gather(fold.stop(), *(past.stop() for past in pasts.values()))


TestLookingBack = LookingBack.TestCase
TestLookingBack.settings = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    database=None,
)
