"""When something that ends on one target may move a rollout in waves, so that the targets it holds are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from contracts.shapes import GradualRollout
from services.policy.finding import NO_LONGER, ROLLOUT, RuleKey
from services.policy.gate import Judge
from services.policy.outcome import outcome_of
from services.policy.recording import difference
from services.policy.rollout import in_line
from services.policy.state import Held, Pair, State, Successes, Version
from services.policy.wave_plan import Plan, plan_of, reads_resources
from services.policy.waves import judge_waves


def held_by_waves(state: State, pair: Pair, *, selected: bool = False) -> bool:
    """Whether targets of a pair wait in a rollout in waves, or were cleared by one and have no job yet.

    Args:
        selected: only rollouts whose waves look at resources.
    """
    bodies: Iterable[GradualRollout | None] = (_waves(state, key) for by_rule in pair.held.values() for key in by_rule)
    if pair.open:
        bodies = _all_waves(state)
    return any(body is not None and (not selected or reads_resources(body)) for body in bodies)


def wave_moved(judge: Judge, pair: Pair, version_id: str, resource_id: str, *, again: bool) -> bool:
    """Whether what became of a job of a version on a target may change what waves say of the targets that they hold or let go.

    Args:
        again: what the job came to replaces something that it had come to before.
    """
    version = judge.state.versions.get(version_id)
    came_to = outcome_of(pair, resource_id, version_id)
    if version is None or came_to is None:
        return False
    anew = again or len(pair.jobs_of(resource_id, version_id)) > 1
    if came_to[0] == "running" and not anew:
        return False
    worse = came_to[0] in ("failed", "held") or anew
    if worse and version_id in pair.open.values() and any(True for _ in _all_waves(judge.state)):
        return True
    for key, verdicts in pair.held.get(version_id, {}).items():
        body = _waves(judge.state, key)
        if body is not None and verdicts and _moved(judge, pair, version, resource_id, key, body, verdicts, worse):
            return True
    return False


def _moved(
    judge: Judge,
    pair: Pair,
    version: Version,
    resource_id: str,
    key: RuleKey,
    body: GradualRollout,
    verdicts: Mapping[str, Held],
    worse: bool,
) -> bool:
    """Whether a rule says something else than was recorded. `worse`: it may have taken something away."""
    version_id = version.version_id
    plan = plan_of(body, judge.state, pair, version_id)
    if resource_id not in plan.where:
        return False
    wave = plan.where[resource_id][0]
    if not worse and not _may_pass(plan, wave, pair, version_id):
        return False
    asked: dict[datetime | None, list[str]] = {}
    for members in plan.members[wave:]:
        # Those of a wave wait for the same, so that the last one, which is due last, tells what was recorded of all that the rule holds.
        one = next((member for member in reversed(members) if _is_held(verdicts.get(member))), None)
        if one is not None:
            asked.setdefault(judge.gate(pair, version, one).start, []).append(one)
    for start, ids in asked.items():
        told = judge_waves(((key, body),), start, version, judge.state, pair, judge.now, ids)
        if any(difference(verdicts[one], told[one][0][1], judge.now) for one in ids):
            return True
    return False


def _is_held(recorded: Held | None) -> bool:
    """Whether the rule was recorded of a target that it applies to: not of one that was pinned meanwhile."""
    return recorded is not None and recorded.message != NO_LONGER.message


def _may_pass(plan: Plan, wave: int, pair: Pair, version_id: str) -> bool:
    """Whether a wave may be through, without counting it: False is certain. All waves up to it must be."""
    if pair.pins:
        return True
    needed = sum(plan.needed(index, len(members)) for index, members in enumerate(plan.members[: wave + 1]))
    return pair.successes.get(version_id, Successes()).verified >= needed


def _waves(state: State, key: RuleKey) -> GradualRollout | None:
    """The body of a rule that is a rollout in waves."""
    policy = state.policies.get(key.policy_id)
    rules = policy.saved.rules if policy is not None and key.rule_type == ROLLOUT else ()
    bodies = (rule.gradual_rollout for rule in rules if rule.id == key.rule_id)
    return next((body for body in bodies if body is not None and not in_line(body)), None)


def _all_waves(state: State) -> Iterator[GradualRollout]:
    """Every rollout in waves that there is."""
    for policy in state.policies.values():
        for rule in policy.saved.rules:
            if rule.gradual_rollout is not None and not in_line(rule.gradual_rollout):
                yield rule.gradual_rollout
