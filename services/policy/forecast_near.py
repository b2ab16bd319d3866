"""Which pairs of deployment and environment matter to a forecast, and in what way their successes do."""

from __future__ import annotations

from typing import NamedTuple

from contracts.shapes import EnvironmentProgression
from services.policy.gate import Judge
from services.policy.progression import picked_environments
from services.policy.state import Pair, pair_key


class Watch(NamedTuple):
    """A progression rule, as it looks at other environments for a pair."""

    key: str
    environment_id: str
    body: EnvironmentProgression
    picked: tuple[str, ...]

    @property
    def timed(self) -> bool:
        """Whether each success moves an instant at which the rule says something else."""
        return bool(self.body.minimum_soak_time_minutes or self.body.maximum_age_hours)


class Near(NamedTuple):
    """The pairs that take part in a forecast.

    Attributes:
        keys: pairs whose successes may matter to the one that is asked about, itself among them, sorted.
        alone: whether its own matter to none of them.
        watches: the progression rules by which they look at one another, without repetition.
        singly: pairs of which it may matter which target succeeded, or which go through every version: these are run step by step.
    """

    keys: tuple[str, ...] = ()
    alone: bool = False
    watches: tuple[Watch, ...] = ()
    singly: frozenset[str] = frozenset()


class _Looks(NamedTuple):
    """What a pair looks at: through progression rules, and for what runs on single resources."""

    watches: tuple[Watch, ...]
    keys: frozenset[str]
    singly: frozenset[str]


def near_to(judge: Judge, asked: Pair) -> Near:
    """The pairs that matter to one."""
    state = judge.state
    seen, waiting, alone = {asked.key}, [asked], True
    watches: dict[tuple[str, str, EnvironmentProgression], Watch] = {}
    singly: set[str] = set()
    while waiting:
        pair = waiting.pop()
        looks = _looks_of(judge, pair)
        watches.update({(one.key, one.environment_id, one.body): one for one in looks.watches})
        singly |= looks.singly
        alone = alone and asked.key not in looks.keys
        for key in looks.keys:
            if key not in seen and (other := state.pairs.get(key)) is not None:
                seen.add(key)
                if _moves(other):
                    waiting.append(other)
    keys = tuple(sorted(key for key in seen if key == asked.key or _moves(state.pairs[key])))
    singly |= {key for key in keys if _goes_through_every_version(judge, state.pairs[key])}
    return Near(keys, alone and asked.key not in singly, tuple(watches.values()), frozenset(singly))


def _goes_through_every_version(judge: Judge, pair: Pair) -> bool:
    deployment = judge.state.deployments.get(pair.deployment_id)
    return deployment is not None and deployment.supersession == "every"


def _looks_of(judge: Judge, pair: Pair) -> _Looks:
    state = judge.state
    watches: list[Watch] = []
    matches = {match for one in pair.targets for match in judge.matched(pair, one)}
    rules = [rule for match in sorted(matches) for rule in state.policies[match.policy_id].saved.rules]
    for rule in rules:
        if rule.environment_progression is not None:
            selector = rule.environment_progression.depends_on_environment_selector
            picked = picked_environments(selector, pair.environment_id, state)
            if not isinstance(picked, str):
                watches.append(Watch(pair.key, pair.environment_id, rule.environment_progression, picked))
    deployments: set[str] = set()
    if any(rule.deployment_dependency is not None for rule in rules):
        deployments |= set(state.deployments)
    for version_id in state.newest.get(pair.deployment_id, ()):
        deployments |= {upstream_id for upstream_id, _ in state.versions[version_id].dependencies}
    singly = {key for deployment_id in deployments for key in state.places.get(deployment_id, ())} - {pair.key}
    keys = {pair_key(pair.deployment_id, one) for watch in watches for one in watch.picked} - {pair.key}
    return _Looks(tuple(watches), frozenset(keys | singly), frozenset(singly))


def _moves(pair: Pair) -> bool:
    """Whether anything in a pair waits or is under way."""
    if pair.held or pair.open:
        return True
    return any((job := pair.newest_job(one)) is not None and job.outcome == "running" for one in pair.targets)
