"""Which versions would every rule let go to a target now, whatever runs there and whichever is newer?"""

from __future__ import annotations

from typing import Any

from contracts.command import Asked
from contracts.commands.policy.evaluations import EligibleVersions
from services.policy.candidates import is_fit
from services.policy.evaluation import walk
from services.policy.explanation import pair_with
from services.policy.gate import Judge
from services.policy.rollout import Candidates
from services.policy.route import Route
from services.policy.state import NOWHERE, Pair, State, Version
from services.policy.turns import judge_rollouts


def eligible_versions(wish: EligibleVersions, state: State, asked: Asked, position: int) -> dict[str, Any]:
    """The versions that pass every gate for a target, newest first, as `{version_ids}`.

    A pin, the order of versions, a bad mark and the status are gates like any rule; only rules can be excluded.

    Raises:
        Refused: `not_found`, for what is no release target.
    """
    one = wish.resource_id
    pair = pair_with(state, wish.deployment_id, wish.environment_id, one)
    judge = Judge(state, asked.now, without=frozenset(wish.exclude_rule_ids))
    route = Route(state, pair)
    wanted = frozenset(wish.version_ids) if wish.version_ids is not None else None
    pin = pair.pin_of(one)
    # Whose turn it is in a rollout that goes one by one takes all its targets: this is known of the versions that are under way.
    under_way = {version_id: verdicts.get(one, ()) for version_id, verdicts in walk(judge, pair, (one,)).findings.items()}
    found = []
    for version_id in state.newest.get(wish.deployment_id, ()):
        if (wanted is not None and version_id not in wanted) or (pin is not None and pin.version_id != version_id):
            continue
        version = state.versions[version_id]
        if version_id in pair.standings.get(one, NOWHERE).bad or not is_fit(pair, one, version):
            continue
        if pin is None and route.every and route.is_over(one, version):
            continue
        known = under_way.get(version_id)
        if all(finding.allows for _, finding in known) if known else _passes(judge, pair, one, version):
            found.append(version_id)
    return {"version_ids": found}


def _passes(judge: Judge, pair: Pair, one: str, version: Version) -> bool:
    """Whether every rule allows a version of which no target waits for another one."""
    gate = judge.gate(pair, version, one)
    if not gate.allows:
        return False
    if not gate.rollouts:
        return True
    group = Candidates(gate.rollouts, gate.start, gate.covered, free=True, resource_ids=(one,))
    turns = judge_rollouts((group,), judge.question(pair, version))
    return all(finding.allows for _, finding in turns[one])
