"""When what happened in one environment changes what progression rules say in another: looked up before targets are looked at."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.shapes import EnvironmentProgression
from services.policy.finding import NO_LONGER, RuleKey
from services.policy.gate import PROGRESSION, Judge
from services.policy.progression import judge_progression, may_pass
from services.policy.recording import RETOLD, difference
from services.policy.state import Held, Pair, State


def progression_moved(judge: Judge, pair: Pair, version_id: str, retold: bool) -> bool:
    """Whether a progression rule says something else about a version than was recorded of the targets it holds.

    Args:
        retold: something else happened than a success, which may be told of although the pass rate is not reached.
    """
    version = judge.state.versions.get(version_id)
    for key, verdicts in pair.held.get(version_id, {}).items():
        if key.rule_type != PROGRESSION or version is None or not verdicts:
            continue
        body = _progression(judge.state, key)
        if body is None:
            return True
        recorded = _recorded(verdicts)
        certain = not retold and not may_pass(body, version, pair.environment_id, judge.state)
        if certain and all(_is_awaited(one) for one in recorded):
            continue
        finding = judge_progression(body, version, pair.environment_id, judge.state, judge.now, judge.tally)
        for one in recorded:
            news = difference(one, finding, judge.now)
            if news == "changed" or (news == "longer" and len(verdicts) <= RETOLD):
                return True
    return False


def _recorded(verdicts: Mapping[str, Held]) -> list[Held]:
    """What was recorded of the targets that the rule applies to: the same of all, but where it was skipped, or recorded at another time."""
    different = {id(one): one for one in verdicts.values()}
    return [one for one in different.values() if one.message != NO_LONGER.message]


def _is_awaited(recorded: Held) -> bool:
    """Whether the rule was recorded as waiting for successes, and not for the end of a soak time."""
    return recorded.verdict == "waiting" and recorded.look_again_at is None


def _progression(state: State, key: RuleKey) -> EnvironmentProgression | None:
    policy_ = state.policies.get(key.policy_id)
    rules = policy_.saved.rules if policy_ is not None else ()
    return next((rule.environment_progression for rule in rules if rule.id == key.rule_id and rule.environment_progression), None)
