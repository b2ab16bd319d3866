"""How one target stands, and because of what. Pure: the target and the versions of the workspace come in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple

from immutables import Map

from contracts.shapes import ACTIVE
from services.gateway.board.state import NOTHING, Hold, Job, Status, Target, Version, Why

DEPLOYABLE: Final = "deployableVersion"
BAD_MARK: Final = "badMark"
APPROVAL: Final = "anyApproval"
RETRY: Final = "retry"
FREEZE: Final = "freeze"
PROGRESSION: Final = "environmentProgression"
TURN: Final = "gradualRollout"

_ENDED: Final = frozenset({"cancelled", "skipped"})
"""A job that somebody ended: nothing failed, and nothing goes on by itself."""
_NO_AGENT: Final = frozenset({"invalidJobAgent", "invalidIntegration", "externalRunNotFound"})
_MAY_GO: Final = frozenset({"ready", "paused"})
_FIRST: Final = (datetime.min.replace(tzinfo=UTC), "")
_LATE: Final = ("versionOrder", TURN)
"""Rules whose turn comes after all others: beside another one they tell the less."""


class Standing(NamedTuple):
    """How a target stands, and when time alone ends that."""

    why: Why
    until: datetime | None = None


def standing_of(target: Target, versions: Map[str, Version]) -> Standing:
    """How a target stands: what was tried there last comes before what is to come, what is under way before what waits."""
    for judge in (_under_way, _went_back, _ended_badly, _checked):
        if (found := judge(target)) is not None:
            return found
    holds = _that_matter(target, versions)
    own = [one for one in holds if one.version_id == target.desired]
    if not own and _is_going(target, versions):
        return _going(target)
    if holds:
        newest = max(holds, key=lambda one: _rank(versions, one.version_id)).version_id
        return _held([one for one in holds if one.version_id == newest], versions)
    if target.runs:
        return Standing(Why("healthy", "runs", target.running))
    return Standing(NOTHING)


def is_settled(target: Target) -> bool:
    """Whether what runs was found healthy: its job succeeded, and no verification of it runs, failed or came to nothing."""
    return (
        bool(target.runs)
        and all(one.status == "successful" for one in target.jobs)
        and all(one.status in ("passed", "cancelled") for one in target.checks)
    )


# --- what was tried ----------------------------------------------------------------------------------------------------------------


def _under_way(target: Target) -> Standing | None:
    active = [job for job in target.jobs if job.status in ACTIVE]
    if not active:
        return None
    if any(job.status == "actionRequired" for job in active):
        return Standing(Why("blocked", "job waits", active[0].version_id))
    job = active[0]
    return Standing(Why("progressing", "going back" if job.rollback else "job", job.version_id))


def _went_back(target: Target) -> Standing | None:
    """The target left a version that was bad here, until something newer is wanted."""
    back = target.back
    if back is None:
        return None
    status: Status = "blocked" if back.by_hand else "failed"
    if back.to_version_id is None:
        return Standing(Why(status, "nothing to go back to", back.version_id, message=back.reason))
    if (
        not any(job.release_id == back.release_id and job.rollback for job in target.jobs)
        and target.running != back.to_version_id
    ):
        return Standing(Why("progressing", "going back", back.to_version_id, message=back.reason))
    if _ended_badly(target) is not None:
        return None
    return Standing(Why(status, "went back", back.version_id, back.to_version_id, message=back.reason, cause=back.cause))


def _ended_badly(target: Target) -> Standing | None:
    """The newest job did not succeed, and no other release is wanted instead."""
    bad = next((job for job in target.jobs if job.status != "successful"), None)
    if bad is None or (target.release and target.release != bad.release_id):
        return None
    retry = next((one for one in target.holds if one.rule_type == RETRY and one.version_id == bad.version_id), None)
    if retry is not None and retry.verdict == "waiting":
        return Standing(_why_held(retry, "pending"), retry.until)
    return Standing(_bad(bad))


def _bad(job: Job) -> Why:
    if job.status in _ENDED:
        return Why("blocked", "job ended", job.version_id, job.status)
    return Why("failed", "no agent" if job.status in _NO_AGENT else "job failed", job.version_id, job.status)


def _checked(target: Target) -> Standing | None:
    """What measuring of the newest jobs came to; a version that runs unhealthily is told of before what waits to replace it."""
    if not target.jobs or (target.release and target.release != target.jobs[0].release_id):
        return None
    of = target.jobs[0].version_id
    for status in ("failed", "running", "inconclusive"):
        check = next((one for one in target.checks if one.status == status), None)
        if check is None:
            continue
        if status == "running":
            return Standing(Why("progressing", "checking", of))
        if status == "failed":
            return Standing(Why("failed", "check failed", of, check.metric))
        return Standing(Why("blocked", "check unclear", of, check.metric))
    return None


# --- what is to come ---------------------------------------------------------------------------------------------------------------


def _is_going(target: Target, versions: Map[str, Version]) -> bool:
    """Whether a release is wanted that no job was made for yet."""
    if not target.desired or any(job.release_id == target.release for job in target.jobs):
        return False
    version = versions.get(target.desired)
    return version is not None and version.status in _MAY_GO


def _going(target: Target) -> Standing:
    place = target.place
    if place is not None and place.release_id == target.release:
        return Standing(Why("pending", "place", target.desired, place.agent_name))
    return Standing(Why("progressing", "going", target.desired))


def _that_matter(target: Target, versions: Map[str, Version]) -> list[Hold]:
    """Holds of versions that somebody wants there: not of older ones than the desired one, nor of those that may go nowhere."""
    least = _rank(versions, target.desired)
    found = []
    for one in target.holds:
        version = versions.get(one.version_id)
        if version is None or version.rank < least:
            continue
        if one.rule_type == DEPLOYABLE and version.status in ("rejected", "failed"):
            continue
        found.append(one)
    return found


def _held(holds: list[Hold], versions: Map[str, Version]) -> Standing:
    """Of several holds of one version that tells most about which somebody can do something; of waits the last to end."""
    statuses = {one: _status(one, versions) for one in holds}

    def weight(one: Hold) -> tuple[bool, bool, bool, bool, datetime, str, str]:
        status, timed = statuses[one], one.until is not None
        return (
            status == "blocked", status == "paused", one.rule_type not in _LATE, timed, one.until or one.since, one.rule_type, one.rule_id,
        )  # fmt: skip

    best = max(holds, key=weight)
    return Standing(_why_held(best, statuses[best]), best.until)


def _status(one: Hold, versions: Map[str, Version]) -> Status:
    if one.rule_type == DEPLOYABLE:
        return "paused" if versions[one.version_id].status == "paused" else "pending"
    if one.verdict == "blocked" or one.rule_type == APPROVAL:
        return "blocked"
    return "pending"


def _why_held(one: Hold, status: Status) -> Why:
    return Why(status, "hold", one.version_id, one.rule_type, one.policy_id, one.rule_id, one.message)


def _rank(versions: Map[str, Version], version_id: str) -> tuple[datetime, str]:
    version = versions.get(version_id)
    return version.rank if version is not None else _FIRST
