"""How an object in a cluster stands: a Job as its conditions say, a rollout as `libs/kubernetes` reads it; pure.

https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from contracts.shapes import Json
from libs.kubernetes.rollouts import Status, because, condition_of, number_of, part_of, rollout

WATCHED: Final[Mapping[tuple[str, str], str]] = {
    ("batch/v1", "Job"): "jobs",
    ("v1", "Pod"): "pods",
    ("apps/v1", "Deployment"): "deployments",
    ("apps/v1", "StatefulSet"): "statefulsets",
    ("apps/v1", "DaemonSet"): "daemonsets",
}
"""Kinds that take time after they were applied, with their names in paths; of any other, being applied is all."""

MAX_SAID: Final = 300
_STATES: Final[Mapping[Status, Literal["running", "done", "failed", "gone"]]] = {
    "complete": "done",
    "progressing": "running",
    "failed": "failed",
    "missing": "gone",
}


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
    if part_of(document, "metadata").get("deletionTimestamp") is not None:
        return Standing("gone", "is being deleted")
    match document.get("kind"):
        case "Job":
            return _job(document)
        case "Pod":
            return _pod(document)
        case "Deployment" | "StatefulSet" | "DaemonSet" as kind:
            if part_of(part_of(document, "spec"), "updateStrategy").get("type", "RollingUpdate") != "RollingUpdate":
                return Standing("done", "is applied")  # somebody else decides when a pod is replaced
            came_to = rollout(kind, document)
            return Standing(_STATES[came_to.status], came_to.message)
        case _:
            return Standing("done", "is applied")


def _job(document: Json) -> Standing:
    spec, status = part_of(document, "spec"), part_of(document, "status")
    wanted, succeeded, active, failed = (
        number_of(spec, "completions", 0),
        number_of(status, "succeeded"),
        number_of(status, "active"),
        number_of(status, "failed"),
    )
    if (why := condition_of(document, "Failed")) is not None:
        return Standing("failed", f"failed{because(why)}")
    if condition_of(document, "Complete") is not None or (wanted and succeeded >= wanted):
        return Standing("done", f"is through: {succeeded} succeeded")
    if condition_of(document, "Suspended") is not None:
        return Standing("running", "is suspended")
    of = f" of {wanted}" if wanted else ""
    lost = f", {failed} failed" if failed else ""
    return Standing("running", f"runs: {active} active, {succeeded}{of} succeeded{lost}")


def _pod(document: Json) -> Standing:
    status = part_of(document, "status")
    phase = status.get("phase") or "Pending"
    why = " ".join(str(status[key]) for key in ("reason", "message") if status.get(key))[:MAX_SAID]
    match phase:
        case "Succeeded":
            return Standing("done", "is through")
        case "Failed":
            return Standing("failed", f"failed{f': {why}' if why else ''}")
    if part_of(document, "spec").get("restartPolicy", "Always") == "Always" and condition_of(document, "Ready") is not None:
        return Standing("done", "is ready")
    return Standing("running", f"is {phase}")
