"""What all gradual rollouts of a version say about its targets: those in waves, and those whose targets follow one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.policy.rollout import Candidates, Question, Turns, in_line, judge_line
from services.policy.waves import judge_waves


def judge_rollouts(groups: Sequence[Candidates], asked: Question) -> dict[str, Turns]:
    """Judge the candidates of one version; arguments and errors as those of `judge_line`.

    What waves hold is never next in a line: it would keep the others from going, for which its own wave waits.
    """
    judged: dict[str, Turns] = {}
    lines: list[Candidates] = []
    going = asked.going
    for group in groups:
        waves = tuple((key, body) for key, body in group.rules if not in_line(body))
        if not waves:
            lines.append(group)
            continue
        told = judge_waves(
            waves, group.start, asked.version, asked.state, asked.pair, asked.now, group.resource_ids, wordy=asked.wordy
        )
        judged.update(told)
        rest = tuple((key, body) for key, body in group.rules if in_line(body))
        held = {one for one, turn in told.items() if any(not finding.allows for _, finding in turn)}
        if not rest:
            if group.free and going is None:
                going = next((one for one in group.resource_ids if one not in held), None)
            continue
        for free in (True, False):
            ids = [one for one in group.resource_ids if (one not in held) is free]
            if ids:
                lines.append(replace(group, rules=rest, free=group.free and free, resource_ids=ids))
    if not lines:
        return judged
    in_lines = judge_line(lines, replace(asked, going=going))
    if not judged:
        return in_lines
    joined: dict[tuple[int, int], Turns] = {}
    in_waves = dict(judged)
    for one, turn in in_lines.items():
        waved = in_waves.get(one, ())
        # Targets that were found the same share one tuple, so that they are grouped by identity.
        judged[one] = joined.setdefault((id(waved), id(turn)), (*waved, *turn)) if waved else turn
    return judged
