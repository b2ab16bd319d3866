"""Which objects a template means, and under which names a job makes its own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.adapters.kubernetes_api import Place
from services.dispatcher.adapters.kubernetes_manifests import JOB_LABEL, Manifest, defined_kinds, manifests

JOB = "11111111-2222-4333-8444-555555555555"


def one(text: str) -> Manifest:
    (found,) = manifests(text)
    return found


@pytest.mark.parametrize(
    "text,runs",
    [
        ("{apiVersion: batch/v1, kind: Job, metadata: {name: x}}", True),
        ("{apiVersion: example.com/v1, kind: Job, metadata: {name: x}}", False),
        ("{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {restartPolicy: Never}}", True),
        ("{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {restartPolicy: OnFailure}}", True),
        ("{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {restartPolicy: Always}}", False),
        ("{apiVersion: v1, kind: Pod, metadata: {name: x}}", False),
        ("{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}}", False),
    ],
)
def test_what_runs_once(text: str, runs: bool) -> None:
    assert one(text).is_run is runs


NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,80}[a-z0-9])?", fullmatch=True)


@given(NAMES, st.booleans(), st.uuids(), st.uuids())
def test_a_jobs_own_name_is_short_valid_and_nobody_elses(name: str, prefix: bool, job: object, other: object) -> None:
    key = "generateName" if prefix else "name"
    manifest = one(f"{{apiVersion: batch/v1, kind: Job, metadata: {{{key}: '{name}'}}}}")
    own = manifest.own_name(str(job))
    assert len(own) <= 63
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", own)
    assert own == manifest.own_name(str(job)) != name
    assert (own == manifest.own_name(str(other))) is (job == other)


def test_two_manifests_of_one_job_have_two_names() -> None:
    found = manifests(
        "\n---\n".join(f"{{apiVersion: batch/v1, kind: {kind}, metadata: {{generateName: x-}}}}" for kind in ("Job", "CronJob"))
    )
    assert len({each.own_name(JOB) for each in found}) == 2


def test_what_only_the_server_writes_is_not_sent() -> None:
    manifest = one(
        "{apiVersion: v1, kind: ConfigMap, status: {a: 1}, metadata: {name: x, namespace: y, uid: u, resourceVersion: '7', "
        "managedFields: [], creationTimestamp: null, labels: {a: b}, annotations: {c: d}}}"
    )
    assert manifest.as_sent("x", "y", JOB, "w") == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "x",
            "namespace": "y",
            "labels": {"a": "b", JOB_LABEL: JOB},
            "annotations": {"c": "d", "signalbox.dev/workspace-id": "w"},
        },
    }


def test_the_document_itself_is_not_changed() -> None:
    manifest = one("{apiVersion: batch/v1, kind: Job, metadata: {name: x}, spec: {ttlSecondsAfterFinished: 5}}")
    sent = manifest.as_sent("x", "y", JOB, "w")
    assert sent["spec"] == {"ttlSecondsAfterFinished": 3600}
    assert manifest.document == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "x"},
        "spec": {"ttlSecondsAfterFinished": 5},
    }


@pytest.mark.parametrize("kept_s", ["7200", "null", "true", "'5'"])
def test_a_time_that_is_long_enough_or_none_stays(kept_s: str) -> None:
    manifest = one(f"{{apiVersion: batch/v1, kind: Job, metadata: {{name: x}}, spec: {{ttlSecondsAfterFinished: {kept_s}}}}}")
    assert manifest.as_sent("x", "y", JOB, "w")["spec"] == manifest.document["spec"]


def test_the_kinds_that_are_about_to_be_defined() -> None:
    text = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec: {group: example.com, names: {kind: Thing}, versions: [{name: v1}, {name: v2}, 3]}
"""
    assert defined_kinds(manifests(text)) == {("example.com/v1", "Thing"), ("example.com/v2", "Thing")}
    assert defined_kinds(manifests(text.partition("spec:")[0] + "spec: 7")) == frozenset()


@pytest.mark.parametrize(
    "place,path",
    [
        (Place("v1", "Namespace", "namespaces", None, "a"), "/api/v1/namespaces/a"),
        (Place("v1", "Pod", "pods", "n", "a"), "/api/v1/namespaces/n/pods/a"),
        (Place("apps/v1", "Deployment", "deployments", "n", "a"), "/apis/apps/v1/namespaces/n/deployments/a"),
        (
            Place("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", None, "system:a"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a",
        ),
        (Place("v1", "Pod", "pods", "n", "a/b?c"), "/api/v1/namespaces/n/pods/a%2Fb%3Fc"),
    ],
)
def test_paths(place: Place, path: str) -> None:
    assert place.path == path
