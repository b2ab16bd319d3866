"""What is said of a version that every rule allows, or that runs: its job, its verification, and what a person asked for once more."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from contracts.commands.policy.explanations import VersionStanding
from contracts.commands.policy.reasons import Reason, WhoEnds
from contracts.shapes import ACTIVE
from services.policy.candidates import Step, ends_of_stuck, step_for
from services.policy.checks import against, said_of
from services.policy.finding import positions
from services.policy.gate import Judge
from services.policy.instants import spoken
from services.policy.outcome import may_go_back
from services.policy.state import NOWHERE, Job, Pair, Queued, State, Version
from services.policy.who_ends import sentence, whoever_mends, whoever_moves

JOB: Final = "job"
"""In place of a rule's type: no rule, but it holds a version as well."""

PLACE: Final = "another job that ends"
"""What makes a place free."""

WAITED_FOR: Final = {
    "pending": "the job agent, which has not taken it over",
    "queued": "the job agent, which has not claimed it",
    "actionRequired": "a person who takes the action that the job waits for",
    "inProgress": "the job agent, once it says how the job ended",
}
"""Who is to move a job that has not ended."""


def worded(status: str) -> str:
    """A job's status as a person says it."""
    return {"inProgress": "in progress", "actionRequired": "waiting for somebody to act"}.get(status, status)


def on_its_way(
    judge: Judge, pair: Pair, resource_id: str, version: Version, reasons: tuple[Reason, ...] = (), *, alone: bool = False
) -> VersionStanding:
    """A version that was cleared. `alone`: no newer version comes to help."""
    state = judge.state
    job = pair.newest_job(resource_id)
    if job is None or job.version_id != version.version_id:
        said, why = _not_made(state, pair, resource_id, version, job)
    elif job.status in ACTIVE:
        ends = ends_of(job)
        stands = f"{worded(job.status)}{_held_up(job)}"
        said = f"{version.tag} is on its way: its job is {stands}. What ends it: {ends}."
        why = _of_job(job, "waiting", f"Its job is {stands}.", ends, (whoever_moves(job, ends),))
    else:
        agent = "a job agent that matches"
        if alone:
            ends = f"{agent}, or a person who rejects {version.tag}" if job.found_no_agent else redeploys(version, rejects=True)
        else:
            ends = f"{agent if job.found_no_agent else redeploys(version)}, or a newer version"
        what = failed_as(job)
        said = f"{version.tag} was cleared, but {what}. What ends it: {ends}.{asked_again(judge, pair, resource_id)}"
        why = _of_job(job, "blocked", sentence(what), ends, whoever_mends(state, job, version, resource_id))
    return VersionStanding(
        version_id=version.version_id,
        tag=version.tag,
        cleared=True,
        message=said,
        reasons=reasons,
        job=why,
    )


def redeploys(version: Version, *, rejects: bool = False) -> str:
    """Whoever goes on with a version that failed, in words."""
    return f"a person who redeploys {'or rejects ' if rejects else ''}{version.tag}"


def failed_as(job: Job) -> str:
    """How a job ended that did not succeed; without a full stop."""
    told = f": {job.told.rstrip('.')}" if job.message else ""
    if job.found_no_agent:
        return f"its job has no agent{told}"
    return f"its job ended as {job.status}{told}"


def _held_up(job: Job) -> str:
    """What else is known of a job that has not ended, to follow its status: who has it, or that its agent did not take it."""
    if job.delay is not None:
        why = " ".join(job.delay.message.split()).rstrip(".")
        return f"; agent {job.delay.agent_name} was not reached ({why}), next try at {spoken(job.delay.next_at)}"
    if job.lease is not None:
        who = f"by {job.lease.instance}" if job.lease.instance else "by its agent"
        return f"; it is taken {who}, until {spoken(job.lease.expires_at)}"
    return ""


def queued_at(state: State, pair: Pair, resource_id: str) -> tuple[Queued, str] | None:
    """The wait of the desired release for a free place, and where, in words; None when it waits for none."""
    standing = pair.standings.get(resource_id, NOWHERE)
    queued, desired = standing.queued, standing.desired
    if queued is None or desired is None or queued.release_id != desired.release_id:
        return None
    where = f"at agent {queued.agent_name}" if queued.agent_id else f"of {state.deployment_name(pair.deployment_id)}"
    return queued, f"a free place {where} ({queued.limit} of {queued.limit} run)"


def ends_of(job: Job) -> str:
    """What ends the wait for a job."""
    return f"{WAITED_FOR[job.status]}, or its deadline"


def health(judge: Judge, pair: Pair, resource_id: str) -> str:
    """What is still to be said of a version that runs, to follow its sentence without the full stop: what deploying it anew comes to, or
    that its verification is not over, or did not pass."""
    bad = _marked_bad(judge, pair, resource_id)
    if bad:
        return bad
    anew = deployed_anew(judge, pair, resource_id)
    job = pair.newest_job(resource_id)
    if anew or job is None or job.status != "successful" or job.verified:
        return anew
    check = against(job)
    if check is None:
        return "; its verification is running"
    tag = judge.state.tag(job.version_id)
    ways = "again, redeploys it or rolls it back" if may_go_back(judge.state, pair, resource_id, job) else "again or redeploys it"
    return f"; {said_of(check)}. What ends it: a person who verifies {tag} {ways}, or a newer version"


def _marked_bad(judge: Judge, pair: Pair, resource_id: str) -> str:
    """That the version that runs was marked bad and stays, as `health`; empty where it was not."""
    current = pair.standings.get(resource_id, NOWHERE).current
    version = judge.state.versions.get(current.version_id) if current is not None else None
    if version is None or step_for(pair, resource_id, version) is not Step.STUCK:
        return ""
    mark = pair.standings.get(resource_id, NOWHERE).mark_of(version.version_id)
    since = f" at {spoken(mark.marked_at)}" if mark is not None else ""
    return (
        f"; it was marked bad{since}, and there was no earlier good release to go back to. "
        f"What ends it: {ends_of_stuck(pair, resource_id, version)}"
    )


def deployed_anew(judge: Judge, pair: Pair, resource_id: str) -> str:
    """What becomes of a version that runs and is deployed once more, with other variables or because a person wants it; as `health`."""
    job = pair.newest_job(resource_id)
    standing = pair.standings.get(resource_id, NOWHERE)
    desired, current = standing.desired, standing.current
    if desired is None or current is None or current.version_id != desired.version_id:
        return ""
    again = asked_again(judge, pair, resource_id).rstrip(".")
    if desired.release_id != current.release_id and (job is None or job.release_id != desired.release_id):
        return "; it is cleared with its new variables, and the job is not made yet" + (f".{again}" if again else "")
    if again:
        return f".{again}"
    if job is None or job.release_id != desired.release_id or job.status == "successful":
        return ""
    tag = judge.state.tag(desired.version_id)
    if desired.release_id != current.release_id:
        return _again_with(job, "its job with the new variables", tag)
    ran = next((one for one in pair.jobs_of(resource_id, current.version_id) if one.job_id == current.job_id), None)
    if ran is not None and ran.attempt == job.attempt:
        return _again_with(job, "another job of it", tag)
    return _again_with(job, "the job that deploys it again", tag)


def asked_again(judge: Judge, pair: Pair, resource_id: str) -> str:
    """A redeployment that waits, and for what; a sentence after a blank, or empty."""
    standing = pair.standings.get(resource_id, NOWHERE)
    again, desired = standing.again, standing.desired
    if again is None or desired is None:
        return ""
    why = f" ({' '.join(again.reason.split())})" if again.reason.strip() else ""
    tag = judge.state.tag(desired.version_id)
    said = f" A person asked at {spoken(again.asked_at)} to deploy {tag} again{why}, which waits"
    job = pair.newest_job(resource_id)
    if job is not None and job.status in ACTIVE:
        return (
            f"{said} for the job of {judge.state.tag(job.version_id)} that is {worded(job.status)}. What ends it: {ends_of(job)}."
        )
    held = _held_by_freezes(judge, pair, resource_id, desired.version_id, rollback=False)
    if held:
        return f"{said}. {held}"
    queued = queued_at(judge.state, pair, resource_id)
    return f"{said} for {queued[1]}. What ends it: {PLACE}." if queued else f"{said} for its job to be made."


def held_return(judge: Judge, pair: Pair, resource_id: str, version_id: str) -> str:
    """What holds a return to an older release: freezes that say so, or no free place; a sentence after a blank, or empty."""
    held = _held_by_freezes(judge, pair, resource_id, version_id, rollback=True)
    if held:
        return f" {held}"
    queued = queued_at(judge.state, pair, resource_id)
    return f" It waits for {queued[1]}. What ends it: {PLACE}." if queued else ""


def _held_by_freezes(judge: Judge, pair: Pair, resource_id: str, version_id: str, *, rollback: bool) -> str:
    version = judge.state.versions.get(version_id)
    if version is None:
        return ""
    against = [
        finding
        for key, finding in judge.freezes(pair, version, resource_id)
        if not finding.allows and (not rollback or judge.state.freezes[key.rule_id].saved.holds_rollbacks)
    ]
    if not against:
        return ""
    ends = "; ".join(dict.fromkeys(finding.ended_by for finding in against))
    return f"{' '.join(finding.sentence for finding in against)} What ends it: {ends}."


def _not_made(state: State, pair: Pair, resource_id: str, version: Version, job: Job | None) -> tuple[str, Reason]:
    """A version whose job is not made yet: for a moment, until another one's has ended, or until there is a free place."""
    said = f"Every rule allows {version.tag}; its job is not made yet"
    if job is None or job.status not in ACTIVE:
        in_line = queued_at(state, pair, resource_id)
        if in_line is not None:
            queued, place = in_line
            who = WhoEnds(kind="agent", message=sentence(PLACE), agent_id=queued.agent_id or None)
            return f"{said}: it waits for {place}. What ends it: {PLACE}.", Reason(
                rule_type=JOB, verdict="waiting", message=f"It waits for {place}.", ended_by=PLACE, who_ends=(who,), since=queued.since,
                facts=positions((queued.position,)),
            )  # fmt: skip
        ends = "its job, which is made at once"
        nobody = WhoEnds(kind="time", message="Nobody: its job is made at once.")
        return f"{said}.", Reason(
            rule_type=JOB, verdict="waiting", message="Its job is not made yet.", ended_by=ends, who_ends=(nobody,),
            facts=positions((version.position,)),
        )  # fmt: skip
    other = state.tag(job.version_id)
    ends = ends_of(job)
    waits = f"{said}: the one of {other} is still {worded(job.status)}. What ends it: {ends}."
    before = f"The job of {other} is still {worded(job.status)}."
    return waits, _of_job(job, "waiting", before, ends, (whoever_moves(job, ends),))


def _of_job(job: Job, verdict: str, message: str, ends: str, who: tuple[WhoEnds, ...]) -> Reason:
    since: datetime | None = job.completed_at if verdict == "blocked" else None
    return Reason(
        rule_type=JOB,
        verdict="blocked" if verdict == "blocked" else "waiting",
        message=message,
        ended_by=ends,
        who_ends=who,
        since=since,
        facts=positions((job.made_at, job.position)),
    )


def _again_with(job: Job, what: str, tag: str) -> str:
    if job.status in ACTIVE:
        return f"; {what} is {worded(job.status)}. What ends it: {ends_of(job)}"
    told = f": {job.told.rstrip('.')}" if job.message else ""
    if job.found_no_agent:
        return f"; {what} has no agent{told}. What ends it: a job agent that matches"
    return f"; {what} ended as {job.status}{told}. What ends it: a person who redeploys {tag}, or a newer version"
