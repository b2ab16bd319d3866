"""deploymentWindow: versions go only inside the times that a recurring rule opens, or only outside the times that it closes.

It binds every deployment, the first one of a target too. Several windows of a target must all be open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from contracts.command import Refused
from contracts.shapes import DeploymentWindow, Rule
from libs.recurrence import MalformedRule, Moment, read_recurrence
from services.policy.finding import Finding
from services.policy.instants import lasting, read, spoken


def moment_of(body: DeploymentWindow, rule: Rule, at: datetime) -> Moment | str:
    """How a window stands at an instant; a text says why nobody can tell."""
    anchor = read(rule.created_at)
    if anchor is None:
        return f"{rule.created_at!r} is no time that a rule could be created at"
    try:
        return read_recurrence(body.rrule, body.timezone, body.duration_minutes, anchor).at(at)
    except MalformedRule as error:
        return error.message
    except (ValueError, OverflowError) as error:
        return str(error)


def check_windows(rules: Sequence[Rule]) -> None:
    """Check the windows of a policy that is to be saved.

    Raises:
        Refused: `invalid` with code INVALID_WINDOW; `details` lists `{path, message}` of everything that is wrong.
    """
    details = []
    for index, rule in enumerate(rules):
        body, anchor = rule.deployment_window, read(rule.created_at)
        if body is None:
            continue
        assert anchor is not None, "we wrote when the rule was created"
        try:
            read_recurrence(body.rrule, body.timezone, body.duration_minutes, anchor)
        except MalformedRule as error:
            details.append({"path": f"/body/rules/{index}/deploymentWindow/{error.field}", "message": error.message})
    if details:
        first = details[0]
        raise Refused("invalid", f"Invalid window: {first['path']}: {first['message']}", code="INVALID_WINDOW", details=details)


def judge_window(body: DeploymentWindow, rule: Rule, now: datetime) -> Finding:
    """Whether a version may go at an instant: the same for every version and target that the rule applies to."""
    moment = moment_of(body, rule, now)
    if isinstance(moment, str):
        return Finding("blocked", f"The deployment window can not be read: {moment}", ended_by="a person who mends the rule")
    holds, coming = moment
    if body.allow_window:
        if holds is not None:
            left = lasting(holds.end - now)
            return Finding(
                "allowed",
                f"The deployment window is open until {spoken(holds.end)}.",
                detail=f"The deployment window is open until {spoken(holds.end)}, for another {left}.",
                satisfied_at=holds.start,
                look_again_at=holds.end,
            )
        if coming is None:
            return Finding(
                "waiting",
                "The deployment window is closed and does not open again.",
                ended_by="a person who changes the window",
            )
        return Finding(
            "waiting",
            f"The deployment window is closed; it opens at {spoken(coming)}.",
            detail=f"The deployment window is closed; it opens at {spoken(coming)}, in {lasting(coming - now)}.",
            ended_by=f"the deployment window, which opens at {spoken(coming)}",
            look_again_at=coming,
        )
    if holds is not None:
        return Finding(
            "waiting",
            f"Nothing is deployed until {spoken(holds.end)}: a closed window began at {spoken(holds.start)}.",
            detail=f"Nothing is deployed until {spoken(holds.end)}, for another {lasting(holds.end - now)}: "
            f"a closed window began at {spoken(holds.start)}.",
            ended_by=f"the end of the closed window at {spoken(holds.end)}",
            look_again_at=holds.end,
        )
    until = f"; the next begins at {spoken(coming)}" if coming is not None else ""
    return Finding("allowed", f"No closed window is in force{until}.", look_again_at=coming)


def open_from(base: datetime, windows: Iterable[tuple[DeploymentWindow, Rule]]) -> datetime:
    """When a rollout that could start at an instant starts: at the next opening, or the end of a closed window, so that the targets
    that became due meanwhile do not all go at once.

    The latest of all windows, each looked up at `base`; one that can not be read, or does not open again, holds the targets itself.
    """
    starts = [base]
    for body, rule in windows:
        moment = moment_of(body, rule, base)
        if isinstance(moment, str):
            continue
        if body.allow_window and moment.holds is None and moment.coming is not None:
            starts.append(moment.coming)
        if not body.allow_window and moment.holds is not None:
            starts.append(moment.holds.end)
    return max(starts)
