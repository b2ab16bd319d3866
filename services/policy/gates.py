"""Which policies a version of a deployment passes in each environment, and where it must have succeeded before."""

from __future__ import annotations

from collections import Counter

from contracts.command import Asked
from contracts.commands.policy.gates import DeploymentGates, Gate, GatedEnvironment, Gates, Upstream
from contracts.facts.policy import PolicySaved
from services.policy.progression import picked_environments
from services.policy.selector import in_order, matches_of
from services.policy.state import Pair, State, pair_key


def deployment_gates(wish: DeploymentGates, state: State, asked: Asked, position: int) -> Gates:
    """The enabled policies that apply to a deployment's targets, by environment."""
    beside = ((one, state.pairs.get(pair_key(wish.deployment_id, one))) for one in state.environments_beside(wish.deployment_id))
    return Gates(items=tuple(_gated(state, one, pair) for one, pair in beside if pair is not None and pair.targets))


def _gated(state: State, environment_id: str, pair: Pair) -> GatedEnvironment:
    matches = matches_of(state, pair)
    counts = Counter(match.policy_id for one in pair.targets for match in matches.of(one, state.resources))
    gates = tuple(
        Gate(policy_id=saved.policy_id, targets=counts[saved.policy_id], upstream=_upstream(state, environment_id, saved))
        for saved in in_order(state.policies)
        if counts[saved.policy_id]
    )
    return GatedEnvironment(environment_id=environment_id, targets=len(pair.targets), gates=gates)


def _upstream(state: State, environment_id: str, saved: PolicySaved) -> tuple[Upstream, ...]:
    found = []
    for rule in saved.rules:
        if rule.environment_progression is None:
            continue
        picked = picked_environments(rule.environment_progression.depends_on_environment_selector, environment_id, state)
        # A selector without an answer picks none; the rule itself says what is wrong with it, wherever it holds a version.
        found.append(Upstream(rule_id=rule.id, environment_ids=() if isinstance(picked, str) else picked))
    return tuple(found)
