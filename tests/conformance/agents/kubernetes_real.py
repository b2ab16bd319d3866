"""The tests of the agent and of the metric provider `kubernetes` that hold for any cluster, on a real API server: run by hand, as
`kubernetes_server.py` says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from services.dispatcher.adapters.kubernetes import Kubernetes
from services.dispatcher.adapters.kubernetes_api import KubernetesApi
from tests.conformance.agents.kubernetes_cases import ClusterCases
from tests.conformance.agents.kubernetes_scenes import House
from tests.conformance.agents.kubernetes_server import RealCluster, running
from tests.conformance.metric_providers.workload_cases import WorkloadCases
from tests.fakes.serving import Clock

_numbers = count(1)


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    apiserver = request.config.getoption("--kube-apiserver")
    assert apiserver, "give --kube-apiserver=<path>; python -m tests.conformance.agents.kubernetes_server builds one"
    with running(Path(apiserver), tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
async def house(cluster: RealCluster) -> AsyncIterator[House]:
    clock = Clock()
    async with Outbound(AddressRules.parse("loopback")) as outbound:
        agent = Kubernetes(KubernetesApi(outbound, clock=clock, environ={}), clock=clock)
        house = House(cluster.url, cluster.token, f"shop{next(_numbers)}", outbound, clock, agent, cluster.ca)
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": house.namespace}}
        await house.ask("POST", "/api/v1/namespaces", space)
        yield house


class TestOnARealCluster(ClusterCases):
    """All that holds for any cluster."""


class TestWorkloadsOfARealCluster(WorkloadCases):
    """What measurements say of them."""
