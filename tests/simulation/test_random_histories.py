"""Whatever happens in a workspace, in any order: what must stay true stays true, and in the end everything converges."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contracts.command import Refused
from contracts.commands.planner import DeleteDeployment, DeleteEnvironment, UnlinkDeployment, UnlinkEnvironment
from contracts.facts.dispatcher import JobCreated
from contracts.shapes import ACTIVE, AnyApproval, EnvironmentProgression, GradualRollout, Rollback, Verification
from tests.simulation.shop import SERVICES
from tests.simulation.yard import DEPLOYMENTS, NAMES, STAGES, Yard, metric

some_stage, some_deployment, some_name = st.sampled_from(STAGES), st.sampled_from(DEPLOYMENTS), st.sampled_from(NAMES)
some_pick = st.integers(0, 7)


def made(kind: Callable[..., Any]) -> Callable[..., Any]:
    """A maker of shapes by field names: left to itself hypothesis would see the aliases, and fill in what it takes for missing."""
    return lambda **fields: kind(**fields)


approvals = st.builds(made(AnyApproval), min_approvals=st.integers(0, 2))
progressions = st.builds(
    made(EnvironmentProgression),
    depends_on_environment_selector=st.sampled_from(
        [f'environment.metadata["stage"] == "{one}"' for one in STAGES] + ['environment.name != "production"']
    ),
    minimum_success_percentage=st.sampled_from([None, 0.0, 50.0, 100.0]),
    minimum_soak_time_minutes=st.sampled_from([None, 0, 1]),
    maximum_age_hours=st.sampled_from([None, 0, 1]),
    require_verification_passed=st.booleans(),
)
rollouts = st.builds(
    made(GradualRollout),
    rollout_type=st.sampled_from(["linear", "linear-normalized"]),
    time_scale_interval=st.sampled_from([0, 7, 60]),
)
verifications = st.builds(
    made(Verification),
    trigger_on=st.sampled_from(["jobCreated", "jobStarted", "jobSuccess", "jobFailure"]),
    metrics=st.sampled_from([(metric(),), (metric("a"), metric("b", failure_threshold=1)), (metric("errors", count=1),)]),
)
rollbacks = st.builds(
    made(Rollback),
    on_job_statuses=st.sampled_from([(), ("failure",), ("failure", "cancelled")]),
    on_verification_failure=st.booleans(),
)
careful = st.tuples(approvals, progressions, rollouts)
watched = st.tuples(verifications, rollbacks)
bodies = careful | watched | st.lists(approvals | progressions | rollouts | verifications | rollbacks, max_size=3).map(tuple)


class History(RuleBasedStateMachine):
    """One workspace and everything that people, CI, agents and monitoring do to it."""

    @initialize(seed=st.none() | st.integers(0, 99), careful=careful, watched=watched, kind=st.sampled_from(["test-runner"]))
    def begin(self, seed: int | None, careful: Any, watched: Any, kind: str) -> None:
        self.yard = Yard(seed=seed, kind=kind)
        self.posted = 0
        self.yard.policy("watched", *watched)
        self.yard.policy("careful", *careful, stage="production")

    # --- what exists -----------------------------------------------------------------------------------------------------------

    @rule(name=some_name, stage=some_stage)
    def place(self, name: str, stage: str) -> None:
        self.yard.place(name, stage)

    @rule(name=some_name)
    def remove(self, name: str) -> None:
        self._perhaps(lambda: self.yard.remove(name))

    @rule(stage=some_stage, selector=st.sampled_from([None, "true", "false", 'resource.name in ["r1", "r2"]']))
    def select(self, stage: str, selector: str | None) -> None:
        self.yard.environment(stage, selector)

    @rule(name=some_deployment, selector=st.sampled_from(["true", "false", 'resource.name != "r2"']))
    def narrow(self, name: str, selector: str) -> None:
        self.yard.deployment(name, selector)

    @rule(name=some_deployment)
    def unlink(self, name: str) -> None:
        self._perhaps(
            lambda: self.yard.do(UnlinkDeployment(system_id=self.yard.system, deployment_id=self.yard.deployments[name]))
        )

    @rule(name=some_deployment, stage=some_stage)
    def link(self, name: str, stage: str) -> None:
        self._perhaps(lambda: self.yard.link_deployment(name))
        self._perhaps(lambda: self.yard.link_stage(stage))

    @rule(stage=some_stage)
    def unlink_stage(self, stage: str) -> None:
        self._perhaps(lambda: self.yard.do(UnlinkEnvironment(system_id=self.yard.system, environment_id=self.yard.stages[stage])))

    @rule(stage=some_stage)
    def delete_stage(self, stage: str) -> None:
        self._perhaps(lambda: self.yard.do(DeleteEnvironment(environment_id=self.yard.stages[stage])))

    @rule(name=some_deployment)
    def delete_deployment(self, name: str) -> None:
        self._perhaps(lambda: self.yard.do(DeleteDeployment(deployment_id=self.yard.deployments[name])))

    # --- versions and people ---------------------------------------------------------------------------------------------------

    @rule(name=some_deployment, several=st.sampled_from([1, 1, 1, 3]), later=st.sampled_from([0, 1]))
    def post(self, name: str, several: int, later: int) -> None:
        for _ in range(several):
            self.posted += 1
            self._perhaps(lambda: self.yard.post(name, f"v{self.posted}"))
        self.yard.advance(later)

    @rule(pick=some_pick, status=st.sampled_from(["rejected", "ready", "ready", "paused", "failed"]))
    def set_version(self, pick: int, status: Any) -> None:
        if version := self._version(pick):
            self._perhaps(lambda: self.yard.set_version(version, status))

    @rule(
        pick=some_pick,
        stage=some_stage,
        user=st.sampled_from(["ana", "bo"]),
        status=st.sampled_from(["approved"] * 3 + ["rejected"]),
    )
    def approve(self, pick: int, stage: str, user: str, status: str) -> None:
        if version := self._version(pick):
            self._perhaps(lambda: self.yard.approve(version, stage, user, status))

    @rule()
    def approve_all(self) -> None:
        for version in self._versions()[:4]:
            for stage in STAGES:
                for user in ("ana", "bo"):
                    self._perhaps(lambda version=version, stage=stage, user=user: self.yard.approve(version, stage, user))

    # --- policies --------------------------------------------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(["careful", "watched", "other"]),
        bodies=bodies,
        stage=st.none() | some_stage,
        enabled=st.sampled_from([True, True, True, False]),
    )
    def save_policy(self, name: str, bodies: Any, stage: str | None, enabled: bool) -> None:
        self.yard.policy(name, *bodies, stage=stage, enabled=enabled)

    @rule(pick=some_pick)
    def delete_policy(self, pick: int) -> None:
        if names := sorted(self.yard.policies):
            self.yard.no_policy(names[pick % len(names)])

    # --- the outside -----------------------------------------------------------------------------------------------------------

    @rule(pick=some_pick, name=some_name)
    def fall_sick(self, pick: int, name: str) -> None:
        if version := self._version(pick):
            tag = self.yard.ledger.versions[version].tag
            (self.yard.sick.discard if (tag, name) in self.yard.sick else self.yard.sick.add)((tag, name))

    @rule(pick=some_pick)
    def jobs_fail(self, pick: int) -> None:
        if version := self._version(pick):
            tag = self.yard.ledger.versions[version].tag
            (self.yard.failing.discard if tag in self.yard.failing else self.yard.failing.add)(tag)

    @rule(pick=some_pick)
    def mute(self, pick: int) -> None:
        if version := self._version(pick):
            tag = self.yard.ledger.versions[version].tag
            (self.yard.mute.discard if tag in self.yard.mute else self.yard.mute.add)(tag)

    @rule(lost=st.booleans())
    def lose_agents(self, lost: bool) -> None:
        self.yard.lost = lost

    @rule(there=st.booleans())
    def agents(self, there: bool) -> None:
        self._perhaps(self.yard.agent if there else self.yard.no_agent)

    @rule(pick=some_pick, status=st.sampled_from(["successful", "failure", "cancelled", "inProgress", "skipped"]))
    def set_job(self, pick: int, status: Any) -> None:
        jobs = self.yard.facts(JobCreated)
        if jobs:
            self._perhaps(lambda: self.yard.set_job(jobs[-1 - pick % len(jobs)].job_id, status))

    @rule(seconds=st.sampled_from([0.5, 2, 5, 10, 30, 120]))
    def wait(self, seconds: float) -> None:
        self.yard.advance(seconds)

    @rule()
    def wait_long(self) -> None:
        self.yard.advance(2 * 3600)

    @rule(service=st.sampled_from([one.name for one in SERVICES]))
    def restart(self, service: str) -> None:
        self.yard.restart(service)

    # --- what stays true -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: hasattr(self, "yard"))
    @invariant()
    def holds(self) -> None:
        self.yard.check()

    def teardown(self) -> None:
        """Everything is mended: in the end each target runs a version that is new and approved, whatever was before."""
        if not hasattr(self, "yard"):
            return
        yard = self.yard
        yard.check_memory()
        yard.lost = False
        yard.agent()
        for stage in STAGES:
            yard.environment(stage)
            yard.link_stage(stage)
        for name in DEPLOYMENTS:
            yard.deployment(name)
            yard.link_deployment(name)
        yard.policy(
            "careful",
            AnyApproval(min_approvals=1),
            EnvironmentProgression(
                depends_on_environment_selector='environment.metadata["stage"] == "staging"', require_verification_passed=True
            ),
            GradualRollout(rollout_type="linear", time_scale_interval=5),
            stage="production",
        )
        yard.policy("watched", Verification(metrics=(metric(),)), Rollback(on_verification_failure=True))
        if "other" in yard.policies:
            yard.no_policy("other")
        for job in yard.facts(JobCreated):
            if yard.ledger.status[job.job_id] in ACTIVE:
                yard.set_job(job.job_id, "successful")
        for name in DEPLOYMENTS:
            yard.advance(1)
            yard.approve(yard.post(name, f"last-{name}"), "production")
        yard.advance(600)
        for target in yard.all_targets():
            told = yard.explain(target)
            assert told.current is not None, told
            assert told.current.tag.startswith("last-"), told
        yard.check()
        yard.check_memory()
        yard.check_decisions()

    # --- parts -----------------------------------------------------------------------------------------------------------------

    def _perhaps(self, act: Any) -> None:
        """Do something that the state may forbid; a refusal records nothing."""
        before = len(self.yard.log)
        try:
            act()
        except Refused:
            assert len(self.yard.log) == before
        self.yard.run()

    def _versions(self) -> list[str]:
        """Newest first."""
        versions = self.yard.ledger.versions
        return sorted(versions, key=lambda one: (versions[one].created_at, one), reverse=True)

    def _version(self, pick: int) -> str | None:
        known = self._versions()
        return known[pick % len(known)] if known else None


LONG = int(os.environ.get("SIGNALBOX_HISTORIES", "0"))
"""So many histories of a longer, random kind: `SIGNALBOX_HISTORIES=1000 pytest -x tests/simulation/test_random_histories.py`."""

TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=LONG or 35,
    stateful_step_count=40 if LONG else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=not LONG,
    database=None,
)
