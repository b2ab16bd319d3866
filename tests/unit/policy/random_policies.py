"""Rules of every kind, policies of them, freezes, and the steps of histories, at random over the small estate of `random_estate`."""

from __future__ import annotations

from hypothesis import strategies as st

from contracts.commands.policy.freezes import SaveFreeze
from contracts.commands.policy.policies import RuleInput
from contracts.shapes import (
    AnyApproval,
    ApprovalGroup,
    DeploymentDependency,
    DeploymentWindow,
    GradualRollout,
    Retry,
    VersionCooldown,
    VersionSelector,
    Wave,
)
from tests.unit.policy.policy_scenes import linear, normalized, progression, rollback, verification
from tests.unit.policy.random_estate import API, SELECTORS, Estate, PolicyPlan, Step

approvals = st.builds(
    lambda needed, who, group, expires, blocks, author: RuleInput(
        any_approval=AnyApproval(
            min_approvals=needed, approver_selector=who, groups=group, expires_after_minutes=expires, rejection_blocks=blocks,
            author_may_approve=author,
        )
    ),
    st.integers(0, 2),
    st.sampled_from([None, None, '"admin" in user.roles']),
    st.sampled_from([(), (), (ApprovalGroup(selector='"member" in user.roles', min_approvals=1),)]),
    st.sampled_from([None, None, 7, 30]),
    st.sampled_from([None, True]),
    st.sampled_from([None, False]),
)  # fmt: skip
progressions = st.builds(
    progression,
    percent=st.sampled_from([None, 50, 100]),
    statuses=st.sampled_from([None, None, ("successful", "failure")]),
    soak=st.sampled_from([None, None, 1, 9]),
    age=st.sampled_from([None, None, 1]),
    verified=st.booleans(),
)
in_time = st.one_of(st.builds(linear, st.sampled_from([0, 30, 600])), st.builds(normalized, st.sampled_from([0, 100, 7200])))
some_waves = st.lists(
    st.sampled_from(
        [
            Wave(percentage=25, success_percentage=50),
            Wave(percentage=33.3, soak_minutes=10),
            Wave(selector='resource.metadata.ring == "0"', soak_minutes=3),
            Wave(selector='resource.name == "r1"'),
            Wave(selector="resource.metadata.ring > 3"),
        ]
    ),
    min_size=1,
    max_size=3,
)
waves = st.builds(
    lambda seconds, bodies: RuleInput(
        gradual_rollout=GradualRollout(rollout_type="waves", time_scale_interval=seconds, waves=tuple(bodies))
    ),
    st.sampled_from([0, 60]),
    some_waves,
)
windows = st.builds(
    lambda rrule, minutes, allows, zone: RuleInput(
        deployment_window=DeploymentWindow(rrule=rrule, duration_minutes=minutes, allow_window=allows, timezone=zone)
    ),
    st.sampled_from(
        [
            "FREQ=DAILY;BYHOUR=0;BYMINUTE=20",
            "FREQ=DAILY;BYHOUR=0,1,13;BYMINUTE=5",
            "FREQ=WEEKLY;BYDAY=TH,MO;BYHOUR=0",
            "DTSTART:20260101T001000Z\nRRULE:FREQ=DAILY;COUNT=2",
        ]
    ),
    st.sampled_from([15, 90]),
    st.booleans(),
    st.sampled_from([None, "Europe/Berlin"]),
)
cooldowns = st.builds(
    lambda seconds: RuleInput(version_cooldown=VersionCooldown(interval_seconds=seconds)), st.sampled_from([0, 45, 1800])
)
selectors = st.builds(
    lambda text: RuleInput(version_selector=VersionSelector(selector=text)),
    st.sampled_from(
        [
            "true",
            'version.tag != "v1"',
            'version.tag == "v0" || resource.metadata.ring == "1"',
            'environment.name == "staging" || version.config == {}',
            "resource.metadata.ring > 3",
        ]
    ),
)
dependencies = st.builds(
    lambda text: RuleInput(deployment_dependency=DeploymentDependency(depends_on=text)),
    st.sampled_from(['deployment.name == "db"', 'deployment.name == "db" && version.tag == "good"', "deployment.name > 3"]),
)
retries = st.builds(
    lambda most, seconds, how: RuleInput(retry=Retry(max_retries=most, backoff_seconds=seconds, backoff_strategy=how)),
    st.integers(0, 2),
    st.sampled_from([None, 40]),
    st.sampled_from([None, "exponential"]),
)
rollbacks = st.builds(lambda failed: rollback("failure", verification_failure=failed), st.booleans())
watched = st.builds(verification, st.sampled_from(["m", "n"]))

holding = st.one_of(approvals, progressions, in_time, waves, windows, cooldowns, selectors, dependencies)
"""Rules that say whether a version may go."""
rules = st.one_of(holding, holding, holding, retries, rollbacks, watched)


_plans = st.builds(PolicyPlan, st.sampled_from(SELECTORS), st.lists(rules, min_size=1, max_size=3).map(tuple))
policies = st.lists(_plans, max_size=2)
KINDS: dict[str, st.SearchStrategy[RuleInput]] = {
    "approval": approvals,
    "progression": progressions,
    "rollout": in_time,
    "waves": waves,
    "window": windows,
    "cooldown": cooldowns,
    "selector": selectors,
    "dependency": dependencies,
    "retry": retries,
    "rollback": rollbacks,
    "verification": watched,
}


def governed_by(kind: str) -> st.SearchStrategy[list[PolicyPlan]]:
    """Policies of which the first one governs production by a rule of this kind, and whatever other rules there are."""
    first = st.tuples(KINDS[kind], st.lists(rules, max_size=2)).map(lambda one: PolicyPlan(SELECTORS[1], (one[0], *one[1])))
    return st.tuples(first, policies).map(lambda one: [one[0], *one[1]])


freezes = st.builds(
    lambda scope, selector, recurring: SaveFreeze(
        scope=scope, selector=selector, rrule=recurring, duration_minutes=10 if recurring else None
    ),
    st.sampled_from(["workspace", "workspace", "deployment", "environment"]),
    st.sampled_from([None, None, 'resource.metadata.ring == "0"', API, "resource.metadata.ring > 3"]),
    st.sampled_from([None, None, None, "FREQ=DAILY;BYHOUR=0;BYMINUTE=30"]),
)
"""Freezes without their times and their reason."""


def _act(method: str, *arguments: st.SearchStrategy[object], **named: st.SearchStrategy[object]) -> st.SearchStrategy[Step]:
    """Steps that call a method of the estate."""

    def step(given: tuple[tuple[object, ...], dict[str, object]]) -> Step:
        positional, by_name = given

        def act(estate: Estate) -> None:
            getattr(estate, method)(*positional, **by_name)

        act.__name__ = f"{method}{positional}{by_name or ''}"
        return act

    return st.tuples(st.tuples(*arguments), st.fixed_dictionaries(named)).map(step)


def wait(seconds: float) -> Step:
    """Time goes by."""

    def act(estate: Estate) -> None:
        estate.scene.advance(seconds=seconds)

    act.__name__ = f"wait({seconds})"
    return act


_few, _target, _back = st.integers(0, 7), st.integers(0, 3), st.integers(0, 1)
waits = st.sampled_from([1, 30, 61, 420, 1801, 4000]).map(wait)
steps = st.one_of(
    _act("post", needs_db=st.booleans(), status=st.sampled_from(["ready", "ready", "ready", "building"])),
    _act("dispatch", _few),
    _act("dispatch", _few),
    _act("end", _few, st.sampled_from([True, True, True, False])),
    _act("end", _few, st.sampled_from([True, True, True, False])),
    _act("settle"),
    _act(
        "decide",
        st.sampled_from(["ana", "bo", "cy"]),
        st.sampled_from(["approved", "approved", "approved", "rejected", "withdrawn"]),
        _back,
        st.sampled_from(["production", "staging"]),
    ),
    waits,
    waits,
    _act("skip", _few, _back, st.sampled_from([None, 1, 20]), st.sampled_from([None, None, 0, 1])),
    _act("unskip", _few),
    _act("freeze", freezes, st.sampled_from([0, 0, 5]), st.sampled_from([None, 3, 20])),
    _act("thaw", _few),
    _act("override", _few, st.sampled_from([1, 10])),
    _act("turn_status", _back),
    _act("configure"),
    _act("upstream", _target, st.sampled_from(["good", "bad"])),
    _act("come_and_go", _target),
    _act("turn_pin", _target, _back),
)
_starts: tuple[tuple[Step, ...], ...] = (
    (),
    (Estate.settle,),
    (Estate.settle, wait(30), Estate.post),
    (Estate.settle, Estate.post, wait(61), Estate.settle),
    (Estate.agree, Estate.settle, wait(30), Estate.post, Estate.agree),
    (lambda estate: estate.dispatch(0), lambda estate: estate.dispatch(0), lambda estate: estate.end(0, False)),
    (Estate.agree, lambda estate: estate.dispatch(0), lambda estate: estate.dispatch(0), lambda estate: estate.dispatch(0)),
)
histories = st.builds(lambda start, then: [*start, *then], st.sampled_from(_starts), st.lists(steps, max_size=10))
"""Steps in any order, after a start that brings a rollout some way."""
