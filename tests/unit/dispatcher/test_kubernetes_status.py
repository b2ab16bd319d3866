"""How objects of a cluster stand, row by row as `kubectl rollout status` and the conditions of Jobs have it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.shapes import Json
from services.dispatcher.adapters.kubernetes_status import standing


def of(kind: str, status: Json, generation: int = 2, **spec: Any) -> Json:
    return {"kind": kind, "metadata": {"generation": generation}, "spec": spec, "status": {"observedGeneration": 2, **status}}


def is_(type_: str, status: str = "True", reason: str = "") -> Json:
    return {"conditions": [{"type": type_, "status": status, "reason": reason}]}


ROLLING: Json = {"updateStrategy": {"type": "RollingUpdate"}}
BY_HAND: Json = {"updateStrategy": {"type": "OnDelete"}}
FIRST_ONE: Json = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}
SAME = {"updateRevision": "a", "currentRevision": "a"}


@pytest.mark.parametrize(
    "document,state,said",
    [
        (of("Job", {}, completions=2), "running", "0 active, 0 of 2 succeeded"),
        (of("Job", {"active": 1, "succeeded": 1, "failed": 3}, completions=2), "running", "1 active, 1 of 2 succeeded, 3 failed"),
        (of("Job", {"succeeded": 2}, completions=2), "done", "2 succeeded"),
        (of("Job", {"active": 1}), "running", "1 active, 0 succeeded"),
        (of("Job", {"succeeded": 1, "active": 1}), "running", "1 succeeded"),
        (of("Job", {"succeeded": 1, **is_("Complete")}), "done", "is through"),
        (of("Job", is_("Complete", "False")), "running", "0 active"),
        (of("Job", is_("Suspended")), "running", "is suspended"),
        (of("Job", is_("Failed", reason="DeadlineExceeded"), completions=1), "failed", "failed (DeadlineExceeded)"),
        (of("Job", {"succeeded": 1, **is_("Failed")}, completions=1), "failed", "failed"),
        (of("Pod", {}), "running", "is Pending"),
        (of("Pod", {"phase": "Running", **is_("Ready")}), "done", "is ready"),
        (of("Pod", {"phase": "Running", **is_("Ready", "False")}), "running", "is Running"),
        (of("Pod", {"phase": "Running", **is_("Ready")}, restartPolicy="Never"), "running", "is Running"),
        (of("Pod", {"phase": "Succeeded"}, restartPolicy="Never"), "done", "is through"),
        (of("Pod", {"phase": "Failed"}), "failed", "failed"),
        (of("Deployment", {}, 3), "running", "waits for its controller"),
        (of("Deployment", {}, replicas=0), "done", "is rolled out"),
        (of("Deployment", {}), "running", "0 of 1 replicas are updated"),
        (
            of("Deployment", {"updatedReplicas": 1}, replicas=2, paused=True),
            "running",
            "1 of 2 replicas are updated, and it is paused",
        ),
        (of("Deployment", {"replicas": 3, "updatedReplicas": 2}, replicas=2), "running", "1 old replicas are to end"),
        (of("Deployment", {"replicas": 2, "updatedReplicas": 2}, replicas=2), "running", "0 of 2 updated replicas"),
        (of("Deployment", {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, replicas=2), "done", "is rolled out"),
        (of("Deployment", is_("Progressing", "False", "ProgressDeadlineExceeded")), "failed", "exceeded its progress deadline"),
        (of("Deployment", is_("Progressing", "False", "ProgressDeadlineExceeded"), 3), "running", "waits"),
        (of("Deployment", is_("Progressing", "False", "DeploymentPaused")), "running", "0 of 1"),
        (of("StatefulSet", {}, **BY_HAND), "done", "is applied"),
        (of("StatefulSet", {}, 3, **ROLLING), "running", "waits for its controller"),
        (of("StatefulSet", {"observedGeneration": 0}, 0, **ROLLING), "running", "waits for its controller"),
        (of("StatefulSet", {"readyReplicas": 1}, replicas=3, **ROLLING), "running", "1 of 3 replicas are ready"),
        (
            of("StatefulSet", {"readyReplicas": 3, "updateRevision": "b", "updatedReplicas": 1}, replicas=3),
            "running",
            "1 of 3 replicas",
        ),
        (of("StatefulSet", {"readyReplicas": 3, **SAME}, replicas=3), "done", "is rolled out"),
        (of("StatefulSet", {"readyReplicas": 3, "updatedReplicas": 0}, replicas=3, **FIRST_ONE), "running", "0 of 1 replicas"),
        (
            of("StatefulSet", {"readyReplicas": 3, "updatedReplicas": 1}, replicas=3, **FIRST_ONE),
            "done",
            "its partition: 1 replicas",
        ),
        (of("DaemonSet", {}, **BY_HAND), "done", "is applied"),
        (of("DaemonSet", {}, 3), "running", "waits for its controller"),
        (of("DaemonSet", {"desiredNumberScheduled": 2, "updatedNumberScheduled": 1}), "running", "1 of 2 pods are updated"),
        (of("DaemonSet", {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2}), "running", "0 of 2 updated pods"),
        (
            of("DaemonSet", {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}),
            "done",
            "is rolled out",
        ),
        (of("ConfigMap", {}), "done", "is applied"),
        ({"kind": "Job", "metadata": {"deletionTimestamp": "2026-05-01T12:00:00Z"}}, "gone", "is being deleted"),
    ],
)
def test_rows(document: Json, state: str, said: str) -> None:
    found = standing(document)
    assert (found.state, said in found.said) == (state, True), found


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["conditions", "type", "status", "replicas", "phase", "updateStrategy"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(["Job", "Pod", "Deployment", "StatefulSet", "DaemonSet", "Other"]), anything, anything, anything)
def test_whatever_a_cluster_says_it_stands_somehow(kind: str, metadata: Any, spec: Any, status: Any) -> None:
    found = standing({"kind": kind, "metadata": metadata, "spec": spec, "status": status})
    assert found.said
