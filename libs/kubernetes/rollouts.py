"""How far a workload is rolled out, as `kubectl rollout status` reads it, and a Job as its conditions say; pure.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#rolling-updates
https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/
https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from contracts.shapes import Json

Kind: TypeAlias = Literal["Deployment", "StatefulSet", "DaemonSet", "Job"]
Status: TypeAlias = Literal["complete", "progressing", "failed", "missing"]

MAX_SAID: Final = 200
"""Characters of the cluster's own words that a message repeats."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far a workload is.

    Attributes:
        status: `complete`: it is as it was wished; `failed`: it will not be unless somebody changes something; `missing`: it is not there, or
            about to be no more.
        message: for people, the rest of a sentence that begins with the workload.
        counts: `desired`, `updated`, `ready`, `available` pods; of a Job `desired`, `ready`, `succeeded`, `failed`.
    """

    status: Status
    message: str
    counts: Mapping[str, int] = field(default_factory=dict)


MISSING: Final = Rollout("missing", "is not there")


def rollout(kind: Kind, document: Json) -> Rollout:
    """How far a workload is, as the API server shows it."""
    counts = _COUNTS[kind](part_of(document, "spec"), part_of(document, "status"))
    if part_of(document, "metadata").get("deletionTimestamp") is not None:
        return Rollout("missing", "is being deleted", counts)
    status, message = _RULES[kind](document, counts)
    return Rollout(status, message, counts)


_Counts: TypeAlias = dict[str, int]
_Judged: TypeAlias = tuple[Status, str]
_WAITS: Final[_Judged] = ("progressing", "waits for its controller")
_DONE: Final[_Judged] = ("complete", "is rolled out")


def _deployment(document: Json, counts: _Counts) -> _Judged:
    if not _is_observed(document):
        return _WAITS
    stuck = condition_of(document, "Progressing", "False")
    if stuck is not None and stuck.get("reason") == "ProgressDeadlineExceeded":
        return "failed", f"exceeded its progress deadline{because(stuck)}"
    wanted, updated, available = counts["desired"], counts["updated"], counts["available"]
    replicas = number_of(part_of(document, "status"), "replicas")
    why = because(condition_of(document, "ReplicaFailure")) or (
        ", and it is paused" if part_of(document, "spec").get("paused") is True else ""
    )
    if updated < wanted:
        return "progressing", f"rolls out: {updated} of {wanted} replicas are updated{why}"
    if replicas > updated:
        return "progressing", f"rolls out: {replicas - updated} old replicas are to end{why}"
    if available < updated:
        return "progressing", f"rolls out: {available} of {updated} updated replicas are available{why}"
    return _DONE


def _stateful_set(document: Json, counts: _Counts) -> _Judged:
    status = part_of(document, "status")
    # Nothing was ever observed where the status says 0.
    if not number_of(status, "observedGeneration") or not _is_observed(document):
        return _WAITS
    wanted, updated, ready = counts["desired"], counts["updated"], counts["ready"]
    if ready < wanted:
        return "progressing", f"rolls out: {ready} of {wanted} replicas are ready"
    strategy = part_of(part_of(document, "spec"), "updateStrategy")
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return _by_hand(ready, strategy)
    kept = number_of(part_of(strategy, "rollingUpdate"), "partition")
    if kept:
        if updated < wanted - kept:
            return "progressing", f"rolls out: {updated} of {wanted - kept} replicas are updated"
        return "complete", f"is rolled out to its partition: {updated} replicas are updated"
    if status.get("updateRevision") != status.get("currentRevision"):
        return "progressing", f"rolls out: {updated} of {wanted} replicas are updated"
    return _DONE


def _daemon_set(document: Json, counts: _Counts) -> _Judged:
    if not _is_observed(document):
        return _WAITS
    wanted, updated, ready, available = counts["desired"], counts["updated"], counts["ready"], counts["available"]
    strategy = part_of(part_of(document, "spec"), "updateStrategy")
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        if ready < wanted:
            return "progressing", f"rolls out: {ready} of {wanted} pods are ready"
        return _by_hand(ready, strategy)
    if updated < wanted:
        return "progressing", f"rolls out: {updated} of {wanted} pods are updated"
    if available < wanted:
        return "progressing", f"rolls out: {available} of {wanted} updated pods are available"
    return _DONE


def _by_hand(ready: int, strategy: Json) -> _Judged:
    """kubectl knows no answer here; somebody else decides when a pod is replaced, so that all that can be judged is that all are ready."""
    return "complete", f"has all {ready} pods ready; with {strategy.get('type')} pods are updated when they are deleted"


def _job(document: Json, counts: _Counts) -> _Judged:
    wanted, succeeded, failed = counts["desired"], counts["succeeded"], counts["failed"]
    if (why := condition_of(document, "Failed")) is not None:
        return "failed", f"failed{because(why)}"
    if condition_of(document, "Complete") is not None:
        return "complete", f"is through: {succeeded} succeeded"
    if condition_of(document, "Suspended") is not None:
        return "progressing", "is suspended"
    lost = f", {failed} failed" if failed else ""
    return "progressing", f"runs: {succeeded} of {wanted} succeeded{lost}"


def _replicated(spec: Json, status: Json) -> _Counts:
    names = {"updated": "updatedReplicas", "ready": "readyReplicas", "available": "availableReplicas"}
    return {"desired": number_of(spec, "replicas", 1), **{key: number_of(status, name) for key, name in names.items()}}


def _scheduled(spec: Json, status: Json) -> _Counts:
    names = {
        "desired": "desiredNumberScheduled",
        "updated": "updatedNumberScheduled",
        "ready": "numberReady",
        "available": "numberAvailable",
    }
    return {key: number_of(status, name) for key, name in names.items()}


def _completed(spec: Json, status: Json) -> _Counts:
    # A Job without completions is through when any one of its pods is.
    return {
        "desired": number_of(spec, "completions", 1),
        **{key: number_of(status, key) for key in ("ready", "succeeded", "failed")},
    }


_COUNTS: Final[Mapping[Kind, Callable[[Json, Json], _Counts]]] = {
    "Deployment": _replicated,
    "StatefulSet": _replicated,
    "DaemonSet": _scheduled,
    "Job": _completed,
}
_RULES: Final[Mapping[Kind, Callable[[Json, _Counts], _Judged]]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
}


def _is_observed(document: Json) -> bool:
    """Whether its controller has seen what was applied; until then its status tells of what was before."""
    return number_of(part_of(document, "metadata"), "generation") <= number_of(part_of(document, "status"), "observedGeneration")


def condition_of(document: Json, type_: str, status: str = "True") -> Json | None:
    """The condition of a type where it has that status."""
    conditions = part_of(document, "status").get("conditions")
    for one in conditions if isinstance(conditions, list) else ():
        if isinstance(one, dict) and one.get("type") == type_ and one.get("status") == status:
            return one
    return None


def because(condition: Json | None) -> str:
    """A condition's reason and message in brackets, bounded; empty where it has none."""
    said = ": ".join(str(condition[key]) for key in ("reason", "message") if condition.get(key)) if condition else ""
    return f" ({said[:MAX_SAID].rstrip('.')})" if said else ""


def part_of(document: Mapping[str, Any], key: str) -> Json:
    """An object within; an empty one where there is none."""
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def number_of(document: Mapping[str, Any], key: str, default: int = 0) -> int:
    """A whole number within."""
    value = document.get(key)
    return value if isinstance(value, int) else default
