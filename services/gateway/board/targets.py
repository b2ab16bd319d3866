"""The targets of a cell as rows, in the order of its rollout, page by page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from contracts.documents import stamp
from contracts.shapes import Json
from contracts.shapes import Target as Key
from services.gateway.board.standing import RETRY
from services.gateway.board.state import STATUSES, Board, Hold, Pair, Status, Target
from services.gateway.board.words import told

ROLLOUT: Final = "rollout"
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_PLACE: Final[dict[Status, int]] = {one: place for place, one in enumerate(STATUSES)}


def topic_of(pair_key: str) -> str:
    """The topic that carries the targets of a pair."""
    return f"{ROLLOUT}:{pair_key}"


def target_row(board: Board, pair: Pair, resource_id: str, version_id: str | None = None) -> Json:
    """A target.

    Args:
        version_id: tell where this version stands there; else the one that the target itself is about.
    """
    target = pair.targets[resource_id]
    resource = board.resources.get(resource_id)
    said = told(board, pair, target.why, timed=target.until is not None, counted=False)
    about = version_id or target.why.version_id or target.desired
    row: Json = {
        "key": Key(resource_id, pair.environment_id, pair.deployment_id).key,
        "resourceId": resource_id,
        "identifier": resource.identifier if resource is not None else "",
        "name": resource.name if resource is not None else "",
        "kind": resource.kind if resource is not None else "",
        "status": target.why.status,
        "reason": said.reason,
        "message": said.message,
        "until": stamp(target.until) if target.until is not None else None,
        "since": stamp(target.since) if target.since is not None else None,
        "desired": _version(board, target.desired),
        "current": _version(board, target.running),
        "pinned": _version(board, target.pin or pair.pin),
        "job": _job(target),
        "verification": _verification(target),
        "version": _version(board, about),
        "verdict": _verdict(target, about),
        "holds": [_hold(one) for one in target.holds if one.version_id == about],
    }
    return row


def in_order(board: Board, pair: Pair, status: Status | None = None) -> list[str]:
    """Ids of a cell's targets of a status: what failed or is held first, then what is under way, then by when it is its turn; else by identifier."""
    resources = board.resources
    keys = [
        (_PLACE[target.why.status], target.until or _NEVER, named.identifier if (named := resources.get(id_)) else "", id_)
        for id_, target in pair.targets.items()
        if status is None or target.why.status == status
    ]
    keys.sort()
    return [key[3] for key in keys]


def page(
    board: Board, pair: Pair, *, status: Status | None, limit: int, offset: int, version_id: str | None
) -> tuple[list[Json], int]:
    """A part of the targets, and how many there are of the status that is asked for (None: all)."""
    ids = in_order(board, pair, status)
    rows = []
    for number, one in enumerate(ids[offset : offset + limit], offset):
        rows.append({**target_row(board, pair, one, version_id), "order": number})
    return rows, len(ids)


def _verdict(target: Target, version_id: str) -> str:
    """Where a version stands there: `running`, `going`, `failed`, `marked`, `blocked`, `waiting`, or `passed` for none of these."""
    if not version_id:
        return "none"
    if version_id in target.marked:
        return "marked"
    if target.why.version_id == version_id and target.why.status == "failed":
        return "failed"
    if target.why.version_id == version_id and target.why.status == "progressing":
        return "going"
    verdicts = {one.verdict for one in target.holds if one.version_id == version_id and one.rule_type != RETRY}
    if verdicts:
        return "blocked" if "blocked" in verdicts else "waiting"
    if target.running == version_id:
        return "running"
    return "going" if target.desired == version_id else "passed"


def _hold(one: Hold) -> Json:
    return {
        "policyId": one.policy_id,
        "ruleId": one.rule_id,
        "ruleType": one.rule_type,
        "verdict": one.verdict,
        "message": one.message,
        "until": stamp(one.until) if one.until is not None else None,
        "since": stamp(one.since),
    }


def _job(target: Target) -> Json | None:
    if not target.jobs:
        return None
    job = target.jobs[-1]
    row: Json = {
        "id": job.job_id,
        "status": job.status,
        "attempt": job.attempt,
        "rollback": job.rollback,
        "createdAt": stamp(job.made_at),
    }
    if job.message:
        row["message"] = job.message
    return row


def _verification(target: Target) -> str | None:
    """What measuring of the newest jobs comes to, all of it together."""
    states = {one.status for one in target.checks}
    return next((one for one in ("failed", "running", "inconclusive", "cancelled", "passed") if one in states), None)


def _version(board: Board, version_id: str) -> Json | None:
    version = board.versions.get(version_id)
    return {"versionId": version_id, "tag": version.tag} if version is not None else None
