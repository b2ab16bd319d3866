"""When targets go that nothing but their place in a rollout holds: all turns at once, and how long these hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from services.policy.evaluation import Evaluation, Findings, walk
from services.policy.finding import ROLLOUT
from services.policy.gate import Gate, Judge
from services.policy.rollout import Candidates, in_line, line_of
from services.policy.state import Pair, Version


class Line(NamedTuple):
    """The turns of a rollout that go on by themselves.

    Attributes:
        turns: when targets go, ascending.
        together: whether each waits for the one before.
        until: when something else in the pair may change; the turns hold before that. None for never.
    """

    version: Version
    together: bool
    turns: tuple[tuple[datetime, str], ...]
    until: datetime | None


def go_alike(judge: Judge, pair: Pair) -> bool | None:
    """Whether the targets of a pair wait for one another (False: the clock alone decides); None where they are not alike, or go in waves."""
    together = {judge.together(judge.matched(pair, one)) for one in pair.targets}
    if len(together) != 1 or _has_waves(judge, pair):
        return None
    return together.pop()


def line_ahead(judge: Judge, pair: Pair, looked: Evaluation | None) -> Line | None:
    """The turns that are to come in a pair, of the newest version that has any; None where it must be run through step by step.

    Args:
        looked: what a look at all of its targets finds, where that is known.
    """
    together = go_alike(judge, pair)
    if together is None:
        return None
    found = (looked or walk(judge, pair)).findings
    for version_id, verdicts in found.items():
        version = judge.state.versions[version_id]
        mine = {one: findings for one, findings in verdicts.items() if not _is_over(findings)}
        turns = line_turns(judge, pair, version, mine) if together else each_turn(mine)
        if not turns:
            continue
        others = (findings for other, by_one in found.items() if other != version_id for findings in by_one.values())
        rest = (findings for one, findings in verdicts.items() if one not in turns)
        firsts = [first_instant(findings) for findings in {id(one): one for one in chain(others, rest)}.values()]
        allowed = {id(findings): _allowed_until(findings) for findings in mine.values()}
        known = [at for at in (*firsts, *allowed.values()) if at is not None]
        return Line(version, together, tuple(sorted((at, one) for one, at in turns.items())), min(known, default=None))
    return None


def _is_over(findings: Findings) -> bool:
    return all(finding.allows for _, finding in findings)


def _allowed_until(findings: Findings) -> datetime | None:
    """When time alone ends what these allow."""
    return min((one.look_again_at for _, one in findings if one.allows and one.look_again_at is not None), default=None)


def _has_waves(judge: Judge, pair: Pair) -> bool:
    """Whether targets of a pair go in waves, which wait for what the wave before came to."""
    matches = {match.policy_id for one in pair.targets for match in judge.matched(pair, one)}
    bodies = [rule.gradual_rollout for one in sorted(matches) for rule in judge.state.policies[one].saved.rules]
    return any(body is not None and not in_line(body) for body in bodies)


def first_instant(findings: Findings) -> datetime | None:
    """When time alone may change any of these verdicts."""
    return min((finding.look_again_at for _, finding in findings if finding.look_again_at is not None), default=None)


def each_turn(mine: Mapping[str, Findings]) -> dict[str, datetime]:
    """When each target's turn comes, where time alone brings it."""
    return {one: at for one, findings in mine.items() if (at := _turn_comes(findings)) is not None}


def line_turns(judge: Judge, pair: Pair, version: Version, mine: Mapping[str, Findings]) -> dict[str, datetime]:
    """When the turn of each target comes that waits for the one before; nothing where more than their order holds any of them."""
    if not any(_turn_comes(findings) is not None for findings in mine.values()):
        return {}  # somebody is under way, or it stopped
    if any(one in pair.jobs.get(version.version_id, ()) for one in mine):
        return {}  # one that had the version before may go out of turn
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
