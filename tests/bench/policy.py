"""How long policy's decisions over many targets take, without servers: `python -m tests.bench.policy [N] [--only WORD]`.

Real folds and real decisions, from the fact or command until nothing more follows, ids and records of the decisions included. Each line is
the median of five trials on the same state, in seconds of the processor, which others who share the machine hardly move, and of the clock.
*Longest* is the longest single call, in processor time: for so long nothing else of the process has its turn.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from unittest.mock import patch

from contracts.commands.policy.approvals import RecordApproval
from contracts.commands.policy.explanations import ExplainRollout, ExplainTarget, ExplainVersion
from contracts.commands.policy.forecasts import ForecastRollout
from contracts.commands.policy.freezes import FreezeEffect, SaveFreeze, ThawFreeze
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.facts.planner import SystemSaved
from contracts.shapes import (
    AnyApproval,
    DeploymentWindow,
    EnvironmentProgression,
    GradualRollout,
    Rollback,
    VersionCooldown,
    VersionSelector,
)
from services.policy import selector as selectors
from services.policy.state import Pair, pair_key
from tests.bench.policy_world import TRIALS, Counted, Taken, Yard, estate, trials, uid
from tests.bench.running import machine

COLLECTOR = (100_000, 20, 20)
"""As the services set it (`services/__main__.py`)."""
PRODUCTION = 'environment.name == "production"'
GOLD = f'{PRODUCTION} && resource.metadata["tier"] == "gold"'
LONG = timedelta(hours=10)

APPROVAL = RuleInput(any_approval=AnyApproval(min_approvals=1))
PROGRESSION = RuleInput(
    environment_progression=EnvironmentProgression(depends_on_environment_selector='environment.name == "staging"')
)
WINDOW = RuleInput(deployment_window=DeploymentWindow(rrule="FREQ=DAILY;BYHOUR=0;BYMINUTE=0", duration_minutes=1_200))
SELECTOR = RuleInput(version_selector=VersionSelector(selector='version.metadata["channel"] == "stable"'))
SELECTOR_BY_RESOURCE = RuleInput(
    version_selector=VersionSelector(selector='version.metadata["channel"] == "stable" || resource.metadata["tier"] == "test"')
)
ROLLBACK = RuleInput(rollback=Rollback(on_job_statuses=("failure",), on_verification_failure=False))


def rollout(seconds: int) -> RuleInput:
    return RuleInput(gradual_rollout=GradualRollout(rollout_type="linear", time_scale_interval=seconds))


FIVE = (APPROVAL, PROGRESSION, rollout(1), WINDOW, SELECTOR)


def pair(yard: Yard, environment: str = "production") -> Pair:
    return yard.state.pairs[pair_key(uid("api"), uid(environment))]


def approve(yard: Yard, version_id: str, taken: Taken | None = None) -> None:
    """A person approves a version for production."""
    wish = RecordApproval(version_id=version_id, environment_ids=(uid("production"),), user_id="ana", status="approved")
    yard.do(wish, taken)


def cleared(count: int, yard: Yard) -> str:
    """How many targets hold a clearance; it must be so many."""
    found = len(pair(yard).open)
    assert found == count, f"{found:,} of {count:,} targets are cleared"
    return f"{found:,} cleared"


def held(count: int, yard: Yard) -> str:
    """How many targets of production are held; it must be so many."""
    found = {one for by_rule in pair(yard).held.values() for verdicts in by_rule.values() for one in verdicts}
    assert len(found) == count, f"{len(found):,} of {count:,} targets are held"
    return f"{len(found):,} held"


def new_version(count: int) -> None:
    """(a) One new version, held by five rules."""
    for what, selector, picks in (
        ("", PRODUCTION, SELECTOR),
        (", selectors of policy and version by resource", GOLD, SELECTOR_BY_RESOURCE),
    ):
        base, _ = estate(count)
        for n, rule in enumerate((APPROVAL, PROGRESSION, rollout(1), WINDOW, picks)):
            base.policy(f"policy {n}", selector, rule)

        def go(yard: Yard, taken: Taken, n: int) -> None:
            yard.version("api", f"v{n + 1}")
            yard.settle(taken)

        trials(f"one new version, five policies of one rule each{what}", base, go, partial(held, count))


def one_approval(count: int) -> None:
    """(b) One approval that lets all go, or starts a rollout."""
    for what, rules, going in (
        ("one approval that clears all, no rollout", (APPROVAL, PROGRESSION, WINDOW, SELECTOR), count),
        ("one approval that starts a rollout, by the clock", FIVE, 1),
        ("one approval that starts a rollout, one after the other", (*FIVE, ROLLBACK), 1),
    ):
        base, ids = estate(count)
        base.policy("five", PRODUCTION, *rules)
        one = base.version("api", "v1")
        base.deploy("api", "staging", one, ids[:1])
        base.settle()

        def go(yard: Yard, taken: Taken, n: int, one: str = one) -> None:
            approve(yard, one, taken)

        trials(what, base, go, partial(cleared, going))


def many_policies(count: int) -> None:
    """(c) A thousand policies of which three match."""
    for what, selector in (
        ("by environment", 'environment.name == "other {n}"'),
        ("by resource", 'resource.metadata["team"] == "squad {n}"'),
        ("by both", f'{PRODUCTION} && resource.metadata["team"] == "squad {{n}}"'),
        ("by prefix", 'resource.name.startsWith("squad-{n}-")'),
        ("by exclusion", f'{PRODUCTION} && resource.metadata["team"] != "t{{n}}" && resource.metadata["squad"] == "s"'),
    ):
        base, _ = estate(count)
        for n, rule in enumerate((APPROVAL, rollout(1), WINDOW)):
            base.policy(f"policy {n}", GOLD, rule)
        for n in range(997):
            wish = SavePolicy(name=f"other {n}", selector=selector.replace("{n}", str(n)), rules=(APPROVAL,))
            base.wish(wish)
        base.settle()
        asked = Counted(selectors._ask)

        def go(yard: Yard, taken: Taken, n: int, asked: Counted = asked) -> None:
            asked.calls = 0
            selectors._kept.clear()  # as after a policy was saved: nothing is known of who matches
            yard.version("api", f"v{n + 1}")
            yard.settle(taken)

        def check(yard: Yard, asked: Counted = asked) -> str:
            return f"{held(count, yard)}; selectors asked {asked.calls:,} times"

        with patch.object(selectors, "_ask", asked):
            trials(f"one new version, 1,000 policies {what} of which three match, all new", base, go, check)


def explanations(count: int) -> None:
    """(d) Why is it where it is?"""
    base, ids = estate(count)
    base.policy("five", PRODUCTION, *FIVE, ROLLBACK)
    one = base.version("api", "v1")
    base.deploy("api", "staging", one, ids[:1])
    base.settle()
    for when in ("before an approval", "in a rollout"):
        for what, wish in (
            ("a target", ExplainTarget(resource_id=ids[7], environment_id=uid("production"), deployment_id=uid("api"))),
            ("a rollout, its first page", ExplainRollout(version_id=one, environment_id=uid("production"))),
            ("a rollout, its last page", ExplainRollout(version_id=one, environment_id=uid("production"), offset=count - 50)),
            ("a version", ExplainVersion(version_id=one)),
        ):

            def go(yard: Yard, taken: Taken, n: int, wish: ExplainTarget | ExplainRollout | ExplainVersion = wish) -> None:
                yard.tell(SystemSaved(system_id=uid("other"), name=f"other {n}", created_at=yard.now))  # else it is remembered
                taken.time(partial(yard.ask, wish))

            trials(f"explanation of {what}, {when}", base, go)
        approve(base, one)


def forecasts(count: int) -> None:
    """(e) When will each target go?"""
    wish = ForecastRollout(version_id=uid("api v1"), environment_id=uid("production"))
    foreseen: list[int] = []

    def told(_: Yard) -> str:
        return f"{foreseen[-1]:,} foreseen"

    def go(yard: Yard, taken: Taken, n: int) -> None:
        answer = taken.time(partial(yard.ask, wish))
        foreseen.append(sum(one.at is not None for one in answer.targets))

    for what, rules in (("by the clock", (rollout(1),)), ("one after the other", (rollout(1), ROLLBACK))):
        base, _ = estate(count)
        base.policy("rollout", PRODUCTION, *rules)
        base.version("api", "v1")
        base.settle()
        trials(f"forecast of a rollout, {what}", base, go, told)
    for what, upstream, own in (
        ("both by the clock", (rollout(1),), (rollout(1),)),
        ("upstream one after the other", (rollout(1), ROLLBACK), (rollout(1),)),
        ("both one after the other", (rollout(1), ROLLBACK), (rollout(1), ROLLBACK)),
    ):
        base, _ = estate(count, in_staging=count)
        base.policy("upstream", 'environment.name == "staging"', *upstream)
        whole = EnvironmentProgression(
            depends_on_environment_selector='environment.name == "staging"', minimum_success_percentage=100.0
        )
        base.policy("own", PRODUCTION, RuleInput(environment_progression=whole), *own)
        base.version("api", "v1")
        base.settle()
        trials(f"forecast of a rollout behind one of as many targets, {what}", base, go, told)


def wake_ups(count: int) -> None:
    """(f) Thousands of instants that come at once, and one after the other."""
    for what, rules, later in (
        (
            "all targets of one pair at the end of a cooldown",
            (RuleInput(version_cooldown=VersionCooldown(interval_seconds=3_600)),),
            LONG,
        ),
        ("a rollout by the clock whose turns all came while nobody looked", (rollout(1),), LONG),
    ):
        base, _ = estate(count)
        base.policy("waits", PRODUCTION, *rules)
        base.version("api", "v1")
        base.settle()

        def go(yard: Yard, taken: Taken, n: int, later: timedelta = later) -> None:
            yard.now += later
            yard.settle(taken)

        trials(f"wake-up: {what}", base, go, partial(cleared, count))
        if rules[0].gradual_rollout is not None:

            def turns(yard: Yard, taken: Taken, n: int) -> None:
                for _ in range(100):
                    yard.now += timedelta(seconds=1)
                    yard.settle(taken)

            trials("wake-up: a hundred turns of a rollout by the clock, a second each", base, turns, partial(cleared, 100))
    base = Yard()
    base.environments("production")
    ids = base.resources(5)
    deployments = [f"deployment {n}" for n in range(count // 5)]
    for name in deployments:
        base.deployment(name)
        base.targets(name, "production", ids)
        base.deploy(name, "production", base.version(name, "v0"), ids)
    base.settle()
    base.policy("waits", PRODUCTION, RuleInput(version_cooldown=VersionCooldown(interval_seconds=3_600)))
    base.now += timedelta(minutes=1)
    for name in deployments:
        base.version(name, "v1")
    base.settle()

    def all_at_once(yard: Yard, taken: Taken, n: int) -> None:
        yard.now += LONG
        yard.settle(taken)

    def check(yard: Yard) -> str:
        found = sum(len(one.open) for one in yard.state.pairs.values())
        assert found == count // 5 * 5
        return f"{found:,} cleared"

    trials(f"wake-up: {len(deployments):,} pairs of 5 targets at once", base, all_at_once, check)


def freezes(count: int) -> None:
    """(g) Stop the line: declared over all targets, what it holds, and thawed."""
    base, _ = estate(count)
    base.policy("five", PRODUCTION, WINDOW, SELECTOR)
    base.version("api", "v1")
    base.settle()
    cleared(count, base)
    stop = SaveFreeze(scope="workspace", reason="an incident")
    trials(
        "a freeze declared over all, whose clearances it withdraws",
        base,
        lambda yard, taken, _: yard.do(stop, taken),
        partial(held, count),
    )
    picky = SaveFreeze(scope="workspace", reason="an incident", selector='resource.metadata["tier"] == "gold"')
    trials("… with a selector by resource", base, lambda yard, taken, _: yard.do(picky, taken), partial(held, count))

    def effect(yard: Yard, taken: Taken, n: int) -> None:
        found = taken.time(partial(yard.ask, FreezeEffect(scope="workspace")))
        assert found.waiting == count + 1, found  # one of them in staging

    trials("what it would hold, before", base, effect)
    frozen = base.copy()
    freeze_id = frozen.do(stop)["id"]

    def after(yard: Yard, taken: Taken, n: int) -> None:
        found = taken.time(partial(yard.ask, FreezeEffect(freeze_id=freeze_id)))
        assert found.waiting == count + 1, found  # one of them in staging

    trials("what it holds, after", frozen, after)
    trials("thawed", frozen, lambda yard, taken, _: yard.do(ThawFreeze(freeze_id=freeze_id), taken), partial(cleared, count))


def every_version(count: int) -> None:
    """(h) A deployment that takes every version in order, fifty of which wait."""
    base, _ = estate(count, supersession="every")
    base.policy("waits", PRODUCTION, APPROVAL)
    for n in range(50):
        base.version("api", f"v{n + 1}")
    base.settle()

    def go(yard: Yard, taken: Taken, n: int) -> None:
        yard.version("api", f"w{n}")
        yard.settle(taken)

    trials("every version in order, 50 wait: one more", base, go)
    trials(
        "every version in order, 50 wait: the first is approved",
        base,
        lambda y, t, _: approve(y, uid("api v1"), t),
        partial(cleared, count),
    )


SUBJECTS = (new_version, one_approval, many_policies, explanations, forecasts, wake_ups, freezes, every_version)


def measure(count: int, only: Sequence[str]) -> None:
    """Print the figures for so many targets."""
    gc.set_threshold(*COLLECTOR)
    print(f"{machine()}; {count:,} targets, medians of {TRIALS}\n")
    print("| what | processor | clock | longest | facts | |\n|---|---|---|---|---|---|", flush=True)
    for subject in SUBJECTS:
        if not only or subject.__name__ in only:
            subject(count)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.policy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="?", type=int, default=10_000)
    parser.add_argument("--only", nargs="*", default=[], choices=[one.__name__ for one in SUBJECTS])
    asked = parser.parse_args()
    measure(asked.targets, asked.only)


if __name__ == "__main__":
    main()
