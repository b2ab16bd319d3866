"""What a gradual rollout says about a target. `where` is the place of the target, in words, where the sentences of the moment are wanted."""

from __future__ import annotations

from datetime import datetime

from contracts.shapes import ACTIVE
from services.policy.checks import against, said_of
from services.policy.finding import Finding, positions
from services.policy.instants import spoken
from services.policy.outcome import Stop
from services.policy.state import Job, State, Version

TURN = "Targets follow one another: this one goes when those before it are deployed and verified."
LATER = "The rollout has not reached this target yet."
REACHED = "The rollout has reached this target."


def not_started(where: str) -> Finding:
    """A target whose rollout has no start yet."""
    return Finding(
        "waiting",
        "The rollout has not started: it starts once approval and progression are satisfied.",
        detail=f"The rollout has not started: it starts once approval and progression are satisfied. {where}." if where else "",
        ended_by="the approval or progression that the rollout starts with",
    )


def timed(at: datetime, now: datetime, where: str) -> Finding:
    """A target that the clock alone lets go, at an instant."""
    if now >= at:
        return Finding("allowed", REACHED, detail=f"{where}, due since {spoken(at)}." if where else "")
    return Finding(
        "waiting",
        LATER,
        detail=f"{where}, due at {spoken(at)}." if where else "",
        ended_by="its turn in the rollout",
        look_again_at=at,
    )


def turn_of(state: State, version: Version, running: str | None, where: str) -> Finding:
    """A target that goes after others; `running` is the one under way, None where none is yet."""
    detail = ""
    if where:
        before = f"{state.resource_name(running)}, which is not deployed and verified yet" if running else "the target before it"
        detail = f"{where}; it goes after {before}."
    return Finding(
        "waiting", TURN, detail=detail, ended_by=f"the targets before it, once {version.tag} is deployed and verified there"
    )


def stopped_by(stop: Stop | None, version: Version, state: State) -> Finding | None:
    """A target whose rollout goes no further; None where it may."""
    if stop is None:
        return None
    return Finding(
        "blocked",
        f"The rollout of {version.tag} {'is held' if stop.is_held else 'stopped'}: on {state.resource_name(stop.resource_id)} "
        f"{what_stopped(stop)}.",
        ended_by=mended_by(stop, version, state),
        facts=facts_of(stop),
    )


def facts_of(stop: Stop) -> tuple[int, ...]:
    """Positions that a stop rests on."""
    return positions((stop.job.position, *(check.position for check in stop.job.checks))) if stop.job is not None else ()


def what_stopped(stop: Stop) -> str:
    """What a target came to that stops a rollout; without a full stop."""
    if stop.job is None:
        return "it was marked bad"
    return f"{failure_of(stop.job)}{', and it was marked bad' if stop.marked else ''}"


def failure_of(job: Job) -> str:
    """What went wrong with a job that failed, or whose verification did not pass."""
    assert job.status not in ACTIVE, "a running job can not stop a rollout"
    check = against(job)
    if job.status == "successful" and check is not None:
        return said_of(check)
    return f"its job ended as {job.status}" + (f" ({job.told})" if job.message else "")


def mended_by(stop: Stop, version: Version, state: State) -> str:
    """Who or what ends the stop of a rollout."""
    deployment = state.deployments.get(version.deployment_id)
    every = deployment is not None and deployment.supersession == "every"
    otherwise = f"a person who rejects {version.tag}" if every else "a newer version"
    if stop.marked:
        return f"a person who lifts the mark of {version.tag} on that target, or {otherwise}"
    if stop.job is not None and stop.job.found_no_agent:
        return f"a job agent for that target, or {otherwise}"
    if stop.job is not None and stop.job.status == "successful":
        return f"a person who verifies {version.tag} again on that target, redeploys it there or skips this rule, or {otherwise}"
    return f"a person who mends that target, or {otherwise}"
