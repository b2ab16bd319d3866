"""What a pull request is told of a plan, in Markdown; pure.

Names, messages and texts come from anywhere: they stand in code spans and fences, where they neither mention anybody nor end what is
around them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from contracts.facts.dispatcher import PlanResultRecorded
from services.dispatcher.plan_state import Tally

MAX_OUTPUT: Final = 60_000
"""Bytes of what is shown in one place; GitHub takes 65,535."""
MAX_NAME: Final = 100
MAX_DIFF_LINES: Final = 200
MAX_COMPARED: Final = 1_000
"""Lines of each text, without what both begin and end with, that are compared: the time this takes grows with their product."""

Conclusion = Literal["failure", "skipped", "neutral", "success"]


class Told(NamedTuple):
    """A result, and the names of what it is of."""

    environment: str
    resource: str
    agent: str
    agent_type: str
    result: PlanResultRecorded


class Output(NamedTuple):
    """What a check run shows."""

    title: str
    summary: str


def conclusion_of(tally: Tally) -> Conclusion:
    """How a check ends; where an agent can not tell whether anything changes, nobody should take it for granted that nothing does."""
    if tally.is_bad:
        return "failure"
    if tally.unsupported == tally.total:
        return "skipped"
    known = tally.unchanged + tally.unsupported + tally.open
    return "neutral" if tally.changed or known < tally.total else "success"


def check_name(environment: str, resource: str, deployment: str) -> str:
    """What a check is called. Two deployments may go to one target, and GitHub shows only the newest check of a name: theirs differ."""
    return f"Signalbox/{_short(environment)}/{_short(resource)} ({_short(deployment)})"


def rest_name(deployment: str) -> str:
    """What the check of all further targets is called."""
    return f"Signalbox/further targets ({_short(deployment)})"


def output_of(tally: Tally, tag: str, told: Sequence[Told]) -> Output:
    """What a check shows.

    Args:
        told: some of its results, those to be seen first in front.
    """
    parts = [f"What {code(tag)} would change: {_counts(tally)}.", *(_section(one) for one in told)]
    left = tally.total - tally.open - len(told)
    if left:
        parts.append(f"{left} further results are in the plan.")
    return Output(_title(tally), _joined(parts))


def comment(mark: str, tag: str, deployment: str, targets: int, tally: Tally, link: str, *, done: bool) -> str:
    """The comment on a pull request; its first line is the mark by which it is found again."""
    lines = [mark, f"### What {code(tag)} would change in {code(deployment)}", ""]
    if not done:
        lines.append("It is being planned.")
    elif not targets:
        lines.append("Nothing: the deployment has no targets.")
    elif not tally.total:
        lines.append(f"Nobody can tell: no agent takes its {_many(targets, 'target')}.")
    else:
        lines += [
            f"{_many(targets, 'target')}, {_many(tally.total, 'dry run')}: {_counts(tally)}.",
            *(["", "**This is objected to:** see the checks."] if tally.is_bad else []),
        ]
    if link:
        lines += ["", f"[The plan]({link})"]
    return "\n".join(lines)


def differences(current: str, proposed: str) -> str:
    """The lines that differ, with some around them; as many as people read, with a word on how many more there are."""
    before, after = current.splitlines(), proposed.splitlines()
    start = _same(before, after)
    end = _same(before[start:][::-1], after[start:][::-1])
    begin, around = max(0, start - 3), max(0, end - 3)
    before, after = before[begin : len(before) - around], after[begin : len(after) - around]
    if max(len(before), len(after)) > MAX_COMPARED:
        return f"The texts differ in too many lines to be compared here: {len(before)} would become {len(after)}."
    lines = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
    kept = lines[:MAX_DIFF_LINES]
    return "\n".join([*kept, *([f"… and {_many(len(lines) - len(kept), 'further line')}"] if len(lines) > len(kept) else [])])


def code(text: str) -> str:
    """A short text in a code span, on one line."""
    plain = _short(text) or " "
    ticks = "`" * (_longest_ticks(plain) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{ticks}{pad}{plain}{pad}{ticks}"


def fenced(text: str, language: str = "") -> str:
    """A text in a fence that nothing in it can end."""
    fence = "`" * max(3, _longest_ticks(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _title(tally: Tally) -> str:
    if tally.is_bad:
        said = [f"{_many(tally.errored, 'dry run')} failed"] if tally.errored else []
        said += [f"{_many(tally.violated, 'result')} objected to"] if tally.violated else []
        return ", ".join(said)
    if tally.open:
        return f"{tally.total - tally.open} of {_many(tally.total, 'result')}"
    match conclusion_of(tally):
        case "skipped":
            return "No agent here can tell"
        case "neutral" if tally.changed:
            return f"{_many(tally.changed, 'result')} with changes"
        case "neutral":
            return "It is not known whether anything changes"
        case _:
            return "No changes"


def _counts(tally: Tally) -> str:
    said = [
        f"{number} {what}"
        for number, what in (
            (tally.changed, "with changes"),
            (tally.unchanged, "without"),
            (tally.errored, "failed"),
            (tally.unsupported, "of agents that can not tell"),
            (tally.violated, "objected to"),
            (tally.open, "to come"),
        )
        if number
    ]
    return ", ".join(said) or "it is not known yet"


def _section(told: Told) -> str:
    result = told.result
    heading = (
        f"#### {code(told.environment)} {code(told.resource)} by {code(told.agent)} ({code(told.agent_type)}): {_stands(result)}"
    )
    parts = [heading]
    if result.message:
        parts.append(fenced(result.message[:2_000]))
    for one in result.validations:
        if one.passed:
            continue
        said = [one.error] if one.error is not None else list(one.violations)
        parts += [
            f"**{code(one.name)}** {'could not be asked' if one.error is not None else 'objects'}:",
            fenced("\n".join(said)),
        ]
    if result.current != result.proposed:
        if text := differences(result.current, result.proposed):
            parts.append(f"<details><summary>Differences</summary>\n\n{fenced(text[:20_000], 'diff')}\n\n</details>")
        if result.cut:
            parts.append("The texts are longer than what is kept of them.")
    return "\n\n".join(parts)


def _stands(result: PlanResultRecorded) -> str:
    if result.status != "completed":
        return {"errored": "failed", "unsupported": "can not tell"}[result.status]
    return {True: "changes", False: "no changes", None: "not known"}[result.has_changes]


def _joined(parts: Iterable[str]) -> str:
    """As many whole parts as fit: half a part might leave a fence open."""
    kept: list[str] = []
    size, left_out = 0, 0
    for part in parts:
        size += len(part.encode("utf-8", "replace")) + 2
        if size > MAX_OUTPUT or left_out:
            left_out += 1
        else:
            kept.append(part)
    if left_out:
        kept.append(f"{_many(left_out, 'further part')} would not fit here.")
    return "\n\n".join(kept)


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """How many elements both begin with."""
    return next(
        (place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= MAX_NAME else plain[: MAX_NAME - 1] + "…"


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
