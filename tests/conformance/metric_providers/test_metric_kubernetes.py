"""`kubernetes` against a pretended API server, with what can go wrong on the way there."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.shapes import Json, MetricProvider
from libs.metric_providers import KNOWN, NoResult, problems
from libs.metric_providers.kubernetes import MAX_SELECTED, KubernetesConfig
from libs.outbound.failures import CallFailed, NotSent
from services.dispatcher.adapters.kubernetes import Kubernetes
from services.dispatcher.adapters.kubernetes_api import KubernetesApi
from tests.conformance.agents.kubernetes_scenes import House, rolled
from tests.conformance.agents.kubernetes_server import self_signed
from tests.conformance.metric_providers.workload_cases import WEB, WHOLE, WorkloadCases, make, seen
from tests.fakes.kubernetes import TOKEN, FakeKubernetes, no
from tests.fakes.serving import Clock, Fault, Reply
from tests.unit.outbound.outside import Leaps, calling


@dataclass
class FakeHouse(House):
    """A house on a pretended cluster."""

    fake: FakeKubernetes = None  # type: ignore[assignment]  # always given; a base class has fields with defaults


@pytest.fixture
async def house() -> AsyncIterator[FakeHouse]:
    clock = Clock()
    fake = FakeKubernetes(clock)
    async with fake.serving(), calling() as outbound:
        agent = Kubernetes(KubernetesApi(outbound, clock=clock, environ={}), clock=clock)
        yield FakeHouse(fake.url, TOKEN, "shop", outbound, clock, agent, fake=fake)


class TestOnAPretendedCluster(WorkloadCases):
    """All that holds for any cluster."""


@pytest.mark.parametrize(
    "reply,seconds",
    [
        (no(429, "TooManyRequests", "slow down", Retry_After="7"), 7.0),
        (no(429, "TooManyRequests", "slow down"), None),
        (no(503, "ServiceUnavailable", "starting", Retry_After="3"), 3.0),
    ],
)
async def test_who_is_asked_too_often_is_left_alone(house: FakeHouse, reply: Reply, seconds: float | None) -> None:
    house.fake.faults = [Fault("GET .*/deployments/web$", reply)]
    with pytest.raises(NoResult) as told:
        await seen(house, WEB)
    assert told.value.retry_after_s == seconds


@pytest.mark.parametrize(
    "reply,said",
    [
        (no(500, "InternalError", "etcdserver: leader changed."), "answered 500: etcdserver: leader changed$"),
        (no(403, "Forbidden", "deployments is forbidden"), "answered 403: deployments is forbidden"),
        (no(410, "Expired", "The provided continue parameter is too old"), "answered 410: The provided continue"),
        (Reply(404, body=b"<html>"), "no answer that can be read"),
        (Reply(404, json={"error": "no such path"}), "none of a Kubernetes API: is serverUrl right"),
        (Reply(200, json=no(404, "NotFound", "x").json), "none of a Kubernetes API"),
        (Reply(200, json={"kind": "Namespace"}), "none of a Kubernetes API"),
        (Reply(500, json={"kind": "DeploymentList"}), "none of a Kubernetes API"),
        (Reply(200, json=[]), "none of a Kubernetes API"),
    ],
)
@pytest.mark.parametrize("by_selector", [False, True])
async def test_a_cluster_that_shows_nothing_says_nothing_about_workloads(
    house: FakeHouse, reply: Reply, said: str, by_selector: bool
) -> None:
    await make(house, rolled("Deployment"), app="shop")
    house.fake.faults = [Fault("GET .*/deployments", reply)]
    with pytest.raises(NoResult, match=said):
        await (seen(house, labelSelector="app=shop") if by_selector else seen(house, WEB))


async def test_one_that_is_not_shown_is_no_result_for_all(house: FakeHouse) -> None:
    await make(house, rolled("Deployment"))
    await house.status("Deployment", "web", WHOLE)
    house.fake.forbidden = ["GET .*/jobs"]
    with pytest.raises(NoResult, match="answered 403"):
        await seen(house, WEB, {"kind": "Job", "name": "migrate"})


async def test_a_connection_that_is_cut_is_no_result(house: FakeHouse) -> None:
    house.fake.faults = [Fault("GET", cut=True)]
    with pytest.raises(CallFailed):
        await seen(house, WEB)


async def test_a_cluster_that_never_answers_is_given_up(house: FakeHouse) -> None:
    house.fake.faults = [Fault("GET .*/jobs")]
    leaps = Leaps(asyncio.get_running_loop())
    asking = asyncio.create_task(seen(house, WEB, {"kind": "Job", "name": "migrate"}))
    await asyncio.wait_for(house.fake.silent.wait(), 30)
    leaps.leap()
    with pytest.raises((NoResult, CallFailed), match="within 30 s"):
        await asking


async def test_too_many_workloads_are_not_judged_in_part(house: FakeHouse) -> None:
    for number in range(MAX_SELECTED + 1):
        await make(house, rolled("Deployment"), f"web-{number}", app="shop")
    with pytest.raises(NoResult, match="more than 100 workloads"):
        await seen(house, labelSelector="app=shop")


@pytest.mark.parametrize(
    "workload,said",
    [
        ({"kind": "Job", "name": "<no value>"}, "'<no value>' is no name of a workload"),
        ({"kind": "Job", "name": "../secrets/x"}, "is no name of a workload"),
        ({"kind": "Job", "name": ".."}, "is no name of a workload"),
        ({"kind": "Job", "name": "x", "namespace": "a/b"}, "'a/b' is no namespace"),
        ({"kind": "Job", "name": "x", "namespace": "a.b"}, "'a.b' is no namespace"),
    ],
)
async def test_what_can_be_no_name_is_not_asked_for(house: FakeHouse, workload: Json, said: str) -> None:
    with pytest.raises(NoResult, match=said):
        await seen(house, workload)
    assert house.fake.asked == []


async def test_a_selector_that_a_template_left_empty_does_not_find_everything(house: FakeHouse) -> None:
    with pytest.raises(NoResult, match="labelSelector is empty"):
        await seen(house, labelSelector="  ")
    assert house.fake.asked == []


async def test_the_clusters_own_certificate_is_what_holds(house: FakeHouse, tmp_path: Path) -> None:
    public, private = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    async with house.fake.serving(tls=context):
        for more in ({"caCertificate": public.read_text()}, {"insecure": True}):
            assert (await seen(house, WEB, serverUrl=house.fake.url, **more))["noData"]
        asked = len(house.fake.asked)
        with pytest.raises(NotSent, match="certificate"):
            await seen(house, WEB, serverUrl=house.fake.url)
        assert len(house.fake.asked) == asked
        # The server waits for those who keep a secure connection open.
        await house.outbound.close()


async def test_certificates_that_can_not_be_read_end_the_call(house: FakeHouse) -> None:
    with pytest.raises(CallFailed, match="must be PEM"):
        await seen(house, WEB, serverUrl=house.url.replace("http:", "https:"), caCertificate="nonsense")
    assert house.fake.asked == []


SENT: Json = {"type": "kubernetes", "serverUrl": "https://10.0.0.1:6443", "token": "t", "workloads": [WEB]}


@pytest.mark.parametrize(
    "wrong,path",
    [
        ({"serverUrl": ""}, "serverUrl"),
        ({"token": None}, "token"),
        ({"workloads": []}, ""),
        ({"labelSelector": "app=web"}, ""),
        ({"workloads": [{"kind": "Pod", "name": "x"}]}, "workloads/0/kind"),
        ({"workloads": [{"kind": "Job", "name": ""}]}, "workloads/0/name"),
        ({"workloads": [WEB] * 51}, "workloads"),
        ({"workloads": [], "labelSelector": "a", "kinds": []}, ""),
        ({"workloads": [], "labelSelector": "a", "kinds": ["Pod"]}, "kinds/0"),
        ({"namespace": ""}, "namespace"),
    ],
)
def test_what_is_wrong_is_said_when_it_is_saved(wrong: Json, path: str) -> None:
    assert list(problems(MetricProvider.model_validate(SENT))) == []
    assert [where for where, _ in problems(MetricProvider.model_validate({**SENT, **wrong}))] == [path]


@pytest.mark.parametrize(
    "server_url,party",
    [
        ("https://10.0.0.1:6443/", "https://10.0.0.1:6443"),
        ("rancher.example/k8s/clusters/c-1", "https://rancher.example"),
        ("{{.resource.config.server.endpoint}}", "https://{{.resource.config.server.endpoint}}"),
    ],
)
def test_whom_it_asks_is_known_before_templates_are_rendered(server_url: str, party: str) -> None:
    assert KNOWN["kubernetes"].party(KubernetesConfig.model_validate({**SENT, "serverUrl": server_url})) == party


async def test_the_path_of_an_api_server_behind_another_is_kept(house: FakeHouse) -> None:
    house.fake.faults = [Fault("GET", no(404, "NotFound", "deployments.apps web not found"))]
    result = await seen(house, WEB, serverUrl=f"{house.url}/k8s/clusters/c-1/")
    assert result["noData"]
    assert str(house.fake.asked[0]) == "GET /k8s/clusters/c-1/apis/apps/v1/namespaces/shop/deployments/web"
