"""When will each target of a rollout be cleared? The same decider, run forward over virtual time.

The run knows what policy knows at this moment and nothing more: nobody approves anything, no version is posted, and every job succeeds,
and is verified, at the instant of its clearance. Whatever follows from that (a turn in a rollout, a success that another environment
waits for) follows here as it will in truth, since the same functions decide it and the same fold takes it in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Final

from contracts.command import Asked, Refused
from contracts.commands.policy import Forecast, ForecastRollout, ForecastTarget
from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts.policy import ClearanceWithdrawn, RuleEvaluated, TargetsCleared
from services.policy.evaluation import Evaluation, Findings, walk
from services.policy.fold import apply
from services.policy.forecast_facts import deployed, ended_well
from services.policy.gate import Gate, Judge
from services.policy.instants import later, spoken
from services.policy.order import places_of
from services.policy.progression import picked_environments
from services.policy.recording import record
from services.policy.rollout import Candidates, in_line, line_of
from services.policy.state import NOWHERE, Pair, State, Version, pair_key
from services.policy.touched import ROLLOUT, touched

HORIZON: Final = timedelta(days=5 * 366)
FEW: Final = 3
"""Targets that may be looked at one by one; of more it is found out at once when they go."""

EACH: Final = 50
"""What it takes to look at all, in looks at one more target."""

IDLE: Final = 250
"""What an instant takes at which nobody goes, as where windows open and close in vain: a run of these alone soon ends."""

MOST_LOOKS: Final = 150_000
"""Verdicts on a target that one forecast finds at most. A rollout in which each target waits for the one before takes very many."""


def forecast_rollout(wish: ForecastRollout, state: State, asked: Asked, position: int) -> Forecast:
    """When each target of a version in an environment will be cleared if nothing else changes.

    Raises:
        Refused: `not_found`, for an unknown version, or where its deployment has no target.
    """
    version, pair = rollout_of(state, wish.version_id, wish.environment_id)
    run = _Run(state, asked.now, version, pair.key)
    run.go()
    return _told(run, version, pair, position)


def rollout_of(state: State, version_id: str, environment_id: str) -> tuple[Version, Pair]:
    """A version and the pair of its deployment with an environment. Raises: Refused: `not_found`, for what is no rollout."""
    version = state.versions.get(version_id)
    if version is None or version.deployment_id not in state.deployments:
        raise Refused("not_found", f"There is no version {version_id}.")
    if environment_id not in state.environments:
        raise Refused("not_found", f"There is no environment {environment_id}.")
    pair = state.pairs.get(pair_key(version.deployment_id, environment_id))
    return version, pair if pair is not None else Pair(version.deployment_id, environment_id)


@dataclass(slots=True)
class _Run:
    """A run over virtual time.

    Attributes:
        key: the pair that is asked about; the run ends when none of its targets is left.
        near: pairs whose successes may matter to it, itself among them.
        at: when targets were cleared for the version.
        foreseen: those of them of which this is known ahead of the run.
        instants: what is recorded with an instant at which time alone changes it: (instant, pair, resource).
        alone: whether no success of the pair that is asked about matters to what comes later.
        crowd: whether many of its targets were looked at since it was last foreseen when they go.
        gone: how many clearances were given, of whichever version and pair.
        looks: how much was done. spent: how much of it to foresee, which takes a look at all; never most of it.
        exhausted: whether it ended before nothing was left to come.
    """

    state: State
    now: datetime
    version: Version
    key: str
    near: tuple[str, ...] = ()
    at: dict[str, datetime] = field(default_factory=dict)
    foreseen: set[str] = field(default_factory=set)
    instants: list[tuple[datetime, str, str]] = field(default_factory=list)
    alone: bool = False
    crowd: bool = False
    gone: int = 0
    looks: int = 0
    spent: int = 0
    exhausted: bool = False

    def go(self) -> None:
        """Run until nothing is left to come, or all are cleared."""
        pair = self.state.pairs.get(self.key)
        if pair is None:
            return
        end = later(self.now, HORIZON)
        self.near, self.alone = upstream(Judge(self.state, self.now), pair)
        self._begin()
        self._foresee()
        while self.instants and not self.exhausted and not self._is_over():
            self.now = max(self.now, self.instants[0][0])
            if self.now > end:
                self.exhausted = True
                return
            due: dict[str, set[str]] = {}
            while self.instants and self.instants[0][0] <= self.now:
                _, key, one = heappop(self.instants)
                if key != self.key or one not in self.foreseen:
                    due.setdefault(key, set()).add(one)
            judge, gone = Judge(self.state, self.now), self.gone
            self._settle(self._look(judge, {key: sorted(ids) for key, ids in sorted(due.items())}))
            if self.gone == gone:
                self.looks += IDLE
            self._foresee()

    def last_look(self) -> Evaluation:
        """What holds the targets that are left, when nothing is left to come."""
        pair = self.state.pairs.get(self.key)
        return walk(Judge(self.state, self.now), pair) if pair is not None else Evaluation()

    def _is_over(self) -> bool:
        return len(self.at) == len(self.state.pairs[self.key].targets)

    def _begin(self) -> None:
        """Jobs that run succeed now, what is cleared gets its job, and then every target is looked at once."""
        for key in self.near:
            pair = self.state.pairs[key]
            self._fold(fact for one in pair.targets for fact in ended_well(pair, one, self.now))
        for key in self.near:
            pair = self.state.pairs[key]
            if key == self.key:
                self._note_clearances(pair)
            for by_rule in pair.held.values():
                for verdicts in by_rule.values():
                    self.instants += [(held.look_again_at, key, one) for one, held in verdicts.items() if held.look_again_at]
            for one, version_id in sorted(pair.open.items()):
                if one in pair.targets:
                    self._fold(deployed(self.state.pairs[key], one, version_id, self.now))
        heapify(self.instants)
        self._settle(self._look(Judge(self.state, self.now), dict.fromkeys(self.near)))

    def _note_clearances(self, pair: Pair) -> None:
        """Targets that the version runs on, or is cleared for, at the start."""
        for one in pair.targets:
            standing = pair.standings.get(one, NOWHERE)
            cleared, current = standing.cleared, standing.current
            if pair.open.get(one) == self.version.version_id and cleared is not None:
                self.at[one] = cleared.cleared_at
            elif current is not None and current.version_id == self.version.version_id:
                same = cleared is not None and cleared.version_id == self.version.version_id
                self.at[one] = cleared.cleared_at if cleared is not None and same else current.completed_at

    def _look(self, judge: Judge, where: dict[str, list[str] | None]) -> list[Recorded]:
        """Evaluate targets of pairs (None: all) at this instant and take in what follows. Returns it."""
        facts: list[Fact] = []
        for key, ids in where.items():
            pair = self.state.pairs.get(key)
            if pair is not None:
                found = walk(judge, pair, ids)
                self.crowd = self.crowd or (key == self.key and (ids is None or len(ids) > FEW))
                self.looks += EACH + sum(map(len, found.findings.values()))
                facts += _news(judge, pair, found)
        if self.looks > MOST_LOOKS:
            self.exhausted = True
        follows = self._fold(facts)
        for fact in facts:
            if isinstance(fact, TargetsCleared):
                self.gone += 1
                for one in fact.resource_ids:
                    key = pair_key(fact.deployment_id, fact.environment_id)
                    pair = self.state.pairs[key]
                    if pair.open.get(one) == fact.version_id:
                        follows += self._fold(deployed(pair, one, fact.version_id, self.now))
                    if key == self.key and fact.version_id == self.version.version_id:
                        self.at.setdefault(one, self.now)
        return follows

    def _settle(self, news: list[Recorded]) -> None:
        """React to facts until nothing more follows at this instant."""
        while news and not self.exhausted:
            judge = Judge(self.state, self.now)
            found = touched(judge, news)
            where: dict[str, list[str] | None] = {}
            for key in sorted(found.whole.keys() | found.some.keys()):
                if key in self.near:
                    where[key] = None if key in found.whole else sorted(found.some[key])
            news = self._look(judge, where)

    def _foresee(self) -> None:
        """Find out at once when targets go that only their place in a rollout holds: looked at one by one they would take very long.

        Until then nothing may change that could matter to them: no success elsewhere, no rule's end, and no other version's turn.
        """
        if not self.crowd or not self.alone or self.exhausted or self.spent > self.looks:
            return
        self.crowd = False
        self.spent += len(self.state.pairs[self.key].targets)
        pair = self.state.pairs[self.key]
        judge = Judge(self.state, self.now)
        together = {judge.together(judge.matched(pair, one)) for one in pair.targets}
        if len(together) != 1 or _has_waves(judge, pair):
            return
        found = walk(judge, pair, [one for one in pair.targets if one not in self.at])
        elsewhere = min((at for at, key, _ in self.instants if key != self.key), default=None)
        earliest = {
            version_id: {one: _first_instant(findings) for one, findings in verdicts.items()}
            for version_id, verdicts in found.findings.items()
            if version_id != self.version.version_id
        }
        # Where targets wait for one another all are walked, also those of which it is known already.
        verdicts_here = found.findings.get(self.version.version_id, {})
        mine = {one: findings for one, findings in verdicts_here.items() if one not in self.at}
        turns = _line(judge, pair, self.version, mine) if True in together else _each(mine)
        limits: dict[str, datetime] = {}
        for one in turns:
            others = [first for verdicts in earliest.values() if (first := verdicts.get(one)) is not None]
            others += [finding.look_again_at for _, finding in mine[one] if finding.allows and finding.look_again_at is not None]
            if others:
                limits[one] = min(others)
        if True in together:
            # Each waits for the one before: where something may change before the last has gone, it is run through step by step.
            first = min((*limits.values(), *((elsewhere,) if elsewhere is not None else ())), default=None)
            if turns and first is not None and first <= max(turns.values()):
                return
        for one, at in turns.items():
            limit = limits.get(one)
            if elsewhere is not None and elsewhere <= at:
                continue
            if limit is not None and limit <= at:
                heappush(self.instants, (limit, self.key, one))
            else:
                self.at[one] = at
                self.foreseen.add(one)

    def _fold(self, facts: Iterable[Fact]) -> list[Recorded]:
        """Take facts in, and note the instants that they announce."""
        taken = []
        for fact in facts:
            position = self.state.position + 1
            self.state = _unawake(apply(self.state, fact, position), fact)
            taken.append(_supposed(self.state.workspace_id, position, fact, self.now))
            if isinstance(fact, RuleEvaluated):
                key = pair_key(fact.deployment_id, fact.environment_id)
                for group in fact.groups:
                    if group.look_again_at is not None:
                        for one in group.resource_ids:
                            heappush(self.instants, (group.look_again_at, key, one))
        return taken


def _news(judge: Judge, pair: Pair, found: Evaluation) -> list[Fact]:
    """The facts of a walk that matter to what follows: a clearance ends every verdict on its version, so these are left out."""
    if not found.withdrawn:
        for version_id, cleared in found.cleared.items():
            verdicts = found.findings[version_id]
            for one, _ in cleared:
                verdicts.pop(one, None)
    kinds = (RuleEvaluated, TargetsCleared, ClearanceWithdrawn)
    return [draft.fact for draft in record(judge, pair, found, None) if isinstance(draft.fact, kinds)]


def _has_waves(judge: Judge, pair: Pair) -> bool:
    """Whether targets of a pair go in waves, which wait for what the wave before came to."""
    matches = {match.policy_id for one in pair.targets for match in judge.matched(pair, one)}
    bodies = [rule.gradual_rollout for one in sorted(matches) for rule in judge.state.policies[one].saved.rules]
    return any(body is not None and not in_line(body) for body in bodies)


def _first_instant(findings: Findings) -> datetime | None:
    """When time alone may change any of these verdicts."""
    return min((finding.look_again_at for _, finding in findings if finding.look_again_at is not None), default=None)


def _each(mine: dict[str, Findings]) -> dict[str, datetime]:
    """When each target's turn comes, where time alone brings it."""
    return {one: at for one, findings in mine.items() if (at := _turn_comes(findings)) is not None}


def _line(judge: Judge, pair: Pair, version: Version, mine: dict[str, Findings]) -> dict[str, datetime]:
    """When the turn of each target comes that waits for the one before; nothing where more than their order holds any of them."""
    if not any(_turn_comes(findings) is not None for findings in mine.values()):
        return {}  # somebody is under way, or it stopped
    of_gate: dict[int, tuple[Gate, list[str]]] = {}
    for one, findings in mine.items():
        against = [key for key, finding in findings if not finding.allows]
        gate = judge.gate(pair, version, one)
        if not against or any(key.rule_type != ROLLOUT for key in against) or not gate.allows or gate.start is None:
            return {}
        of_gate.setdefault(id(gate), (gate, []))[1].append(one)
    groups = [Candidates(gate.rollouts, gate.start, gate.covered, True, ids) for gate, ids in of_gate.values()]
    return line_of(groups, version, pair, judge.now)


def _turn_comes(findings: Findings) -> datetime | None:
    """When a target's turn in the rollouts comes, where nothing else holds it and time alone brings it."""
    turns: list[datetime] = []
    for key, finding in findings:
        if not finding.allows:
            if key.rule_type != ROLLOUT or finding.verdict != "waiting" or finding.look_again_at is None:
                return None
            turns.append(finding.look_again_at)
    return max(turns, default=None)


def _unawake(state: State, fact: Fact) -> State:
    """The state without the pair's next instant: the run keeps its own, and to find the next one takes all of them."""
    deployment_id, environment_id = getattr(fact, "deployment_id", ""), getattr(fact, "environment_id", "")
    pair = state.pairs.get(pair_key(deployment_id, environment_id))
    if pair is None or pair.wake is None:
        return state
    return state.moved(state.position, state.pairs.set(pair.key, pair._replace(wake=None)))


def _supposed(workspace_id: str, position: int, fact: Fact, now: datetime) -> Recorded:
    """A fact as if it were recorded."""
    return Recorded(
        workspace_id=workspace_id, position=position, id="", type=fact.TYPE, stream="", time=now, recorded_time=now,
        correlation_id="", causation_id="", auth_id="", traceparent="", data=b"", decode=_never, fact=fact,
    )  # fmt: skip


def _never(type_: str, data: bytes) -> Fact:
    raise AssertionError(f"a supposed {type_} has its fact already")


def upstream(judge: Judge, asked: Pair) -> tuple[tuple[str, ...], bool]:
    """Pairs whose successes may matter to one, itself among them, sorted; and whether its own matter to none of them."""
    state = judge.state
    seen, waiting, alone = {asked.key}, [asked], True
    while waiting:
        pair = waiting.pop()
        for key in _looked_at(judge, pair):
            alone = alone and key != asked.key
            if key not in seen and (other := state.pairs.get(key)) is not None:
                seen.add(key)
                if _moves(other):
                    waiting.append(other)
    deployment = state.deployments.get(asked.deployment_id)
    every = deployment is not None and deployment.supersession == "every"
    return tuple(sorted(key for key in seen if key == asked.key or _moves(state.pairs[key]))), alone and not every


def _looked_at(judge: Judge, pair: Pair) -> set[str]:
    """Pairs that the rules and the versions of a pair look at."""
    state = judge.state
    keys: set[str] = set()
    matches = {match for one in pair.targets for match in judge.matched(pair, one)}
    rules = [rule for match in sorted(matches) for rule in state.policies[match.policy_id].saved.rules]
    for rule in rules:
        if rule.environment_progression is not None:
            selector = rule.environment_progression.depends_on_environment_selector
            picked = picked_environments(selector, pair.environment_id, state)
            if not isinstance(picked, str):
                keys |= {pair_key(pair.deployment_id, one) for one in picked}
    deployments: set[str] = set()
    if any(rule.deployment_dependency is not None for rule in rules):
        deployments |= set(state.deployments)
    for version_id in state.newest.get(pair.deployment_id, ()):
        deployments |= {upstream_id for upstream_id, _ in state.versions[version_id].dependencies}
    for deployment_id in sorted(deployments):
        keys |= set(state.places.get(deployment_id, ()))
    return keys - {pair.key}


def _moves(pair: Pair) -> bool:
    """Whether anything in a pair waits or is under way."""
    if pair.held or pair.open:
        return True
    return any((job := pair.newest_job(one)) is not None and job.outcome == "running" for one in pair.targets)


# --- in words ------------------------------------------------------------------------------------------------------------------


def _told(run: _Run, version: Version, pair: Pair, position: int) -> Forecast:
    places = places_of(pair, version.version_id)
    timed = sorted((at, places[one], one) for one, at in run.at.items() if one in pair.targets)
    left = sorted((one for one in pair.targets if one not in run.at), key=places.__getitem__)
    targets = [ForecastTarget(resource_id=one, at=at) for at, _, one in timed]
    if left:
        held_by = _Obstacles(run, version)
        targets += [ForecastTarget(resource_id=one, at=None, held_by=held_by.of(one)) for one in left]
    last = timed[-1][0] if timed else None
    return Forecast(
        version_id=version.version_id,
        environment_id=pair.environment_id,
        position=position,
        message=_message(run, version, pair, last, targets[len(timed) :]),
        targets=tuple(targets),
        done_at=last if not left else None,
    )


def _message(run: _Run, version: Version, pair: Pair, last: datetime | None, held: list[ForecastTarget]) -> str:
    where = f"{version.tag} in {run.state.environment_name(pair.environment_id)}"
    total = len(pair.targets)
    if not total:
        return f"{where}: there are no targets."
    if not held:
        return f"{where}: if nothing else changes, the last of {counted(total)} is cleared at {spoken(last)}." if last else where
    first = held[0].held_by
    if run.exhausted:
        return f"{where}: {total - len(held):,} of {counted(total)} are foreseen. {first}"
    if last is None:
        return f"{where}: {'its target' if total == 1 else f'all {counted(total)}'} will not go by time alone. {first}"
    return (
        f"{where}: if nothing else changes, {total - len(held)} of {counted(total)} are cleared, the last at {spoken(last)}; "
        f"{len(held)} will not go by time alone. {first}"
    )


def counted(targets: int) -> str:
    """So many targets, in words."""
    return "1 target" if targets == 1 else f"{targets:,} targets"


class _Obstacles:
    """What holds targets when nothing is left to come."""

    def __init__(self, run: _Run, version: Version) -> None:
        self._state = run.state
        self._pair = run.state.pairs[run.key]
        self._version = version
        self._exhausted = run.exhausted
        self._until = run.now
        self._found = Evaluation() if run.exhausted else run.last_look()
        self._said: dict[int, str] = {}

    def of(self, one: str) -> str:
        """What holds a target."""
        tag = self._version.tag
        if self._exhausted:
            return f"The forecast looks no further than {spoken(self._until)}; {tag} is still to come then."
        findings = self._found.findings.get(self._version.version_id, {}).get(one)
        if findings:
            said = self._said.get(id(findings))
            if said is None:
                said = self._said[id(findings)] = obstacle(findings)
            if said:
                return said
        pin = self._pair.pin_of(one)
        if pin is not None and pin.version_id != self._version.version_id:
            return f"The target is pinned to {self._state.tag(pin.version_id)}. What ends it: a person who releases the pin."
        ended = self._found.ended.get(one)
        if ended is not None and ended != self._version.version_id:
            return f"{self._state.tag(ended)} goes there instead."
        return f"{tag} does not go there: the target has taken a newer version, or what it is given last failed."


def obstacle(findings: Findings) -> str:
    """What must happen first, of all that holds a target: rules that time ends are told only where nothing else holds it."""
    against = [(key, finding) for key, finding in findings if not finding.allows]
    lasting = [one for one in against if one[1].look_again_at is None] or against
    telling = [one for one in lasting if one[0].rule_type != "gradualRollout" or one[1].verdict == "blocked"] or lasting
    if not telling:
        return ""
    said = " ".join(dict.fromkeys(finding.message for _, finding in telling))
    ends = "; ".join(dict.fromkeys(finding.ended_by for _, finding in telling if finding.ended_by))
    return f"{said} What ends it: {ends}." if ends else said
