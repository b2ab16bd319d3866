"""Whatever people, agents and monitoring do: what was marked bad stays away until a person wants it, and what returns is the last good."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contracts.command import Refused
from contracts.commands.planner import (
    LiftMark,
    Redeploy,
    RollBack,
    RollBackEnvironment,
    SaveDeploymentVariable,
    SaveDeploymentVariableValue,
)
from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated
from contracts.facts.planner import RedeployRequested, ReleasesCreated, RollbackStarted, TargetsChanged
from contracts.shapes import ACTIVE, Retry, Rollback, Target, Verification
from libs.runtime.ids import derived
from libs.simulation.world import WORKSPACE
from services.planner.history import GOOD_RUNS
from tests.simulation.shop import SERVICES
from tests.simulation.yard import Ledger, Yard, metric

RETURNS = Rollback(on_job_statuses=("failure", "cancelled"), on_verification_failure=True)
NAMES = ("r1", "r2")
X = derived(WORKSPACE, "x")
some_pick = st.integers(0, 7)


class Judge(Ledger):
    """The yard's bookkeeping, and a plain account of marks and ways back beside it.

    Attributes:
        desired: the release that each target is to have, and whether it went back to it.
        left: versions that left a target by themselves, since a person last wanted them there.
        because: the jobs because of which a target went back.
    """

    def __init__(self) -> None:
        super().__init__()
        self.desired: dict[Target, tuple[str, bool]] = {}
        self.left: set[tuple[Target, str]] = set()
        self.because: set[str] = set()

    def _one(self, one: Recorded, stage_of: dict[str, str]) -> None:
        match one.fact:
            case ReleasesCreated() as fact:
                for item in fact.items:
                    self.desired[Target(item.resource_id, fact.environment_id, fact.deployment_id)] = (item.release_id, False)
            case TargetsChanged() as fact:
                for gone in fact.removed:
                    self.desired.pop(Target(gone, fact.environment_id, fact.deployment_id), None)
            case RedeployRequested() as fact:
                for again in fact.items:
                    target = Target(again.resource_id, fact.environment_id, fact.deployment_id)
                    self.bad.get(target, set()).discard(again.version_id)
            case JobCreated() as fact:
                target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
                assert fact.version_id not in self.bad.get(target, ()), f"it was marked bad: {fact}"
            case _:
                pass
        super()._one(one, stage_of)
        self.left = {(target, version) for target, version in self.left if version in self.bad.get(target, ())}

    def _rolled_back(self, fact: RollbackStarted) -> None:
        target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
        bad = self.bad.setdefault(target, set())
        jobs = self.jobs.get(target, [])
        leaving = self.desired.get(target, ("", False))
        if fact.job_id:
            assert fact.job_id not in self.because, f"twice because of one job: {fact}"
            assert (target, fact.version_id) not in self.left, f"twice from one version: {fact}"
            assert not any(job.rollback for job in jobs if job.job_id == fact.job_id), f"from a rollback: {fact}"
            self.because.add(fact.job_id)
            leaving = next(job.release_id for job in jobs if job.job_id == fact.job_id), False
        if fact.version_id != fact.to_version_id:
            bad.update((fact.version_id, *fact.also_marked))
            if fact.job_id:
                self.left.add((target, fact.version_id))
        if fact.release_id is None:
            there = fact.resource_id in self.targets.get((fact.deployment_id, fact.environment_id), ())
            moved_on = bool(jobs) and jobs[-1].version_id != fact.version_id
            assert not there or moved_on or self._last_good(jobs, leaving, bad) is None, f"it had a way back: {fact}"
            return
        if len({job.release_id for job in jobs if self.passed(job)}) <= GOOD_RUNS:
            good = self._last_good(jobs, leaving, bad)
            assert fact.release_id == good, f"not the last good release {good}: {fact}"
        self.desired[target] = fact.release_id, True

    def _last_good(self, jobs: list[JobCreated], leaving: tuple[str, bool], bad: set[str]) -> str | None:
        """The newest release that is good, of those before what is left where that was gone back to itself."""
        release_id, went_back = leaving
        first = [n for n, job in enumerate(jobs) if job.release_id == release_id and not job.rollback]
        if went_back and first:
            jobs = jobs[: first[-1]]
        judged = {release_id}
        for job in reversed(jobs):
            failed = self.status[job.job_id] not in (*ACTIVE, "successful") or "failed" in self.checks.get(job.job_id, [])
            if job.release_id in judged or not (failed or self.passed(job)):
                continue
            judged.add(job.release_id)
            if not failed and job.version_id not in bad and self.versions[job.version_id].status != "rejected":
                return job.release_id
        return None


class RollbackYard(Yard):
    """A yard with one deployment that declares a variable, judged by `Judge`."""

    def __init__(self, *, seed: int | None) -> None:
        super().__init__(seed=seed)
        self.ledger = Judge()
        self.take()
        self.do(SaveDeploymentVariable(variable_id=X, deployment_id=self.deployments["api"], key="x"))

    def variable(self, value: int) -> None:
        self.do(SaveDeploymentVariableValue(value_id=derived(WORKSPACE, "value"), variable_id=X, value=value, priority=0))


class RollbackHistory(RuleBasedStateMachine):
    """Versions that are bad here and there, and people who send targets back and lift marks."""

    @initialize(seed=st.none() | st.integers(0, 99), verified=st.booleans(), retried=st.booleans())
    def begin(self, seed: int | None, verified: bool, retried: bool) -> None:
        self.yard = RollbackYard(seed=seed)
        self.posted = 0
        more = (Verification(metrics=(metric(),)),) if verified else ()
        again = (Retry(max_retries=1, backoff_seconds=5),) if retried else ()
        self.yard.policy("returns", RETURNS, *more, *again)
        self.post()

    @rule()
    def post(self) -> None:
        self.posted += 1
        self.yard.post("api", f"v{self.posted}")
        self.yard.advance(20)

    @rule(pick=some_pick)
    def jobs_fail(self, pick: int) -> None:
        tag = self._tag(pick)
        (self.yard.failing.discard if tag in self.yard.failing else self.yard.failing.add)(tag)

    @rule(pick=some_pick, name=st.sampled_from(NAMES))
    def fall_sick(self, pick: int, name: str) -> None:
        one = (self._tag(pick), name)
        (self.yard.sick.discard if one in self.yard.sick else self.yard.sick.add)(one)

    @rule(value=st.integers(0, 2))
    def change_variable(self, value: int) -> None:
        self.yard.variable(value)

    @rule(pick=some_pick, status=st.sampled_from(["rejected", "ready", "ready"]))
    def set_version(self, pick: int, status: Any) -> None:
        self._perhaps(lambda: self.yard.set_version(self._version(pick), status))

    @rule(pick=some_pick, status=st.sampled_from(["successful", "failure", "cancelled"]))
    def set_job(self, pick: int, status: Any) -> None:
        jobs = self.yard.facts(JobCreated)
        self._perhaps(lambda: self.yard.set_job(jobs[-1 - pick % len(jobs)].job_id, status))

    @rule(stage=st.sampled_from(["staging", "production"]))
    def roll_back(self, stage: str) -> None:
        self._perhaps(lambda: self.yard.do(RollBack(**self._pair(stage))))

    @rule(stage=st.sampled_from(["staging", "production"]), pick=some_pick)
    def roll_a_rollout_back(self, stage: str, pick: int) -> None:
        self._perhaps(lambda: self.yard.do(RollBack(**self._pair(stage), from_version_id=self._version(pick))))

    @rule()
    def roll_back_production(self) -> None:
        self._perhaps(lambda: self.yard.do(RollBackEnvironment(environment_id=self.yard.stages["production"])))

    @rule(stage=st.sampled_from(["staging", "production"]), pick=some_pick)
    def lift(self, stage: str, pick: int) -> None:
        self._perhaps(lambda: self.yard.do(LiftMark(**self._pair(stage), version_id=self._version(pick))))

    @rule(stage=st.sampled_from(["staging", "production"]))
    def redeploy(self, stage: str) -> None:
        self._perhaps(lambda: self.yard.do(Redeploy(**self._pair(stage))))

    @rule(there=st.booleans())
    def vanish_or_return(self, there: bool) -> None:
        self.yard.environment("production", None if there else "false")

    @rule(seconds=st.sampled_from([1, 3, 10, 60]))
    def wait(self, seconds: float) -> None:
        self.yard.advance(seconds)

    @rule(service=st.sampled_from([one.name for one in SERVICES]))
    def restart(self, service: str) -> None:
        self.yard.restart(service)

    @precondition(lambda self: hasattr(self, "yard"))
    @invariant()
    def holds(self) -> None:
        self.yard.check()

    def teardown(self) -> None:
        """What is remembered and was decided follows from the log; a good version reaches every target in the end."""
        if not hasattr(self, "yard"):
            return
        self.yard.environment("production")
        self.yard.advance(60)
        self.yard.post("api", "last")
        self.yard.advance(120)
        assert {tag for stage in ("staging", "production") for tag in self.yard.runs("api", stage).values()} == {"last"}
        self.yard.check_memory()
        self.yard.check_decisions()

    # --- parts -----------------------------------------------------------------------------------------------------------------

    def _pair(self, stage: str) -> dict[str, str]:
        return {"deployment_id": self.yard.deployments["api"], "environment_id": self.yard.stages[stage]}

    def _perhaps(self, act: Any) -> None:
        """Do something that the state may forbid; a refusal records nothing."""
        before = len(self.yard.log)
        try:
            act()
        except Refused:
            assert len(self.yard.log) == before
        self.yard.run()

    def _version(self, pick: int) -> str:
        """Newest first."""
        versions = self.yard.ledger.versions
        known = sorted(versions, key=lambda one: (versions[one].created_at, one), reverse=True)
        return known[pick % len(known)]

    def _tag(self, pick: int) -> str:
        return self.yard.ledger.versions[self._version(pick)].tag


LONG = int(os.environ.get("SIGNALBOX_HISTORIES", "0"))
"""So many histories of a longer, random kind: `SIGNALBOX_HISTORIES=1000 pytest -x tests/simulation/test_rollback_histories.py`."""

TestRollbackHistory = RollbackHistory.TestCase
TestRollbackHistory.settings = settings(
    max_examples=LONG or 25,
    stateful_step_count=40 if LONG else 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=not LONG,
    database=None,
)
