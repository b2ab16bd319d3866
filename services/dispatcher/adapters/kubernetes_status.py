"""How an object in a cluster stands: a Job as its conditions say, a rollout as `kubectl rollout status` reads it; pure.

https://kubernetes.io/docs/concepts/workloads/controllers/job/
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from contracts.shapes import Json

WATCHED: Final[Mapping[tuple[str, str], str]] = {
    ("batch/v1", "Job"): "jobs",
    ("v1", "Pod"): "pods",
    ("apps/v1", "Deployment"): "deployments",
    ("apps/v1", "StatefulSet"): "statefulsets",
    ("apps/v1", "DaemonSet"): "daemonsets",
}
"""Kinds that take time after they were applied, with their names in paths; of any other, being applied is all."""

MAX_SAID: Final = 300


@dataclass(frozen=True, slots=True)
class Standing:
    """How an object stands.

    Attributes:
        state: `done`: it is as it was wished; `failed`: it will not be; `gone`: it is about to be no more.
        said: for people, a part of a sentence.
    """

    state: Literal["running", "done", "failed", "gone"]
    said: str


def standing(document: Json) -> Standing:
    """How an object stands, as the API server shows it; one whose kind is not watched is done."""
    if _map(document, "metadata").get("deletionTimestamp") is not None:
        return Standing("gone", "is being deleted")
    match document.get("kind"):
        case "Job":
            return _job(document)
        case "Pod":
            return _pod(document)
        case "Deployment":
            return _deployment(document)
        case "StatefulSet":
            return _stateful_set(document)
        case "DaemonSet":
            return _daemon_set(document)
        case _:
            return Standing("done", "is applied")


def _job(document: Json) -> Standing:
    spec, status = _map(document, "spec"), _map(document, "status")
    wanted, succeeded, active, failed = (
        _number(spec, "completions", 0),
        _number(status, "succeeded"),
        _number(status, "active"),
        _number(status, "failed"),
    )
    if (why := _condition(document, "Failed")) is not None:
        return Standing("failed", f"failed{_because(why)}")
    if _condition(document, "Complete") is not None or (wanted and succeeded >= wanted):
        return Standing("done", f"is through: {succeeded} succeeded")
    if _condition(document, "Suspended") is not None:
        return Standing("running", "is suspended")
    of = f" of {wanted}" if wanted else ""
    lost = f", {failed} failed" if failed else ""
    return Standing("running", f"runs: {active} active, {succeeded}{of} succeeded{lost}")


def _pod(document: Json) -> Standing:
    status = _map(document, "status")
    phase = status.get("phase") or "Pending"
    why = " ".join(str(status[key]) for key in ("reason", "message") if status.get(key))[:MAX_SAID]
    match phase:
        case "Succeeded":
            return Standing("done", "is through")
        case "Failed":
            return Standing("failed", f"failed{f': {why}' if why else ''}")
    if _map(document, "spec").get("restartPolicy", "Always") == "Always" and _condition(document, "Ready") is not None:
        return Standing("done", "is ready")
    return Standing("running", f"is {phase}")


def _deployment(document: Json) -> Standing:
    spec, status = _map(document, "spec"), _map(document, "status")
    if not _is_observed(document):
        return Standing("running", "waits for its controller")
    stuck = _condition(document, "Progressing", "False")
    if stuck is not None and stuck.get("reason") == "ProgressDeadlineExceeded":
        return Standing("failed", f"exceeded its progress deadline{_because(stuck)}")
    wanted = _number(spec, "replicas", 1)
    replicas, updated, available = (_number(status, key) for key in ("replicas", "updatedReplicas", "availableReplicas"))
    paused = ", and it is paused" if spec.get("paused") is True else ""
    if updated < wanted:
        return Standing("running", f"rolls out: {updated} of {wanted} replicas are updated{paused}")
    if replicas > updated:
        return Standing("running", f"rolls out: {replicas - updated} old replicas are to end{paused}")
    if available < updated:
        return Standing("running", f"rolls out: {available} of {updated} updated replicas are available{paused}")
    return Standing("done", "is rolled out")


def _stateful_set(document: Json) -> Standing:
    spec, status = _map(document, "spec"), _map(document, "status")
    strategy = _map(spec, "updateStrategy")
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return Standing("done", "is applied")
    if not _number(status, "observedGeneration") or not _is_observed(document):
        return Standing("running", "waits for its controller")
    wanted = _number(spec, "replicas", 1)
    ready, updated = _number(status, "readyReplicas"), _number(status, "updatedReplicas")
    if ready < wanted:
        return Standing("running", f"rolls out: {ready} of {wanted} replicas are ready")
    kept = _number(_map(strategy, "rollingUpdate"), "partition")
    if kept:
        if updated < wanted - kept:
            return Standing("running", f"rolls out: {updated} of {wanted - kept} replicas are updated")
        return Standing("done", f"is rolled out to its partition: {updated} replicas are updated")
    if status.get("updateRevision") != status.get("currentRevision"):
        return Standing("running", f"rolls out: {updated} of {wanted} replicas are updated")
    return Standing("done", "is rolled out")


def _daemon_set(document: Json) -> Standing:
    status = _map(document, "status")
    if _map(_map(document, "spec"), "updateStrategy").get("type", "RollingUpdate") != "RollingUpdate":
        return Standing("done", "is applied")
    if not _is_observed(document):
        return Standing("running", "waits for its controller")
    wanted, updated, available = (
        _number(status, key) for key in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    )
    if updated < wanted:
        return Standing("running", f"rolls out: {updated} of {wanted} pods are updated")
    if available < wanted:
        return Standing("running", f"rolls out: {available} of {wanted} updated pods are available")
    return Standing("done", "is rolled out")


def _is_observed(document: Json) -> bool:
    """Whether its controller has seen what was applied; until then its status tells of what was before."""
    return _number(_map(document, "metadata"), "generation") <= _number(_map(document, "status"), "observedGeneration")


def _condition(document: Json, type_: str, status: str = "True") -> Json | None:
    conditions = _map(document, "status").get("conditions")
    for one in conditions if isinstance(conditions, list) else ():
        if isinstance(one, dict) and one.get("type") == type_ and one.get("status") == status:
            return one
    return None


def _because(condition: Json) -> str:
    said = ": ".join(str(condition[key]) for key in ("reason", "message") if condition.get(key))[:MAX_SAID]
    return f" ({said.rstrip('.')})" if said else ""


def _map(document: Mapping[str, Any], key: str) -> Json:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _number(document: Mapping[str, Any], key: str, default: int = 0) -> int:
    value = document.get(key)
    return value if isinstance(value, int) else default
