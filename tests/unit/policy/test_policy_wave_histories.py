"""Approvals and waves over histories that nobody thought of: what must hold whatever happened."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.policy.approvals import RecordApproval
from contracts.commands.policy.policies import RuleInput
from contracts.facts.planner import VersionUpdated
from contracts.shapes import AnyApproval, ApprovalGroup, GradualRollout, Wave
from libs.runtime import codec
from libs.simulation.world import refold
from services.policy.app import service
from services.policy.evaluation import Findings, walk
from services.policy.gate import Judge
from services.policy.state import Pair, State, pair_key
from tests.unit.policy.policy_scenes import Scene, approval, linear, uid

PEOPLE = ("ana", "bo", "cy")
ROLES = {"ana": ("admin", "member"), "bo": ("member",), "cy": ("member",)}
TARGETS = 5

_approvals = st.fixed_dictionaries(
    {
        "min_approvals": st.integers(0, 2),
        "approver_selector": st.sampled_from([None, '"admin" in user.roles', 'user.name == "bo"']),
        "groups": st.sampled_from([(), (ApprovalGroup(selector='"member" in user.roles', min_approvals=2),)]),
        "expires_after_minutes": st.sampled_from([None, 7, 30]),
        "rejection_blocks": st.sampled_from([None, True]),
    }
).map(lambda fields: RuleInput(any_approval=AnyApproval.model_validate(fields)))
_wave = st.sampled_from(
    [
        Wave(percentage=20, success_percentage=50),
        Wave(percentage=33.3, soak_minutes=10),
        Wave(selector='resource.metadata.ring == "0"', soak_minutes=5),
        Wave(selector='resource.name == "r1"'),
        Wave(selector="resource.metadata.ring > 3"),
    ]
)
_waves = st.tuples(st.sampled_from([0, 60]), st.lists(_wave, min_size=1, max_size=3)).map(
    lambda one: RuleInput(gradual_rollout=GradualRollout(rollout_type="waves", time_scale_interval=one[0], waves=tuple(one[1])))
)
_rules = st.lists(st.one_of(_approvals, _waves, st.just(approval()), st.just(linear(60))), min_size=1, max_size=3)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), st.sampled_from(PEOPLE), st.sampled_from(["approved", "approved", "rejected", "withdrawn"])),
        st.tuples(st.just("job"), st.integers(0, TARGETS - 1), st.sampled_from(["successful", "successful", "failure", "inProgress"])),
        st.tuples(st.just("pass"), st.sampled_from([1, 5, 7, 31]), st.just("")),
        st.tuples(st.just("change"), st.sampled_from(["config", "message"]), st.just("")),
        st.tuples(st.just("resource"), st.integers(0, TARGETS - 1), st.sampled_from(["0", "1"])),
    ),
    max_size=12,
)  # fmt: skip


class History:
    """A scene that lived through some steps: `clearances` are acted on only by the step that names the target."""

    def __init__(self, rules: list[RuleInput], steps: list[tuple[Any, ...]]) -> None:
        self.scene = scene = Scene()
        self.targets = [scene.resource(f"r{n}", ring=str(n % 3)) for n in range(TARGETS)]
        scene.appear(*self.targets)
        scene.production_policy(*rules)
        scene.advance(seconds=1)
        self.version = scene.version("v1")
        for step in steps:
            self._step(*step)

    def _step(self, what: str, which: Any, how: str) -> None:
        scene = self.scene
        if what == "decide":
            scene.world.do(
                RecordApproval.model_validate(
                    {
                        "version_id": self.version, "environment_ids": (scene.production,), "user_id": which, "user_name": which,
                        "roles": ROLES[which], "status": how,
                    }
                )
            )  # fmt: skip
        elif what == "job" and self.targets[which] in scene.open(self.version):
            scene.deploy(self.version, self.targets[which], status=how)  # type: ignore[arg-type]
        elif what == "pass":
            scene.advance(minutes=which)
        elif what == "change":
            known = scene.state.versions[self.version]
            scene.record(
                VersionUpdated(
                    version_id=self.version, deployment_id=scene.deployment, tag="v1", name="v1", created_at=known.created_at,
                    config={"n": len(scene.world.log)} if which == "config" else known.config,
                    message=f"at {len(scene.world.log)}",
                )
            )  # fmt: skip
        elif what == "resource":
            scene.resource(f"r{which}", id_=self.targets[which], ring=how)

    @property
    def state(self) -> State:
        return self.scene.state

    @property
    def pair(self) -> Pair:
        return self.state.pairs[pair_key(self.scene.deployment, self.scene.production)]

    def findings(self, at: datetime, without: frozenset[str] = frozenset()) -> dict[str, Findings]:
        """What every rule says about each target that has not gone yet, at an instant."""
        found = walk(Judge(self.state, at, without=without), self.pair).findings.get(self.version, {})
        return {one: findings for one, findings in found.items() if findings}


@settings(max_examples=60, deadline=None)
@given(_rules, _steps)
def test_adding_a_rule_never_clears_more(rules: list[RuleInput], steps: list[tuple[Any, ...]]) -> None:
    history = History(rules, steps)
    now = history.scene.world.now
    (policy,) = history.state.policies.values()
    allowed = {one for one, findings in history.findings(now).items() if all(finding.allows for _, finding in findings)}
    for rule in policy.saved.rules:
        fewer = history.findings(now, without=frozenset({rule.id}))
        # Where no other rule is left, nothing is said, which allows.
        held = {one for one, findings in fewer.items() if not all(finding.allows for _, finding in findings)}
        assert not allowed & held, f"without {rule} these go no more"


@settings(max_examples=60, deadline=None)
@given(_rules, _steps, st.integers(0, 3600))
def test_time_alone_changes_a_verdict_only_at_an_announced_instant(
    rules: list[RuleInput], steps: list[tuple[Any, ...]], seconds: int
) -> None:
    history = History(rules, steps)
    now = history.scene.world.now
    then = now + timedelta(seconds=seconds)
    before, after = history.findings(now), history.findings(then)
    assert before.keys() == after.keys()
    for one, findings in before.items():
        # A rollout starts with the approvals, so that their instants are its own.
        announced = {finding.look_again_at for _, finding in findings} - {None}
        for (key, was), (_, will) in zip(findings, after[one], strict=True):
            if was.verdict != will.verdict:
                assert any(now < at <= then for at in announced if at is not None), f"{key}: {was} became {will}"


@settings(max_examples=60, deadline=None)
@given(_rules, _steps)
def test_what_is_recorded_is_what_the_rules_say_now(rules: list[RuleInput], steps: list[tuple[Any, ...]]) -> None:
    """Nothing that matters to a rule goes unnoticed: whoever is cleared is let go, and nobody else."""
    history = History(rules, steps)
    allowed = {
        one
        for one, findings in history.findings(history.scene.world.now).items()
        if all(finding.allows for _, finding in findings)
    }
    gone = {one for one in history.targets if history.pair.jobs_of(one, history.version)}
    assert history.scene.open(history.version) - gone == allowed - gone


@settings(max_examples=15, deadline=None)
@given(_rules, _steps)
def test_state_survives_its_snapshot(rules: list[RuleInput], steps: list[tuple[Any, ...]]) -> None:
    history = History(rules, steps)
    again = refold(service, history.scene.world.log)
    assert again == history.state
    assert codec.decode(State, codec.encode(State, again)) == again
    assert uid("version v1") in again.versions
