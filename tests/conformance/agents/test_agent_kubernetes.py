"""`kubernetes` against a pretended API server, with everything that can go wrong on the way there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.agents import KubernetesConfig
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from services.dispatcher.adapters.kubernetes import Kubernetes
from services.dispatcher.adapters.kubernetes_api import KubernetesApi, Unusable
from services.dispatcher.adapters.kubernetes_seen import WATCHING
from services.dispatcher.adapters.port import AgentAnswer, CancelAnswer, Delayed
from tests.conformance.agents.agent_scenes import JOB, answered, delayed, following
from tests.conformance.agents.kubernetes_cases import ClusterCases
from tests.conformance.agents.kubernetes_scenes import CONFIG_MAP, FAILED, RUN, SUCCEEDED, UNNAMED, House, rolled
from tests.fakes.kubernetes import TOKEN, FakeKubernetes, no
from tests.fakes.serving import Clock, Fault, Reply
from tests.unit.outbound.outside import Leaps, calling


@dataclass
class FakeHouse(House):
    """A house on a pretended cluster."""

    fake: FakeKubernetes = None  # type: ignore[assignment]  # always given; a base class has fields with defaults

    def jobs(self) -> list[str]:
        """Every Job that was ever made."""
        return [one for one in self.fake.made if one.startswith("Job ")]


@asynccontextmanager
async def standing() -> AsyncIterator[FakeHouse]:
    clock = Clock()
    fake = FakeKubernetes(clock)
    async with fake.serving(), calling() as outbound:
        agent = Kubernetes(KubernetesApi(outbound, clock=clock, environ={}), clock=clock)
        yield FakeHouse(fake.url, TOKEN, "shop", outbound, clock, agent, fake=fake)


@pytest.fixture
async def house() -> AsyncIterator[FakeHouse]:
    async with standing() as house:
        yield house


class TestOnAPretendedCluster(ClusterCases):
    """All that holds for any cluster."""


# --- faults: never two runs for one job ------------------------------------------------------------------------------------------

CREATE = "POST .*/jobs$"
APPLY = "PATCH .*/configmaps/settings"
FAULTS = [
    pytest.param(Fault(CREATE, no(429, "TooManyRequests", "slow down", Retry_After="7")), 7.0, id="429"),
    pytest.param(Fault(CREATE, no(503, "ServiceUnavailable", "leader changed", Retry_After="3")), 3.0, id="503"),
    pytest.param(Fault(CREATE, no(500, "InternalError", "etcd"), done=True), None, id="500-after-it-began"),
    pytest.param(Fault(CREATE, no(504, "Timeout", "etcd"), done=False), None, id="504"),
    pytest.param(Fault(CREATE, cut=True, done=True), None, id="cut-after-it-began"),
    pytest.param(Fault(CREATE, cut=True), None, id="cut-before-it-began"),
    pytest.param(Fault(APPLY, cut=True, done=True), None, id="cut-while-applying"),
    pytest.param(Fault("GET /apis/batch/v1$", no(503, "ServiceUnavailable", "starting")), None, id="unknown-kinds"),
    pytest.param(Fault("GET .*/jobs/migrate$", Reply(200, body=b"<html>")), None, id="a-proxy-answers"),
]


@pytest.mark.parametrize("template", [RUN, UNNAMED], ids=["named", "unnamed"])
@pytest.mark.parametrize("fault,pause_s", FAULTS)
@pytest.mark.parametrize("restart", [False, True], ids=["same-process", "restarted"])
async def test_whatever_goes_wrong_a_job_runs_once(
    house: FakeHouse, template: str, fault: Fault, pause_s: float | None, restart: bool
) -> None:
    house.fake.faults.append(replace(fault))
    met = fault.meets.startswith("GET .*/jobs/migrate") and template is UNNAMED
    first = await house.agent.dispatch(house.job(CONFIG_MAP, template))
    if not met:
        assert delayed(first).retry_after_s == pause_s
    if restart:
        house.agent = house.restarted()
    answer, job = await house.handed(house.job(CONFIG_MAP, template, again=restart))
    assert answer.status == "inProgress"
    assert len(house.jobs()) == 1
    (name,) = await house.runs(job)
    await house.status("Job", name, SUCCEEDED)
    assert (await house.seen(job)).status == "successful"


async def test_a_cluster_that_is_down_is_tried_again() -> None:
    async with standing() as house:
        request = house.job(RUN)
    answer = delayed(await house.agent.dispatch(request))
    assert "no connection" in answer.message
    assert TOKEN not in answer.message


async def test_a_cluster_that_does_not_answer_is_given_up_and_asked_again(house: FakeHouse) -> None:
    leaps = Leaps(asyncio.get_running_loop())
    house.fake.faults.append(Fault(CREATE, done=True))
    call = asyncio.ensure_future(house.agent.dispatch(house.job(RUN)))
    await house.fake.silent.wait()
    leaps.leap()
    assert "did not answer" in delayed(await call).message
    answer, _ = await house.handed(house.job(RUN))
    assert (answer.status, len(house.jobs())) == ("inProgress", 1)


@given(
    st.lists(
        st.tuples(st.sampled_from(["GET", "POST", "PATCH"]), st.booleans(), st.sampled_from([429, 500, 503, 0])),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_through_any_faults_and_restarts_there_is_one_run(faults: list[tuple[str, bool, int]], named: bool) -> None:
    async with standing() as house:
        for method, done, status in faults:
            reply = no(status, "ServerTimeout", "not now") if status else None
            house.fake.faults.append(Fault(f"{method} .*(jobs|configmaps)", reply, done=done, cut=status == 0))
        request = house.job(CONFIG_MAP, RUN if named else UNNAMED)
        answer: AgentAnswer | Delayed = Delayed(message="not tried yet")
        for _ in range(len(faults) + 1):
            answer = await house.restarted().dispatch(replace(request, again=True))
            if isinstance(answer, AgentAnswer):
                break
        assert answered(answer).status == "inProgress"
        assert len(house.jobs()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET .*/jobs/migrate", no(429, "TooManyRequests", "slow down", Retry_After="9")),
        Fault("GET .*/jobs/migrate", no(500, "InternalError", "etcd")),
        Fault("GET .*/jobs/migrate", cut=True),
        Fault("GET .*/jobs/migrate", no(403, "Forbidden", "no longer")),
    ],
    ids=["429", "500", "cut", "403"],
)
async def test_a_job_that_can_not_be_looked_at_goes_on(house: FakeHouse, fault: Fault) -> None:
    _, job = await house.handed(house.job(RUN))
    house.fake.faults.append(fault)
    delayed(await house.agent.observe(job))
    assert (await house.seen(job)).status == "inProgress"


async def test_an_object_that_is_gone_for_good_is_not_found(house: FakeHouse) -> None:
    _, job = await house.handed(house.job(RUN))
    house.fake.faults.append(Fault("GET .*/jobs/migrate", no(410, "Gone", "it is gone")))
    assert (await house.seen(job)).status == "externalRunNotFound"


async def test_stopping_is_tried_again_where_the_cluster_can_not_be_asked(house: FakeHouse) -> None:
    _, job = await house.handed(house.job(RUN))
    house.fake.faults.append(Fault("DELETE", no(500, "InternalError", "etcd"), done=True))
    delayed(await house.agent.cancel(job))
    assert isinstance(answer := await house.agent.cancel(job), CancelAnswer)
    assert answer.stopped
    assert len(house.fake.calls("DELETE")) == 1


async def test_what_was_sent_and_never_answered_is_looked_for_once_more(house: FakeHouse) -> None:
    waiting = delayed(await house.agent.cancel(house.job(RUN)))
    assert waiting.retry_after_s == 60.0
    await house.handed(house.job(RUN))  # the request that was still on its way
    house.clock.forward(60)
    answer = await house.agent.cancel(house.job(RUN))
    assert answer == CancelAnswer(stopped=True, message="Job shop/migrate is deleted.")


async def test_nothing_is_left_to_stop_after_a_while(house: FakeHouse) -> None:
    delayed(await house.agent.cancel(house.job(RUN)))
    house.clock.forward(60)
    answer = await house.agent.cancel(house.job(RUN))
    assert answer == CancelAnswer(stopped=True, message="Nothing of the job runs in the cluster.")


# --- what else may not happen ----------------------------------------------------------------------------------------------------


async def test_a_job_that_failed_leaves_nothing_running(house: FakeHouse) -> None:
    _, job = await house.handed(house.job(RUN, RUN.replace("migrate", "index")))
    await house.status("Job", "index", FAILED)
    house.fake.faults.append(Fault("DELETE", no(503, "ServiceUnavailable", "not now")))
    delayed(await house.agent.observe(job))
    assert (await house.seen(job)).status == "failure"
    assert "deletionTimestamp" in (await house.there("Job", "migrate"))["metadata"]


async def test_a_job_that_could_not_be_made_whole_leaves_nothing_running(house: FakeHouse) -> None:
    quota = no(403, "Forbidden", "exceeded quota: jobs")
    made = house.fake.handle
    count = 0

    def refusing(asked):  # type: ignore[no-untyped-def]
        nonlocal count
        count += asked.method == "POST" and "dryRun" not in asked.query
        return quota if count == 2 and asked.method == "POST" else made(asked)

    house.fake.handle = refusing  # type: ignore[method-assign]
    answer, _ = await house.handed(house.job(RUN, RUN.replace("migrate", "index")))
    assert answer.status == "invalidIntegration"
    assert "exceeded quota" in (answer.message or "")
    assert "deletionTimestamp" in (await house.there("Job", "migrate"))["metadata"]


async def test_another_objects_name_is_not_taken_for_the_jobs_own(house: FakeHouse) -> None:
    _, job = await house.handed(house.job(UNNAMED))
    (name,) = await house.runs(job)
    (await house.there("Job", name))["metadata"]["labels"].clear()
    house.fake.objects["batch/v1", "jobs", "shop", name]["metadata"]["labels"] = {}
    assert "another object has its name" in delayed(await house.agent.dispatch(house.job(UNNAMED))).message


async def test_what_is_being_deleted_is_applied_afterwards(house: FakeHouse) -> None:
    await house.handed(house.job(rolled("Deployment")))
    await house.ask("DELETE", house.path("Deployment", "web"), {"propagationPolicy": "Foreground"})
    assert "is being deleted" in delayed(await house.agent.dispatch(house.job(rolled("Deployment")))).message


async def test_an_account_that_may_not_is_told_what_it_needs(house: FakeHouse) -> None:
    house.fake.forbidden.append("PATCH .*/configmaps/")
    answer, _ = await house.handed(house.job(CONFIG_MAP))
    assert answer.status == "invalidIntegration"
    assert 'User "deployer" cannot patch' in (answer.message or "")
    assert "must get, create, patch and delete" in (answer.message or "")


async def test_fields_of_another_manager_are_taken_over(house: FakeHouse) -> None:
    await house.handed(house.job(CONFIG_MAP))
    known = house.fake.objects["v1", "configmaps", "shop", "settings"]
    known["metadata"]["managedFields"][0]["manager"] = "kubectl"
    answer, _ = await house.handed(house.job(CONFIG_MAP.replace("{{.version.tag}}", "v2")))
    assert answer.status == "successful"
    assert (await house.there("ConfigMap", "settings"))["data"] == {"tag": "v2"}


@pytest.mark.parametrize(
    "template,said",
    [
        ("# nothing", "renders to no manifest"),
        ("{{.version.tag.more}}", "can not be rendered: "),
        ("a: [", "it is no YAML in line"),
        ("- 1", "is no object"),
        ("kind: Job", "has no apiVersion"),
        ("apiVersion: ../../v1\nkind: Job\nmetadata: {name: x}", "has no apiVersion"),
        ("apiVersion: v1\nkind: ../Job\nmetadata: {name: x}", "has no kind"),
        ("apiVersion: v1\nkind: ConfigMap", "has no metadata"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {}}", "neither metadata.name nor metadata.generateName"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ..}", "is no name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a/b}", "is no name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: ../b}", "is no name of a namespace"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: [1]}", "metadata.labels is no map"),
        ("\n---\n".join([CONFIG_MAP, CONFIG_MAP]), "renders to ConfigMap settings twice"),
        ("\n---\n".join(CONFIG_MAP.replace("settings", f"s{n}") for n in range(101)), "101 manifests; at most 100"),
    ],
)
async def test_what_can_not_be_applied_is_a_failure_that_says_why(house: FakeHouse, template: str, said: str) -> None:
    answer, _ = await house.handed(house.job(template))
    assert answer.status == "failure"
    assert said in (answer.message or "")
    assert house.fake.asked == []
    assert (await house.plan(template)).status == "errored"


@pytest.mark.parametrize(
    "noted", ["", "{", "{}", "[1]", '[{"apiVersion": "v1", "kind": "Secret", "namespace": "a", "name": "b", "uid": "c"}]']
)
async def test_metadata_that_people_changed_does_no_harm(house: FakeHouse, noted: str) -> None:
    _, job = await house.handed(house.job(RUN))
    spoiled = replace(job, metadata={**job.metadata, WATCHING: noted})
    seen = await house.seen(spoiled)
    assert seen.status == "externalRunNotFound"
    assert JOB in (seen.message or "")
    assert isinstance(answer := await house.agent.cancel(spoiled), CancelAnswer)
    assert answer.message == "Job shop/migrate is deleted."


async def test_the_kinds_of_a_cluster_are_asked_for_once(house: FakeHouse) -> None:
    for job_id in ("a", "b", "c"):
        await house.handed(house.job(CONFIG_MAP, job_id=job_id))
    assert len(house.fake.calls("GET /api/v1$")) == 1
    house.clock.forward(601)
    await house.handed(house.job(CONFIG_MAP, job_id="d"))
    assert len(house.fake.calls("GET /api/v1$")) == 2


async def test_a_long_job_is_looked_at_less_often(house: FakeHouse) -> None:
    answer, job = await house.handed(house.job(RUN))
    assert answer.look_again_s == 3.0
    house.clock.forward(100)
    assert (await house.seen(job)).look_again_s == 10.0
    house.clock.forward(10_000)
    assert (await house.seen(job)).look_again_s == 30.0


async def test_looking_brings_nothing_new_while_nothing_is_new(house: FakeHouse) -> None:
    answer, job = await house.handed(house.job(RUN))
    seen = await house.seen(job)
    assert (seen.status, seen.message, seen.metadata, seen.external_id) == (answer.status, answer.message, {}, None)
    assert following(job, seen) == job


# --- where the cluster is --------------------------------------------------------------------------------------------------------


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("own-token\n")
    (tmp_path / "ca.crt").write_text("own-ca")
    return tmp_path


def clusters(account: Path, **environ: str) -> KubernetesApi:
    return KubernetesApi(Outbound(AddressRules()), service_account=account, environ=environ)


def config(**fields: str) -> KubernetesConfig:
    return KubernetesConfig.model_validate({"template": "x", **fields})


def test_without_an_address_it_is_the_cluster_that_the_service_runs_in(account: Path) -> None:
    api = clusters(account, KUBERNETES_SERVICE_HOST="10.0.0.1", KUBERNETES_SERVICE_PORT="6443")
    cluster = api.cluster(config())
    assert (cluster.url, cluster.token, cluster.ca) == ("https://10.0.0.1:6443", "own-token", "own-ca")
    assert "own-token" not in repr(cluster)
    (account / "token").write_text("next-token")
    assert api.cluster(config()).token == "next-token"
    assert api.cluster(config(token="another")).token == "another"


def test_an_address_of_ipv6_stands_in_brackets(account: Path) -> None:
    assert clusters(account, KUBERNETES_SERVICE_HOST="fd00::1").cluster(config()).url == "https://[fd00::1]:443"


def test_the_services_own_token_goes_to_its_own_cluster_alone(account: Path) -> None:
    api = clusters(account, KUBERNETES_SERVICE_HOST="10.0.0.1")
    cluster = api.cluster(config(serverUrl="https://elsewhere.example"))
    assert (cluster.token, cluster.ca) == ("", None)


def test_without_any_cluster_it_is_said_what_is_missing(account: Path, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="has no serverUrl"):
        clusters(account).cluster(config())
    with pytest.raises(Unusable, match="can not read its service account"):
        clusters(tmp_path / "none", KUBERNETES_SERVICE_HOST="10.0.0.1").cluster(config())
