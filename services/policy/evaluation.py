"""May it go now? From the newest version of each target down to the first that every rule allows.

Targets of a pair are walked together, version by version: what depends on the version and the environment alone is judged once for all
targets that the same policies apply to. A target that is pinned looks at one version alone, and one that takes every version in order
at the one whose turn it is (`route.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.policy.candidates import Step, marked, step_for, unfit
from services.policy.finding import BAD_MARK, DEPLOYABLE, IN_ORDER, ROLLOUT, Finding, RuleKey
from services.policy.gate import Gate, Judge
from services.policy.rollout import Candidates, OthersNeeded, Turns
from services.policy.route import BEHIND, WAITS, Route, behind, pinned_to
from services.policy.state import NOWHERE, Pair, Version
from services.policy.turns import judge_rollouts

Findings = tuple[tuple[RuleKey, Finding], ...]

_BEHIND: Findings = ((IN_ORDER, WAITS),)
"""Shared by all targets, so that they are grouped by identity."""


@dataclass(slots=True)
class Evaluation:
    """What a walk found.

    Attributes:
        findings: by version, the verdicts on each target that was looked at.
        cleared: by version, targets to be cleared, with the gate they passed (None: it runs there already).
        withdrawn: by version, targets whose unused clearance no longer stands, with the reason.
        ended: the version that a target's walk ended at; targets that came to no end are missing.
        passed: by version, targets that do not look at it any more although something is recorded of it.
    """

    findings: dict[str, dict[str, Findings]] = field(default_factory=dict)
    cleared: dict[str, list[tuple[str, Gate | None]]] = field(default_factory=dict)
    withdrawn: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    passed: dict[str, list[str]] = field(default_factory=dict)


def walk(judge: Judge, pair: Pair, resource_ids: Iterable[str] | None = None) -> Evaluation:
    """Evaluate targets of a pair.

    Args:
        resource_ids: targets to look at; None for all. All are looked at when one of these belongs to a rollout that waits for what
            the targets before came to and somebody's turn has come there, or one of these was to be next, since whose turn it is takes
            all of them.
    """
    if resource_ids is not None:
        some = sorted(one for one in resource_ids if one in pair.targets)
        alone = any(judge.together(judge.matched(pair, one)) for one in some)
        try:
            if not alone or not _any_next(pair, some):
                return _Walk(judge, pair, alone=alone).go(some)
        except OthersNeeded:
            pass
    return _Walk(judge, pair, alone=False).go(sorted(pair.targets))


def _any_next(pair: Pair, resource_ids: list[str]) -> bool:
    """Whether one of these targets was recorded as going next in a rollout: no other one's turn comes by time."""
    rollouts = [verdicts for by_rule in pair.held.values() for rule, verdicts in by_rule.items() if rule.rule_type == ROLLOUT]
    return any(one in verdicts and verdicts[one].look_again_at is not None for verdicts in rollouts for one in resource_ids)


class _Walk:
    """One walk over targets of a pair.

    `alone`: they may be only some of those that wait for one another. `_singular`: versions that are marked bad on some of the targets, or
    cleared for some, so that each target is asked for itself.
    """

    def __init__(self, judge: Judge, pair: Pair, *, alone: bool) -> None:
        self._judge = judge
        self._pair = pair
        self._alone = alone
        self._route = Route(judge.state, pair)
        self._found = Evaluation()
        self._ids: list[str] = []
        self._singular: set[str] | None = None

    def go(self, ids: list[str]) -> Evaluation:
        """Evaluate targets, sorted."""
        pinned: dict[str, list[str]] = {}
        self._ids = ids
        free = ids
        if self._pair.pins:
            free = []
            for one in ids:
                pin = self._pair.pin_of(one)
                (free if pin is None else pinned.setdefault(pin.version_id, [])).append(one)
        bound = sorted(one for of_pin in pinned.values() for one in of_pin)
        ordered = free if self._route.every else []
        left = dict(pinned)
        for version_id in self._judge.state.newest.get(self._pair.deployment_id, ()):
            if not free and not left:
                break
            free = self._look_at(self._judge.state.versions[version_id], free, left.pop(version_id, []))
        anew = {one for targets in self._found.cleared.values() for one, _ in targets}
        self._end_recorded(bound)
        self._end_recorded([one for one in ordered if one not in anew])
        for one in ids if self._pair.open else ():
            if one not in anew or self._pair.pin_of(one) is not None:
                self._end_clearance(one)
        return self._found

    def _look_at(self, version: Version, free: list[str], pinned: list[str]) -> list[str]:
        """Evaluate one version; returns the targets that look further down: none of those that are pinned to it."""
        judge, pair, found, version_id = self._judge, self._pair, self._found, version.version_id
        ids = sorted((*free, *pinned)) if pinned else free
        if not ids:
            return []
        held_to_it = set(pinned)
        verdicts: dict[str, Findings] = {}
        further: list[str] = []
        if not pinned and self._waits_in_order(version):
            behind = self._route.behind(ids, version)
            verdicts = dict.fromkeys(behind, _BEHIND)
            if len(behind) == len(ids):
                found.findings[version_id] = verdicts
                return ids
            further = list(behind)
            ids = [one for one in ids if one not in verdicts] if verdicts else ids
        stays: set[str] = set()
        asked: dict[int, tuple[Gate, list[str]]] = {}
        forbidden: Findings = ((DEPLOYABLE, unfit(version)),)
        for one in ids:
            over = self._route.every and one not in held_to_it and self._route.is_over(one, version)
            match step_for(pair, one, version):
                case Step.UNFIT:
                    verdicts[one] = forbidden
                    self._refuse(version_id, one, forbidden)
                    further.append(one)
                case Step.MARKED:
                    verdicts[one] = ((BAD_MARK, marked(pair, one, version)),)
                    further.append(one)
                case Step.STUCK:
                    verdicts[one] = ((BAD_MARK, marked(pair, one, version)),)
                    found.ended[one] = version_id
                case _ if over:
                    verdicts[one] = self._behind(one)
                    self._refuse(version_id, one, verdicts[one])
                    further.append(one)
                case (Step.OPEN | Step.CHANGED) as step:
                    if step is Step.CHANGED:
                        stays.add(one)
                    gate = judge.gate(pair, version, one)
                    asked.setdefault(id(gate), (gate, []))[1].append(one)
                case Step.SETTLED:
                    again = judge.retry(pair, version, one)
                    if again is None:
                        verdicts[one] = ()
                        found.ended[one] = version_id
                    else:
                        stays.add(one)
                        asked.setdefault(id(again), (again, []))[1].append(one)
                case Step.RUNS:
                    verdicts[one] = ()
                    self._clear(version_id, one, None)
        gates = list(asked.values())
        turns = self._rollouts(version, gates)
        for gate, of_gate in gates:
            joined: dict[int, Findings] = {}
            for one in of_gate:
                turn = turns.get(one, ())
                findings = joined.get(id(turn))
                if findings is None:
                    findings = joined[id(turn)] = (*gate.findings, *turn)
                verdicts[one] = findings
                if gate.allows and all(finding.allows for _, finding in turn):
                    self._clear(version_id, one, gate)
                else:
                    self._refuse(version_id, one, findings)
                    if one in stays:
                        found.ended[one] = version_id
                    else:
                        further.append(one)
        found.findings[version_id] = verdicts
        return sorted(self._going_on(version, further, held_to_it))

    def _going_on(self, version: Version, further: list[str], held_to_it: set[str]) -> list[str]:
        """Whoever is pinned looks at nothing else, and who has nothing yet takes no older version than the one it starts with."""
        if held_to_it:
            further = [one for one in further if one not in held_to_it]
        if self._route.every:
            further = [one for one in further if not self._route.starts_with(one, version)]
        return further

    def _waits_in_order(self, version: Version) -> bool:
        """Whether a version waits in the same way on all targets on which an earlier one comes first."""
        if not self._route.every or self._judge.wordy or version.status != "ready":
            return False
        if self._singular is None:
            pair = self._pair
            self._singular = {marked for one in self._ids for marked in pair.standings.get(one, NOWHERE).bad}
            self._singular.update(pair.open[one] for one in self._ids if one in pair.open)
        return version.version_id not in self._singular

    def _behind(self, one: str) -> Findings:
        if not self._judge.wordy:
            return _BEHIND
        return ((IN_ORDER, behind(self._judge.state, self._pair, one, self._route.turn(one))),)

    def _rollouts(self, version: Version, gates: list[tuple[Gate, list[str]]]) -> dict[str, Turns]:
        groups = [Candidates(gate.rollouts, gate.start, gate.covered, gate.allows, ids) for gate, ids in gates if gate.rollouts]
        if not groups:
            return {}
        free = next((ids[0] for gate, ids in gates if gate.allows and not gate.rollouts), None)
        return judge_rollouts(groups, self._judge.question(self._pair, version, alone=self._alone, going=free))

    def _clear(self, version_id: str, resource_id: str, gate: Gate | None) -> None:
        """Clear a target, unless it holds a clearance for the version that nothing has made stale."""
        judge, pair = self._judge, self._pair
        self._found.ended[resource_id] = version_id
        if pair.open.get(resource_id) == version_id:
            clearance = pair.standings.get(resource_id, NOWHERE).cleared
            assert clearance is not None, "an open clearance is the newest one of its target"
            fresh = clearance.at >= max(judge.state.gate, pair.withdrawn_at)
            if fresh and (clearance.valid_until is None or judge.now < clearance.valid_until):
                return
        self._found.cleared.setdefault(version_id, []).append((resource_id, gate))

    def _refuse(self, version_id: str, resource_id: str, findings: Findings) -> None:
        """Withdraw the unused clearance of a version that is no longer allowed."""
        if self._pair.open.get(resource_id) == version_id:
            reason = next(finding.message for _, finding in findings if not finding.allows)
            self._found.withdrawn.setdefault(version_id, []).append((resource_id, reason))

    def _end_recorded(self, ids: list[str]) -> None:
        """End what is recorded of versions that targets do not look at any more; a new clearance does so for all older ones."""
        found = self._found
        for version_id, by_rule in self._pair.held.items() if ids else ():
            looked_at = found.findings.get(version_id, {})
            if len(looked_at) == len(self._ids):
                continue  # as it is with every version that waits in order: all targets look at it
            for one in ids:
                if one not in looked_at and any(one in verdicts for verdicts in by_rule.values()):
                    found.passed.setdefault(version_id, []).append(one)

    def _end_clearance(self, one: str) -> None:
        """Withdraw the unused clearance of a version that a target does not look at any more."""
        judge, pair, found = self._judge, self._pair, self._found
        cleared = pair.open.get(one)
        if cleared is None or one in found.findings.get(cleared, ()):
            return
        pin = pair.pin_of(one)
        if pin is not None:
            reason = pinned_to(judge.state, pair, one, pin)
        elif (ended := found.ended.get(one)) is not None:
            reason = f"{judge.state.tag(ended)} stays here."
        else:
            reason = BEHIND
        found.withdrawn.setdefault(cleared, []).append((one, reason))
