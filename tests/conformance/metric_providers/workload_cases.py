"""What `kubernetes` says of workloads on any API server: these tests run on the pretended one, and by hand on a real one.

Neither runs what is made: the tests write the statuses that controllers would write.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from contracts.shapes import Json
from libs.metric_providers import NoResult
from tests.conformance.agents.kubernetes_scenes import AT, FAILED, RUN, SUCCEEDED, House, rolled
from tests.conformance.metric_providers.far_sides import measured

WEB: Json = {"kind": "Deployment", "name": "web"}
WHOLE: Json = {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}
REVISIONS: Json = {"currentRevision": "a", "updateRevision": "b"}


async def seen(house: House, *workloads: Json, **more: Any) -> Json:
    """What is said of workloads, or of what a selector finds."""
    config = house.config("", **more)
    if workloads:
        config["workloads"] = list(workloads)
    return await measured(house.outbound, house.clock(), **{**config, "type": "kubernetes"})


async def make(house: House, manifest: str, name: str = "web", **labels: str) -> None:
    """Make an object as somebody else would."""
    document = yaml.safe_load(manifest.replace("{{.version.tag}}", "v1"))
    document["metadata"] |= {"name": name, "labels": labels}
    collection = house.path(document["kind"], "x").removesuffix("/x")
    await house.ask("POST", collection, document)


class WorkloadCases:
    """Needs a fixture `house`."""

    async def test_a_deployment_is_seen_from_its_start_to_its_end(self, house: House) -> None:
        await make(house, rolled("Deployment"))
        first = await seen(house, WEB)
        assert first.pop("duration") >= 0
        assert first == {
            "ok": False,
            "complete": False,
            "failed": False,
            "value": 0.0,
            "workloads": [
                {
                    "kind": "Deployment",
                    "name": "web",
                    "namespace": house.namespace,
                    "status": "progressing",
                    "message": "waits for its controller",
                    "desired": 3,
                    "updated": 0,
                    "ready": 0,
                    "available": 0,
                }
            ],
        }
        await house.status("Deployment", "web", {**WHOLE, "readyReplicas": 2, "availableReplicas": 2})
        (there,) = (await seen(house, WEB))["workloads"]
        assert (there["status"], there["ready"], there["available"]) == ("progressing", 2, 2)
        assert there["message"] == "rolls out: 2 of 3 updated replicas are available"
        await house.status("Deployment", "web", WHOLE)
        done = await seen(house, WEB)
        assert (done["ok"], done["complete"], done["failed"], done["value"]) == (True, True, False, 1.0)
        assert done["workloads"][0]["message"] == "is rolled out"

    async def test_a_deployment_past_its_deadline_has_failed(self, house: House) -> None:
        await make(house, rolled("Deployment"))
        stuck = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "has timed out"}
        await house.status("Deployment", "web", {"observedGeneration": 1, "replicas": 1, "conditions": [stuck]})
        result = await seen(house, WEB)
        assert (result["ok"], result["failed"], result["value"]) == (False, True, 0.0)
        assert result["workloads"][0]["message"] == "exceeded its progress deadline (ProgressDeadlineExceeded: has timed out)"

    async def test_workloads_of_several_kinds_are_one_share(self, house: House) -> None:
        for kind in ("Deployment", "StatefulSet", "DaemonSet"):
            await make(house, rolled(kind))
        await make(house, RUN, "migrate")
        await house.status("Deployment", "web", WHOLE)
        await house.status("StatefulSet", "web", {"observedGeneration": 1, "replicas": 3, "readyReplicas": 3, **REVISIONS})
        nodes = {"currentNumberScheduled": 2, "numberMisscheduled": 0, "desiredNumberScheduled": 2, "numberReady": 2}
        await house.status(
            "DaemonSet", "web", {"observedGeneration": 1, "updatedNumberScheduled": 2, "numberAvailable": 2, **nodes}
        )
        await house.status("Job", "migrate", SUCCEEDED)
        kinds = ("StatefulSet", "Deployment", "DaemonSet")
        named = [*({"kind": one, "name": "web"} for one in kinds), {"kind": "Job", "name": "migrate"}]
        result = await seen(house, *named)
        assert (result["value"], result["complete"], result["failed"]) == (0.75, False, False)
        assert [(one["kind"], one["status"]) for one in result["workloads"]] == [
            ("StatefulSet", "progressing"),
            ("Deployment", "complete"),
            ("DaemonSet", "complete"),
            ("Job", "complete"),
        ]
        assert result["workloads"][0]["message"] == "rolls out: 0 of 3 replicas are updated"
        assert result["workloads"][3]["succeeded"] == 1

    async def test_a_job_that_failed_says_why(self, house: House) -> None:
        await make(house, RUN, "migrate")
        await house.status("Job", "migrate", {"active": 1, "ready": 1, "startTime": AT})
        named = {"kind": "Job", "name": "migrate"}
        assert (await seen(house, named))["workloads"][0]["message"] == "runs: 0 of 1 succeeded"
        await house.status("Job", "migrate", FAILED)
        result = await seen(house, named)
        assert (result["failed"], result["workloads"][0]["failed"]) == (True, 1)
        assert "BackoffLimitExceeded" in result["workloads"][0]["message"]

    async def test_a_missing_workload_is_not_complete(self, house: House) -> None:
        await make(house, rolled("Deployment"))
        await house.status("Deployment", "web", WHOLE)
        result = await seen(house, WEB, {"kind": "Deployment", "name": "other"})
        assert (result["ok"], result["failed"], result["value"], "noData" in result) == (False, False, 0.5, False)
        assert result["workloads"][1] == {
            "kind": "Deployment",
            "name": "other",
            "namespace": house.namespace,
            "status": "missing",
            "message": "is not there",
        }

    async def test_where_all_are_missing_there_is_no_data(self, house: House) -> None:
        result = await seen(house, WEB, {"kind": "Job", "name": "other"})
        assert (result["noData"], result["ok"], result["failed"], "value" in result) == (True, False, False, False)

    async def test_a_workload_of_another_namespace_is_looked_for_there(self, house: House) -> None:
        await make(house, rolled("Deployment"))
        result = await seen(house, {**WEB, "namespace": house.namespace}, {**WEB, "namespace": "nobody"}, namespace="default")
        assert [(one["namespace"], one["status"]) for one in result["workloads"]] == [
            (house.namespace, "progressing"),
            ("nobody", "missing"),
        ]

    async def test_a_workload_that_is_being_deleted_is_missing(self, house: House) -> None:
        await make(house, rolled("Deployment"))
        await house.status("Deployment", "web", WHOLE)
        await house.ask("DELETE", house.path("Deployment", "web"), {"propagationPolicy": "Foreground"})
        result = await seen(house, WEB)
        assert (result["noData"], result["workloads"][0]["message"]) == (True, "is being deleted")

    async def test_a_selector_finds_what_has_its_labels(self, house: House) -> None:
        await make(house, rolled("Deployment"), "api", app="shop", tier="api")
        await make(house, rolled("Deployment"), "web", app="shop", tier="web")
        await make(house, rolled("Deployment"), "other", app="blog")
        await make(house, rolled("StatefulSet"), "store", app="shop", tier="data")
        await make(house, RUN, "migrate", app="shop")
        await house.status("Deployment", "web", WHOLE)
        result = await seen(house, labelSelector="app=shop")
        assert [(one["kind"], one["name"], one["status"]) for one in result["workloads"]] == [
            ("Deployment", "api", "progressing"),
            ("Deployment", "web", "complete"),
            ("StatefulSet", "store", "progressing"),
        ]
        narrow = await seen(house, labelSelector="app=shop,tier in (web, data)", kinds=["Job", "Deployment"])
        assert [one["name"] for one in narrow["workloads"]] == ["web"]
        assert (narrow["ok"], narrow["value"]) == (True, 1.0)
        jobs = await seen(house, labelSelector="app=shop", kinds=["Job"])
        assert [one["name"] for one in jobs["workloads"]] == ["migrate"]

    async def test_a_selector_reads_every_page(self, house: House) -> None:
        for number in range(30):
            await make(house, rolled("Deployment"), f"web-{number:02}", app="shop")
        result = await seen(house, labelSelector="app=shop", kinds=["Deployment"])
        assert [one["name"] for one in result["workloads"]] == [f"web-{number:02}" for number in range(30)]

    async def test_a_selector_that_finds_nothing_is_no_data(self, house: House) -> None:
        for more in ({}, {"namespace": "nobody"}):
            result = await seen(house, labelSelector="app=nothing", **more)
            assert (result["noData"], result["ok"], result["workloads"]) == (True, False, [])

    async def test_a_selector_that_can_not_be_read_is_no_result(self, house: House) -> None:
        with pytest.raises(NoResult, match="answered 400: found '=', expected"):
            await seen(house, labelSelector="app=shop=web")

    async def test_a_token_that_does_not_hold_is_no_result(self, house: House) -> None:
        with pytest.raises(NoResult, match="answered 401: Unauthorized"):
            await seen(house, WEB, token="wrong")
