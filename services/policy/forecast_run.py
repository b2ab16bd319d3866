"""The same decider, run forward over virtual time.

The run knows what policy knows at this moment and nothing more: nobody approves anything, no version is posted, and every job succeeds,
and is verified, at the instant of its clearance. Whatever follows from that (a turn in a rollout, a success that another environment
waits for) follows here as it will in truth, since the same functions decide it and the same fold takes it in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Final

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts.policy import ClearanceWithdrawn, RuleEvaluated, TargetsCleared
from services.policy.evaluation import Evaluation, walk
from services.policy.fold import apply
from services.policy.forecast_changes import first_change
from services.policy.forecast_facts import deployed, deployed_in_turn, ended_well, gone_back
from services.policy.forecast_near import Near, near_to
from services.policy.forecast_turns import Line, each_turn, first_instant, go_alike, line_ahead, line_turns
from services.policy.gate import Judge
from services.policy.instants import later
from services.policy.recording import record
from services.policy.rollback import require_instead_of_retries
from services.policy.state import NOWHERE, Pair, State, Version, pair_key
from services.policy.touched import touched

HORIZON: Final = timedelta(days=5 * 366)
FEW: Final = 3
"""Targets that may be looked at one by one; of more it is found out at once when they go."""

EACH: Final = 50
"""What it takes to look at all, in looks at one more target."""

IDLE: Final = 250
"""What an instant takes at which nobody goes, as where windows open and close in vain: a run of these alone soon ends."""

MOST_LOOKS: Final = 150_000
MOST_ROUNDS: Final = 12
"""Verdicts on a target that one forecast finds at most; where there are very many targets, so many looks at all of them. A rollout in
which each target waits for the one before, and that can not be foreseen, takes more."""


@dataclass(slots=True)
class Run:
    """A run over virtual time.

    Attributes:
        key: the pair that is asked about; the run ends when none of its targets is left.
        near: pairs whose successes may matter to it, itself among them, and how they do.
        at: when targets were cleared for the version.
        foreseen: those of them of which this is known ahead of the run.
        instants: what is recorded with an instant at which time alone changes it: (instant, pair, resource).
        cleared: clearances that are to be used at this instant, in order: (pair, version, resources).
        crowd: whether many of its targets were looked at since it was last foreseen when they go.
        looked: what was found on all targets of a pair, and when; nothing happened since but that verdicts were recorded, on which none rests.
        gone: how many clearances were given, of whichever version and pair.
        looks: how much was done. most: how much may be. spent: how much of it to foresee, which takes a look at all; never most of it.
        exhausted: whether it ended before nothing was left to come.
    """

    state: State
    now: datetime
    version: Version
    key: str
    near: Near = field(default_factory=Near)
    at: dict[str, datetime] = field(default_factory=dict)
    foreseen: set[str] = field(default_factory=set)
    instants: list[tuple[datetime, str, str]] = field(default_factory=list)
    cleared: deque[tuple[str, str, tuple[str, ...]]] = field(default_factory=deque)
    crowd: bool = False
    looked: dict[str, tuple[datetime, Evaluation]] = field(default_factory=dict)
    gone: int = 0
    looks: int = 0
    most: int = MOST_LOOKS
    spent: int = 0
    exhausted: bool = False

    def go(self) -> None:
        """Run until nothing is left to come, or all are cleared."""
        pair = self.state.pairs.get(self.key)
        if pair is None:
            return
        end = later(self.now, HORIZON)
        self.near = near_to(Judge(self.state, self.now), pair)
        self.most = max(MOST_LOOKS, MOST_ROUNDS * sum(len(self.state.pairs[key].targets) for key in self.near.keys))
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

    def _looked_at(self, key: str) -> Evaluation | None:
        """What a look at all targets of a pair would find now, where it was found already."""
        at, found = self.looked.get(key, (None, None))
        return found if at == self.now else None

    def _is_over(self) -> bool:
        return len(self.at) == len(self.state.pairs[self.key].targets)

    def _begin(self) -> None:
        """Jobs that run succeed now, and what follows is decided; what was cleared gets its job; then every target is looked at once."""
        ended: list[Recorded] = []
        for key in self.near.keys:
            pair = self.state.pairs[key]
            ended += self._fold(fact for one in pair.targets for fact in ended_well(pair, one, self.now))
        for key in self.near.keys:
            pair = self.state.pairs[key]
            if key == self.key:
                self._note_clearances(pair)
            for by_rule in pair.held.values():
                for verdicts in by_rule.values():
                    self.instants += [(held.look_again_at, key, one) for one, held in verdicts.items() if held.look_again_at]
        self.cleared.extend(_open_now([self.state.pairs[key] for key in self.near.keys]))
        heapify(self.instants)
        self._settle(ended)
        self._settle(self._look(Judge(self.state, self.now), dict.fromkeys(self.near.keys)))

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

    def _look(self, judge: Judge, where: dict[str, list[str] | None], news: Sequence[Recorded] = ()) -> list[Recorded]:
        """Evaluate targets of pairs (None: all) at this instant, because of these facts, and take in what follows. Returns it."""
        facts: list[Fact] = []
        walked: dict[str, tuple[datetime, Evaluation]] = {}
        for key, ids in where.items():
            pair = self.state.pairs.get(key)
            if pair is not None:
                found = walk(judge, pair, ids)
                if ids is None:
                    walked[key] = (judge.now, found)
                self.crowd = self.crowd or (key == self.key and (ids is None or len(ids) > FEW))
                self.looks += EACH + sum(map(len, found.findings.values()))
                back = require_instead_of_retries(judge, pair, found, news, None)
                facts += _news(judge, pair, found)
                facts += [fact for draft in back for fact in gone_back(pair, draft.fact, self.now)]
        if self.looks > self.most:
            self.exhausted = True
        for fact in facts:
            if isinstance(fact, TargetsCleared):
                self.gone += 1
                key = pair_key(fact.deployment_id, fact.environment_id)
                self.cleared.append((key, fact.version_id, fact.resource_ids))
                if key == self.key and fact.version_id == self.version.version_id:
                    for one in fact.resource_ids:
                        self.at.setdefault(one, self.now)
        news = self._fold(facts)
        if all(isinstance(fact, RuleEvaluated) for fact in facts):
            self.looked.update(walked)
        return news

    def _settle(self, news: list[Recorded]) -> None:
        """React to facts until nothing more follows at this instant: first policy decides, then the clearances are used, in order."""
        while (news or self.cleared) and not self.exhausted:
            if not news:
                news = self._use_clearances()
                continue
            judge = Judge(self.state, self.now)
            found = touched(judge, news)
            where: dict[str, list[str] | None] = {}
            for key in sorted(found.whole.keys() | found.some.keys()):
                if key in self.near.keys:
                    where[key] = None if key in found.whole else sorted(found.some[key])
            news = self._look(judge, where, news)

    def _use_clearances(self) -> list[Recorded]:
        """What was cleared first and still is gets its job, and with it all that is next in line of the same version in the same pair."""
        key, version_id, _ = self.cleared[0]
        follows: list[Recorded] = []
        while self.cleared and self.cleared[0][:2] == (key, version_id):
            for one in self.cleared.popleft()[2]:
                pair = self.state.pairs[key]
                if pair.open.get(one) == version_id and one in pair.targets:
                    follows += self._fold(deployed(pair, one, version_id, self.now))
        return follows

    def _foresee(self) -> None:
        """Find out at once what goes on by itself: looked at one by one, many targets would take very long.

        First what goes on elsewhere, until something may change that matters to anybody; then the turns of the pair that is asked about
        until then; and what then happened elsewhere is taken in.
        """
        if self.exhausted or self.spent > self.looks:
            return
        lines = self._lines()
        moves = self._first_move(lines)
        self._foresee_turns(moves)
        if not self._is_over():
            self._go_ahead(lines, moves)

    def _lines(self) -> dict[str, Line]:
        """The turns that are to come in other pairs, where there are many."""
        coming = {key for _, key, _ in self.instants}
        lines: dict[str, Line] = {}
        for key in self.near.keys:
            pair = self.state.pairs[key]
            if key == self.key or key in self.near.singly or key not in coming or len(pair.targets) <= FEW:
                continue
            self.spent += len(pair.targets)
            line = line_ahead(Judge(self.state, self.now), pair, self._looked_at(key))
            if line is not None:
                lines[key] = line
        return lines

    def _first_move(self, lines: Mapping[str, Line]) -> datetime | None:
        """When anything may happen elsewhere that matters: whatever is no turn of a line, and a turn that changes what a rule says."""
        ends = [line.until for line in lines.values() if line.until is not None]
        ends += [at for at, key, _ in self.instants if key != self.key and key not in lines]
        first = min(ends, default=None)
        if lines:
            self.spent += sum(len(line.turns) for line in lines.values())
            changes = first_change(Judge(self.state, self.now), self.near.watches, lines, first)
            first = min((at for at in (first, changes) if at is not None), default=None)
        return first

    def _go_ahead(self, lines: Mapping[str, Line], moves: datetime | None) -> None:
        """Take in the turns of other pairs up to the next instant at which something else happens, each success with its own instant."""
        own = (at for at, key, one in self.instants if key == self.key and one not in self.foreseen)
        limit = min((at for at in (moves, *own) if at is not None), default=None)
        gone = {key: [(at, one) for at, one in line.turns if limit is None or at < limit] for key, line in lines.items()}
        if sum(map(len, gone.values())) <= FEW:
            return
        for key, turns in gone.items():
            self.looks += 2 * len(turns)
            if turns:
                self.state = deployed_in_turn(self.state, key, lines[key].version.version_id, turns)
            self.state = _asleep(self.state, key)
        self.looked.clear()
        for turns in gone.values():
            self.now = max((self.now, *(at for at, _ in turns[-1:])))
        self.instants = [one for one in self.instants if one[0] > self.now or not gone.get(one[1])]
        heapify(self.instants)
        # Nothing has changed but whose turn it is, which was known before where the clock alone decides, and when soak times end.
        again = {key for key, turns in gone.items() if lines[key].together and turns and turns != list(lines[key].turns)}
        moved = {self.state.pairs[key].environment_id for key, turns in gone.items() if turns}
        again |= {watch.key for watch in self.near.watches if watch.timed and moved & set(watch.picked)} & set(self.near.keys)
        self._settle(self._look(Judge(self.state, self.now), dict.fromkeys(sorted(again))))

    def _foresee_turns(self, elsewhere: datetime | None) -> None:
        """Find out when targets go of the pair that is asked about, where only their place in a rollout holds them.

        Until then nothing may change that could matter to them: nothing elsewhere, no rule's end, and no other version's turn.
        """
        if not self.crowd or not self.near.alone or not any(key == self.key for _, key, _ in self.instants):
            return
        self.crowd = False
        self.spent += len(self.state.pairs[self.key].targets)
        pair = self.state.pairs[self.key]
        judge = Judge(self.state, self.now)
        together = go_alike(judge, pair)
        if together is None:
            return
        found = self._looked_at(self.key) or walk(judge, pair, [one for one in pair.targets if one not in self.at])
        earliest = {
            version_id: {one: first_instant(findings) for one, findings in verdicts.items()}
            for version_id, verdicts in found.findings.items()
            if version_id != self.version.version_id
        }
        # Where targets wait for one another all are walked, also those of which it is known already.
        verdicts_here = found.findings.get(self.version.version_id, {})
        mine = {one: findings for one, findings in verdicts_here.items() if one not in self.at}
        turns = line_turns(judge, pair, self.version, mine) if together else each_turn(mine)
        limits: dict[str, datetime] = {}
        for one in turns:
            others = [first for verdicts in earliest.values() if (first := verdicts.get(one)) is not None]
            others += [finding.look_again_at for _, finding in mine[one] if finding.allows and finding.look_again_at is not None]
            if others:
                limits[one] = min(others)
        if together:
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
            self.state = _asleep(apply(self.state, fact, position), _place(fact))
            taken.append(_supposed(self.state.workspace_id, position, fact, self.now))
            if not isinstance(fact, RuleEvaluated):
                self.looked.clear()
            else:
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


def _open_now(pairs: Sequence[Pair]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The clearances of pairs that have no job yet, in the order in which they were given."""
    given: dict[tuple[int, str, str], list[str]] = {}
    for pair in pairs:
        for one, version_id in sorted(pair.open.items()):
            cleared = pair.standings.get(one, NOWHERE).cleared
            given.setdefault((cleared.at if cleared is not None else 0, pair.key, version_id), []).append(one)
    for (_, key, version_id), ids in sorted(given.items()):
        yield key, version_id, tuple(ids)


def _asleep(state: State, key: str) -> State:
    """The state without the next instant of a pair: the run keeps its own, and to find the next one takes all of them."""
    pair = state.pairs.get(key)
    if pair is None or pair.wake is None:
        return state
    return state.moved(state.position, state.pairs.set(key, pair._replace(wake=None)))


def _place(fact: Fact) -> str:
    """The pair that a fact is about."""
    return pair_key(getattr(fact, "deployment_id", ""), getattr(fact, "environment_id", ""))


def _supposed(workspace_id: str, position: int, fact: Fact, now: datetime) -> Recorded:
    """A fact as if it were recorded."""
    return Recorded(
        workspace_id=workspace_id, position=position, id="", type=fact.TYPE, stream="", time=now, recorded_time=now,
        correlation_id="", causation_id="", auth_id="", traceparent="", data=b"", decode=_never, fact=fact,
    )  # fmt: skip


def _never(type_: str, data: bytes) -> Fact:
    raise AssertionError(f"a supposed {type_} has its fact already")
