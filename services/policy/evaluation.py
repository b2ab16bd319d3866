"""May it go now? From the newest version of each target down to the first that every rule allows.

Targets of a pair are walked together, version by version: what depends on the version and the environment alone is judged once for all
targets that the same policies apply to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.policy.candidates import Step, marked, step_for, unfit
from services.policy.finding import BAD_MARK, DEPLOYABLE, Finding, RuleKey
from services.policy.gate import Gate, Judge
from services.policy.rollout import Candidates, OthersNeeded, Turns, judge_rollout
from services.policy.selector import Matched
from services.policy.state import NOWHERE, Pair, Version

Findings = tuple[tuple[RuleKey, Finding], ...]


@dataclass(slots=True)
class Evaluation:
    """What a walk found.

    Attributes:
        findings: by version, the verdicts on each target that was looked at.
        cleared: by version, targets to be cleared, with the gate they passed (None: it runs there already).
        withdrawn: by version, targets whose unused clearance no longer stands, with the reason.
        ended: the version that a target's walk ended at; targets that came to no end are missing.
    """

    findings: dict[str, dict[str, Findings]] = field(default_factory=dict)
    cleared: dict[str, list[tuple[str, Gate | None]]] = field(default_factory=dict)
    withdrawn: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)


def walk(judge: Judge, pair: Pair, resource_ids: Sequence[str] | None = None, *, wordy: bool = False) -> Evaluation:
    """Evaluate targets of a pair.

    Args:
        resource_ids: targets to look at; None for all. All are looked at when one of these belongs to a rollout that waits for what
            the targets before came to and somebody's turn has come there, since whose it is takes all of them.
        wordy: also build the sentences of the moment.
    """
    if resource_ids is not None:
        some = sorted(one for one in resource_ids if one in pair.targets)
        alone = any(judge.together(judge.matched(pair, one)) for one in some)
        try:
            return _walk(judge, pair, some, wordy=wordy, alone=alone)
        except OthersNeeded:
            pass
    return _walk(judge, pair, sorted(pair.targets), wordy=wordy, alone=False)


def _walk(judge: Judge, pair: Pair, pending: list[str], *, wordy: bool, alone: bool) -> Evaluation:
    found = Evaluation()
    for version_id in judge.state.newest.get(pair.deployment_id, ()):
        if not pending:
            break
        pending = _look_at(judge, pair, judge.state.versions[version_id], pending, found, wordy=wordy, alone=alone)
    return found


def _look_at(
    judge: Judge, pair: Pair, version: Version, ids: list[str], found: Evaluation, *, wordy: bool, alone: bool
) -> list[str]:
    """Evaluate one version; returns the targets that look further down."""
    version_id = version.version_id
    verdicts: dict[str, Findings] = {}
    further: list[str] = []
    asked: dict[Matched, list[str]] = {}
    forbidden: Findings = ((DEPLOYABLE, unfit(version)),)
    for one in ids:
        match step_for(pair, one, version):
            case Step.OPEN:
                asked.setdefault(judge.matched(pair, one), []).append(one)
            case Step.SETTLED:
                verdicts[one] = ()
                found.ended[one] = version_id
            case Step.RUNS:
                verdicts[one] = ()
                _clear(judge, pair, version_id, one, None, found)
            case Step.UNFIT:
                verdicts[one] = forbidden
                _refuse(pair, version_id, one, forbidden, found)
                further.append(one)
            case Step.MARKED:
                verdicts[one] = ((BAD_MARK, marked(pair, one, version)),)
                further.append(one)
            case Step.STUCK:
                verdicts[one] = ((BAD_MARK, marked(pair, one, version)),)
                found.ended[one] = version_id
    gates = [(judge.gate(pair, version, matched), of_gate) for matched, of_gate in asked.items()]
    turns = _rollouts(judge, pair, version, gates, wordy=wordy, alone=alone)
    for gate, of_gate in gates:
        joined: dict[int, Findings] = {}
        for one in of_gate:
            turn = turns.get(one, ())
            findings = joined.get(id(turn))
            if findings is None:
                findings = joined[id(turn)] = (*gate.findings, *turn)
            verdicts[one] = findings
            if gate.allows and all(finding.allows for _, finding in turn):
                _clear(judge, pair, version_id, one, gate, found)
            else:
                _refuse(pair, version_id, one, findings, found)
                further.append(one)
    found.findings[version_id] = verdicts
    further.sort()
    return further


def _rollouts(
    judge: Judge, pair: Pair, version: Version, gates: list[tuple[Gate, list[str]]], *, wordy: bool, alone: bool
) -> dict[str, Turns]:
    groups = [Candidates(gate.rollouts, gate.start, gate.covered, gate.allows, ids) for gate, ids in gates if gate.rollouts]
    return judge_rollout(groups, version, judge.state, pair, judge.now, wordy=wordy, alone=alone) if groups else {}


def _clear(judge: Judge, pair: Pair, version_id: str, resource_id: str, gate: Gate | None, found: Evaluation) -> None:
    """Clear a target, unless it holds a clearance for the version that nothing has made stale."""
    found.ended[resource_id] = version_id
    if pair.open.get(resource_id) == version_id:
        clearance = pair.standings.get(resource_id, NOWHERE).cleared
        assert clearance is not None, "an open clearance is the newest one of its target"
        fresh = clearance.at >= max(judge.state.gate, pair.withdrawn_at)
        if fresh and (clearance.valid_until is None or judge.now < clearance.valid_until):
            return
    found.cleared.setdefault(version_id, []).append((resource_id, gate))


def _refuse(pair: Pair, version_id: str, resource_id: str, findings: Findings, found: Evaluation) -> None:
    """Withdraw the unused clearance of a version that is no longer allowed."""
    if pair.open.get(resource_id) == version_id:
        reason = next(finding.message for _, finding in findings if not finding.allows)
        found.withdrawn.setdefault(version_id, []).append((resource_id, reason))
