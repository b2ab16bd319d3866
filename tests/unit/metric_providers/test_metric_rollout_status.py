"""How far workloads are, row by row as `kubectl rollout status` and the conditions of Jobs have it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.shapes import Json
from libs.kubernetes.rollouts import MISSING, Kind, Rollout, rollout
from libs.metric_providers.kubernetes import Seen, result_of

SAME = {"updateRevision": "a", "currentRevision": "a"}
OTHER = {"updateRevision": "b", "currentRevision": "a"}
BY_HAND: Json = {"updateStrategy": {"type": "OnDelete"}}


def of(status: Json, generation: int = 2, **spec: Any) -> Json:
    return {"metadata": {"generation": generation}, "spec": spec, "status": {"observedGeneration": 2, **status}}


def replicas(updated: int, ready: int, available: int, **more: Any) -> Json:
    return {"updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": available, **more}


def pods(desired: int, updated: int, ready: int, available: int) -> Json:
    return {
        "desiredNumberScheduled": desired,
        "updatedNumberScheduled": updated,
        "numberReady": ready,
        "numberAvailable": available,
    }


def is_(type_: str, status: str = "True", reason: str = "", message: str = "") -> Json:
    return {"conditions": [{"type": type_, "status": status, "reason": reason, "message": message}]}


def rolling(partition: int) -> Json:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}}


EXCEEDED = is_("Progressing", "False", "ProgressDeadlineExceeded", "timed out.")


@pytest.mark.parametrize(
    "kind,document,status,said",
    [
        ("Deployment", of(replicas(3, 3, 3, replicas=3), 3, replicas=3), "progressing", "waits for its controller"),
        ("Deployment", of({}, replicas=0), "complete", "is rolled out"),
        ("Deployment", of({}), "progressing", "0 of 1 replicas are updated"),
        ("Deployment", of(replicas(1, 2, 2, replicas=2), replicas=2), "progressing", "1 of 2 replicas are updated"),
        ("Deployment", of(replicas(1, 2, 2, replicas=2), replicas=2, paused=True), "progressing", "updated, and it is paused"),
        (
            "Deployment",
            of({**replicas(1, 1, 1), **is_("ReplicaFailure", reason="FailedCreate", message="exceeded quota")}, replicas=2),
            "progressing",
            "updated (FailedCreate: exceeded quota)",
        ),
        ("Deployment", of(replicas(2, 3, 3, replicas=3), replicas=2), "progressing", "1 old replicas are to end"),
        ("Deployment", of(replicas(2, 2, 1, replicas=2), replicas=2), "progressing", "1 of 2 updated replicas are available"),
        ("Deployment", of(replicas(2, 2, 2, replicas=2), replicas=2), "complete", "is rolled out"),
        ("Deployment", of(EXCEEDED), "failed", "exceeded its progress deadline (ProgressDeadlineExceeded: timed out)"),
        ("Deployment", of(EXCEEDED, 3), "progressing", "waits"),
        ("Deployment", of(is_("Progressing", "False", "Other")), "progressing", "0 of 1"),
        ("StatefulSet", of({"observedGeneration": 0, **SAME}, 0, replicas=0), "progressing", "waits for its controller"),
        ("StatefulSet", of({**replicas(3, 3, 3), **SAME}, 3, replicas=3), "progressing", "waits for its controller"),
        ("StatefulSet", of({**replicas(3, 2, 2), **SAME}, replicas=3), "progressing", "2 of 3 replicas are ready"),
        ("StatefulSet", of({**replicas(1, 3, 3), **OTHER}, replicas=3), "progressing", "1 of 3 replicas are updated"),
        ("StatefulSet", of({**replicas(3, 3, 3), **SAME}, replicas=3, **rolling(0)), "complete", "is rolled out"),
        (
            "StatefulSet",
            of({**replicas(0, 3, 3), **OTHER}, replicas=3, **rolling(2)),
            "progressing",
            "0 of 1 replicas are updated",
        ),
        ("StatefulSet", of({**replicas(1, 3, 3), **OTHER}, replicas=3, **rolling(2)), "complete", "to its partition: 1 replicas"),
        ("StatefulSet", of({**replicas(0, 2, 2), **OTHER}, replicas=3, **BY_HAND), "progressing", "2 of 3 replicas are ready"),
        ("StatefulSet", of({**replicas(0, 3, 3), **OTHER}, replicas=3, **BY_HAND), "complete", "with OnDelete"),
        ("DaemonSet", of(pods(2, 2, 2, 2), 3), "progressing", "waits for its controller"),
        ("DaemonSet", of(pods(2, 1, 2, 2)), "progressing", "1 of 2 pods are updated"),
        ("DaemonSet", of(pods(2, 2, 1, 1)), "progressing", "1 of 2 updated pods are available"),
        ("DaemonSet", of(pods(2, 2, 2, 2)), "complete", "is rolled out"),
        ("DaemonSet", of(pods(0, 0, 0, 0)), "complete", "is rolled out"),
        ("DaemonSet", of(pods(2, 0, 1, 1), **BY_HAND), "progressing", "1 of 2 pods are ready"),
        ("DaemonSet", of(pods(2, 0, 2, 2), **BY_HAND), "complete", "has all 2 pods ready; with OnDelete"),
        ("Job", of({"active": 1, "succeeded": 1, "failed": 3}, completions=2), "progressing", "1 of 2 succeeded, 3 failed"),
        ("Job", of({"succeeded": 2}, completions=2), "progressing", "2 of 2 succeeded"),
        ("Job", of({"succeeded": 2, **is_("Complete")}, completions=2), "complete", "is through: 2 succeeded"),
        ("Job", of(is_("Complete", "False")), "progressing", "0 of 1 succeeded"),
        ("Job", of(is_("Suspended")), "progressing", "is suspended"),
        ("Job", of(is_("Failed", reason="BackoffLimitExceeded")), "failed", "failed (BackoffLimitExceeded)"),
    ],
)
def test_each_row_of_the_rules(kind: Kind, document: Json, status: str, said: str) -> None:
    seen = rollout(kind, document)
    assert (seen.status, said in seen.message) == (status, True), seen


def test_what_is_being_deleted_is_as_good_as_missing() -> None:
    document = of(replicas(1, 1, 1, replicas=1))
    document["metadata"]["deletionTimestamp"] = "2026-05-01T12:00:00Z"
    assert rollout("Deployment", document).status == "missing"


@pytest.mark.parametrize(
    "kind,document,counts",
    [
        ("Deployment", of(replicas(2, 3, 1), replicas=4), {"desired": 4, "updated": 2, "ready": 3, "available": 1}),
        ("StatefulSet", of(replicas(2, 3, 1)), {"desired": 1, "updated": 2, "ready": 3, "available": 1}),
        ("DaemonSet", of(pods(4, 3, 2, 1)), {"desired": 4, "updated": 3, "ready": 2, "available": 1}),
        (
            "Job",
            of({"ready": 1, "succeeded": 2, "failed": 3}, completions=4),
            {"desired": 4, "ready": 1, "succeeded": 2, "failed": 3},
        ),
    ],
)
def test_pods_are_counted(kind: Kind, document: Json, counts: dict[str, int]) -> None:
    assert rollout(kind, document).counts == counts


def seen(*statuses: str) -> list[Seen]:
    known = {"missing": MISSING}
    return [Seen("Job", f"job-{n}", "shop", known.get(one) or Rollout(one, "stands so")) for n, one in enumerate(statuses)]  # type: ignore[arg-type]  # parametrized


@pytest.mark.parametrize(
    "statuses,ok,failed,value",
    [
        (("complete", "complete"), True, False, 1.0),
        (("complete", "progressing"), False, False, 0.5),
        (("complete", "failed", "progressing", "progressing"), False, True, 0.25),
        (("complete", "missing"), False, False, 0.5),
        (("failed",), False, True, 0.0),
    ],
)
def test_workloads_are_complete_when_each_one_is(statuses: tuple[str, ...], ok: bool, failed: bool, value: float) -> None:
    result = result_of(seen(*statuses))
    assert {key: result.get(key) for key in ("ok", "complete", "failed", "value", "noData")} == {
        "ok": ok,
        "complete": ok,
        "failed": failed,
        "value": value,
        "noData": None,
    }
    assert [one["status"] for one in result["workloads"]] == list(statuses)


@pytest.mark.parametrize("statuses", [(), ("missing",), ("missing", "missing")])
def test_where_nothing_is_there_is_no_data(statuses: tuple[str, ...]) -> None:
    result = result_of(seen(*statuses))
    assert (result["noData"], result["ok"], "value" in result) == (True, False, False)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["metadata", "spec", "status", "conditions", "replicas", "type", "generation", "updateStrategy", "rollingUpdate"]),
        inner,
        max_size=4,
    )
)  # fmt: skip


@given(st.sampled_from(["Deployment", "StatefulSet", "DaemonSet", "Job"]), st.dictionaries(
    st.sampled_from(["metadata", "spec", "status"]), ANY_JSON))  # fmt: skip
def test_whatever_an_object_looks_like_it_stands_somehow(kind: Kind, document: Json) -> None:
    assert rollout(kind, document).status in ("complete", "progressing", "failed", "missing")
