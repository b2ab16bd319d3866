"""`argo-workflow` against a pretended server: what it submits, what it makes of the answers, and that a job never has two workflows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.shapes import Json
from libs.outbound.asking import Outbound
from libs.webhooks import argo_workflow as webhook
from libs.webhooks.told import Told
from services.dispatcher.adapters.argo_workflow import WORKFLOW, ArgoWorkflow
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, PlanRequest
from tests.conformance.agents.agent_scenes import JOB, OTHER, answered, cancelled, delayed, following
from tests.fakes.argo_workflows import TOKEN, FakeArgoWorkflows, no
from tests.fakes.serving import Clock, Fault, Reply
from tests.unit.outbound.outside import Leaps, calling

TEMPLATE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: to-be-cleared
  namespace: ci
  labels: {team: Shop Team}
spec:
  entrypoint: main
  arguments: {parameters: [{name: job, value: "{{ .job.id }}"}]}
  templates: [{name: main, container: {image: "shop:{{ .version.tag }}"}}]
"""
SUBMIT = "POST .*/workflows/ci$"
LIST = "GET .*/workflows/ci$"
GET = "GET .*/workflows/ci/"


@dataclass
class House:
    """A server, and an agent that knows it."""

    argo: FakeArgoWorkflows
    outbound: Outbound
    clock: Clock
    agent: ArgoWorkflow

    def restarted(self) -> ArgoWorkflow:
        """The agent in another process."""
        return ArgoWorkflow(self.outbound, clock=self.clock)

    def request(self, job_id: str = JOB, *, again: bool = False, **fields: Any) -> AgentRequest:
        config = {"serverUrl": self.argo.url, "apiKey": TOKEN, "template": TEMPLATE, "name": "Deploy Shop", **fields}
        return AgentRequest(
            job_id, "argo-workflow", config, context={"job": {"id": job_id}, "version": {"tag": "v2"}}, again=again
        )

    async def submitted(self) -> AgentRequest:
        """A job whose workflow was submitted."""
        request = self.request()
        return following(request, answered(await self.agent.dispatch(request)))

    @property
    def workflow(self) -> Json:
        (workflow,) = self.argo.workflows.values()
        return workflow


@pytest.fixture
async def house() -> AsyncIterator[House]:
    clock = Clock()
    argo = FakeArgoWorkflows(clock)
    async with argo.serving(), calling() as outbound:
        yield House(argo, outbound, clock, ArgoWorkflow(outbound, clock=clock))


# --- what is submitted -----------------------------------------------------------------------------------------------------------


async def test_argowf_label_and_links(house: House) -> None:
    answer = answered(await house.agent.dispatch(house.request()))
    look, submit = house.argo.asked
    assert (str(look), look.query["listOptions.labelSelector"]) == ("GET /api/v1/workflows/ci", f"job-id={JOB}")
    assert str(submit) == "POST /api/v1/workflows/ci"
    assert submit.headers["authorization"] == TOKEN  # as it is: it brings its own `Bearer`
    metadata = submit.json["workflow"]["metadata"]
    assert metadata["labels"] == {"team": "shop-team", "job-id": JOB}
    assert metadata["generateName"] == "deploy-shop-"
    assert submit.json["workflow"]["spec"]["templates"][0]["container"]["image"] == "shop:v2"
    name = house.workflow["metadata"]["name"]
    assert name.startswith("deploy-shop-")
    assert (answer.status, answer.external_id) == ("inProgress", "uid-1")
    assert answer.look_again_s is not None
    assert json.loads(answer.metadata["ctrlplane/links"]) == {"Argo Workflow": f"{house.argo.url}/workflows/ci/{name}"}


@pytest.mark.parametrize(
    "fields,namespace,prefix",
    [
        ({"template": TEMPLATE.replace("name: to-be-cleared", "generateName: My.Own-")}, "ci", "my-own-"),
        ({"template": TEMPLATE.replace("  namespace: ci\n", "")}, "default", "deploy-shop-"),
        ({"name": ""}, "ci", "workflow-"),
        ({"name": "x" * 80}, "ci", "x" * 40 + "-"),
    ],
)
async def test_names_and_namespaces(house: House, fields: Json, namespace: str, prefix: str) -> None:
    await house.agent.dispatch(house.request(**fields))
    metadata = house.workflow["metadata"]
    assert metadata["namespace"] == namespace
    assert metadata["name"].startswith(prefix)
    assert len(metadata["name"]) == len(prefix) + 10


async def test_each_job_has_a_name_of_its_own(house: House) -> None:
    await asyncio.gather(*(house.agent.dispatch(house.request(job)) for job in (JOB, OTHER)))
    assert len(house.argo.workflows) == 2


async def test_a_server_without_tokens_is_sent_none(house: House) -> None:
    house.argo.token = ""
    assert answered(await house.agent.dispatch(house.request(apiKey=""))).status == "inProgress"
    assert not any("authorization" in one.headers for one in house.argo.asked)


async def test_links_show_no_password_of_the_address(house: House) -> None:
    house.argo.token = "Basic dXNlcjpzM2NyZXQtcGFzc3dvcmQ="
    url = house.argo.url.replace("://", "://user:s3cret-password@")
    answer = answered(await house.agent.dispatch(house.request(apiKey="", serverUrl=url)))
    assert answer.status == "inProgress"
    assert "s3cret" not in answer.model_dump_json()


# --- what can not be done --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields,said",
    [
        ({"template": "{{ fail `no image` }}"}, "The template can not be rendered: "),
        ({"template": "a: ["}, "can not be read: the text is no YAML in its line 1"),
        ({"template": "spec: {}\nkind: Application"}, "renders to argoproj.io/v1alpha1 Application"),
        ({"template": TEMPLATE.replace("entrypoint", "entrance")}, "400: spec.entrypoint is required"),
        ({"template": TEMPLATE.replace("namespace: ci", "namespace: ..")}, "metadata.namespace is '..'"),
        ({"apiKey": "Bearer wrong-token-of-the-tests"}, "401: token not valid. see https://argo-workflows.readthedocs.io/en/latest/faq/. Check apiKey"),
        ({"serverUrl": "http://10.0.0.1"}, "SIGNALBOX_OUTBOUND_ALLOW"),
    ],
)  # fmt: skip
async def test_a_refusal_is_a_failure(house: House, fields: Json, said: str) -> None:
    answer = answered(await house.agent.dispatch(house.request(**fields)))
    assert (answer.status, answer.look_again_s) == ("failure", None)
    assert said in (answer.message or "")
    assert house.argo.workflows == {}


@pytest.mark.parametrize("secret", [TOKEN, TOKEN.removeprefix("Bearer ")])
async def test_no_message_shows_a_secret(house: House, secret: str) -> None:
    house.argo.faults.append(Fault(SUBMIT, no(400, 3, f"the token {secret} is not liked")))
    answer = answered(await house.agent.dispatch(house.request()))
    assert "is not liked" in (answer.message or "")
    assert TOKEN.removeprefix("Bearer ") not in answer.model_dump_json()


async def test_a_dry_run_is_not_supported(house: House) -> None:
    request = house.request()
    assert (await house.agent.plan(PlanRequest("r", "argo-workflow", request.config))).status == "unsupported"


# --- that nothing is submitted twice ---------------------------------------------------------------------------------------------


async def test_argowf_duplicate_submit_avoided(house: House) -> None:
    first = answered(await house.agent.dispatch(house.request()))
    house.clock.forward(1)
    again = answered(await house.restarted().dispatch(house.request(again=True)))
    assert (again.external_id, again.status) == (first.external_id, first.status)
    assert len(house.argo.calls(SUBMIT)) == 1


async def test_again_before_lists_show_it_is_still_one(house: House) -> None:
    house.argo.lag_s = 3600
    first = answered(await house.agent.dispatch(house.request()))
    again = answered(await house.restarted().dispatch(house.request(again=True)))
    assert again.external_id == first.external_id
    assert len(house.argo.workflows) == 1


async def test_a_copy_that_a_person_submitted_is_not_the_jobs(house: House) -> None:
    request = await house.submitted()
    copy = json.loads(json.dumps(house.workflow))
    copy["metadata"] |= {"name": "a-copy", "uid": "uid-copy", "creationTimestamp": "2027-01-01T00:00:00Z"}
    house.argo.workflows = {"ci/a-copy": copy, **house.argo.workflows}
    assert answered(await house.restarted().dispatch(house.request(again=True))).external_id == request.external_id


async def test_a_name_that_something_else_has_is_a_failure(house: House) -> None:
    await house.agent.dispatch(house.request())
    house.workflow["metadata"]["labels"]["job-id"] = OTHER
    answer = answered(await house.agent.dispatch(house.request()))
    assert answer.status == "failure"
    assert "belongs to something else" in (answer.message or "")


async def test_down_nothing_happened(house: House) -> None:
    assert "no connection" in delayed(await house.agent.dispatch(house.request(serverUrl="http://127.0.0.1:1"))).message


@pytest.mark.parametrize("done", [False, True])
async def test_slow_is_looked_for(house: House, done: bool) -> None:
    clock = Leaps(asyncio.get_running_loop())
    house.argo.faults.append(Fault(SUBMIT, done=done))
    dispatch = asyncio.create_task(house.agent.dispatch(house.request()))
    await house.argo.silent.wait()
    clock.leap()
    answer = await dispatch
    assert isinstance(answer, AgentAnswer) is done
    assert answered(await house.agent.dispatch(house.request())).external_id == "uid-1"
    assert len(house.argo.of_job(JOB)) == 1


@pytest.mark.parametrize("meets", [LIST, SUBMIT])
async def test_429_waits_as_long_as_it_is_told(house: House, meets: str) -> None:
    house.argo.faults.append(Fault(meets, no(429, 8, "slow down", Retry_After="17")))
    assert delayed(await house.agent.dispatch(house.request())).retry_after_s == 17
    assert house.argo.workflows == {}


async def test_500_after_having_started_is_found(house: House) -> None:
    house.argo.lag_s = 3600
    house.argo.faults.append(Fault(SUBMIT, no(500, 2, "context canceled"), done=True))
    assert answered(await house.agent.dispatch(house.request())).external_id == "uid-1"
    assert len(house.argo.calls(SUBMIT)) == 1


async def test_500_that_stays_is_a_failure(house: House) -> None:
    house.argo.faults.append(Fault(SUBMIT, no(500, 2, "template not found"), times=2))
    answer = answered(await house.agent.dispatch(house.request()))
    assert answer.status == "failure"
    assert "500: template not found" in (answer.message or "")


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("done", [False, True])
async def test_what_passes_is_looked_for_and_tried_again(house: House, status: int, done: bool) -> None:
    house.argo.faults.append(Fault(SUBMIT, Reply(status, body=b"<html>"), done=done))
    assert isinstance(await house.agent.dispatch(house.request()), AgentAnswer) is done
    assert answered(await house.agent.dispatch(house.request())).external_id == "uid-1"
    assert len(house.argo.of_job(JOB)) == 1


@pytest.mark.parametrize("done", [False, True])
async def test_cut_after_the_request_is_looked_for(house: House, done: bool) -> None:
    house.argo.faults += [Fault(SUBMIT, cut=True, done=done), Fault(GET, no(503, 14, "away"))]
    delayed(await house.agent.dispatch(house.request()))
    assert answered(await house.restarted().dispatch(house.request(again=True))).external_id == "uid-1"
    assert len(house.argo.of_job(JOB)) == 1


FAULTS = st.builds(
    Fault,
    st.sampled_from([LIST, SUBMIT, GET]),
    st.sampled_from([None, no(500, 2, "oops"), no(503, 14, "away"), no(429, 8, "slow"), no(409, 6, "already exists")]),
    done=st.booleans(),
    cut=st.just(True),
    times=st.integers(1, 2),
)


@given(st.lists(FAULTS, max_size=5), st.sampled_from([0.0, 3600.0]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_goes_wrong_a_job_has_one_workflow_at_most(house: House, faults: list[Fault], lag_s: float) -> None:
    house.argo.workflows.clear()
    house.argo.lag_s, house.argo.faults = lag_s, [replace(one) for one in faults]
    for again in (False, True, True, True, True):
        await house.agent.dispatch(house.request(again=again))
        assert len(house.argo.of_job(JOB)) <= 1
    house.argo.faults = []
    answer = answered(await house.agent.dispatch(house.request(again=True)))
    assert answer.status == "inProgress"
    assert len(house.argo.of_job(JOB)) == 1


# --- how a workflow stands -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["Pending", "Running", "Succeeded", "Failed", "Error"])
async def test_polling_says_the_same_as_webhooks(house: House, phase: str) -> None:
    request = await house.submitted()
    house.argo.move(phase, "because")
    told = webhook.read(json.dumps({"jobId": JOB, "phase": phase, "uid": "uid-1"}).encode())
    assert isinstance(told, Told)
    answer = answered(await house.agent.observe(request))
    assert (answer.status, answer.external_id) == (told.status, told.external_id)
    assert (answer.look_again_s is None) == (phase not in ("Pending", "Running"))
    assert f"{phase} (because)" in (answer.message or "")


async def test_what_does_not_change_says_nothing_new(house: House) -> None:
    request = await house.submitted()
    house.argo.move("Running")
    first = answered(await house.agent.observe(request))
    again = answered(await house.agent.observe(following(request, first)))
    assert (again.status, again.message, again.external_id) == (first.status, first.message, first.external_id)
    assert again.metadata.items() <= following(request, first).metadata.items()


async def test_a_workflow_is_asked_for_ever_less_often(house: House) -> None:
    request = await house.submitted()
    pauses = []
    for seconds in (0, 30, 70, 200, 3000):
        house.clock.forward(seconds)
        pauses.append(answered(await house.agent.observe(request)).look_again_s)
    assert pauses == [5, 5, 10, 30, 60]


@pytest.mark.parametrize("archive", [None, {}])
async def test_a_workflow_that_vanished_is_not_found(house: House, archive: dict[str, Json] | None) -> None:
    request = await house.submitted()
    house.argo.archive = archive
    house.argo.workflows.clear()
    answer = answered(await house.agent.observe(request))
    assert (answer.status, answer.look_again_s) == ("externalRunNotFound", None)


async def test_a_workflow_that_was_archived_is_known(house: House) -> None:
    request = await house.submitted()
    house.argo.move("Succeeded")
    house.argo.archive = {"uid-1": house.workflow}
    house.argo.workflows = {}
    assert answered(await house.agent.observe(request)).status == "successful"


async def test_an_archive_that_is_away_is_asked_again(house: House) -> None:
    request = await house.submitted()
    house.argo.workflows.clear()
    house.argo.faults.append(Fault("GET .*/archived-workflows/", no(500, 2, "connection to the database lost")))
    delayed(await house.agent.observe(request))


async def test_it_is_found_without_what_was_noted(house: House) -> None:
    await house.submitted()
    house.argo.move("Failed")
    assert answered(await house.agent.observe(house.request())).status == "failure"


@pytest.mark.parametrize("reply", [no(401, 16, "expired"), no(503, 14, "away"), None])
async def test_what_runs_does_not_end_because_it_can_not_be_asked_for(house: House, reply: Reply | None) -> None:
    request = await house.submitted()
    house.argo.faults.append(Fault(GET, reply, cut=True))
    delayed(await house.agent.observe(request))


# --- stopping --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noted", [True, False])
async def test_a_workflow_is_stopped(house: House, noted: bool) -> None:
    request = await house.submitted()
    answer = cancelled(await house.agent.cancel(request if noted else house.request()))
    assert answer.stopped
    assert house.workflow["spec"]["shutdown"] == "Stop"  # its exit handlers may clean up


@pytest.mark.parametrize("phase", ["Succeeded", "Failed", "Error"])
async def test_one_that_has_ended_counts_as_stopped(house: House, phase: str) -> None:
    request = await house.submitted()
    house.argo.move(phase)
    assert cancelled(await house.agent.cancel(request)).stopped
    assert house.argo.calls("PUT") == []


async def test_one_that_ends_in_this_very_moment_counts_as_stopped(house: House) -> None:
    request = await house.submitted()
    house.argo.faults.append(Fault("PUT", no(500, 2, "cannot shutdown a completed workflow"), done=True))
    assert cancelled(await house.agent.cancel(request)).stopped


async def test_one_that_is_gone_counts_as_stopped(house: House) -> None:
    request = await house.submitted()
    house.argo.workflows.clear()
    assert cancelled(await house.agent.cancel(request)).stopped
    assert cancelled(await house.agent.cancel(house.request())).stopped


@pytest.mark.parametrize("meets", [GET, "PUT"])
async def test_stopping_is_tried_again(house: House, meets: str) -> None:
    request = await house.submitted()
    house.argo.faults.append(Fault(meets, no(503, 14, "away")))
    delayed(await house.agent.cancel(request))
    assert cancelled(await house.agent.cancel(request)).stopped


async def test_who_may_not_stop_it_says_so(house: House) -> None:
    request = await house.submitted()
    house.argo.faults.append(Fault("PUT", no(403, 7, "forbidden")))
    answer = cancelled(await house.agent.cancel(request))
    assert not answer.stopped
    assert "403: forbidden" in (answer.message or "")


async def test_what_people_wrote_into_the_metadata_does_no_harm(house: House) -> None:
    await house.submitted()
    odd = replace(house.request(), metadata={WORKFLOW: "../../api/v1/version"})
    assert answered(await house.agent.observe(odd)).external_id == "uid-1"
    assert all(one.path.startswith("/api/v1/workflows/ci") for one in house.argo.asked)
