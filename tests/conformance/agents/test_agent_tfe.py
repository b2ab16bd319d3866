"""`tfe` against a pretended Terraform Cloud: workspaces, runs and plans, and that a job never has two runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.agents import config_problems
from contracts.shapes import Json
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.webhooks import tfe as webhook
from libs.webhooks.told import Told
from services.dispatcher.adapters import tfe_plan
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, Delayed, PlanAnswer, PlanRequest
from services.dispatcher.adapters.tfe import ASKED_AT, WAITING_SINCE, WORKSPACE, OwnNotifications, TfeAgent
from tests.fakes.serving import Clock, Fault
from tests.fakes.tfe import ORGANIZATION, TOKEN, FakeTfe, no
from tests.unit.outbound.outside import Leaps

JOB = "11111111-2222-4333-8444-555555555555"
RESULT = "77777777-2222-4333-8444-555555555555"
SECRET = "the secret that notifications are signed with"
HOOK = "https://signalbox.example/api/tfe/webhook"
RUN = "POST /api/v2/runs$"
TEMPLATE = "name: shop-{{ .resource.name }}\n"
CONTEXT: Json = {"resource": {"name": "eu"}, "variables": {"size": 3}, "job": {"id": JOB}}


@dataclass
class House:
    """A Terraform, and an agent that knows it."""

    tfe: FakeTfe
    outbound: Outbound
    clock: Clock
    agent: TfeAgent

    def restarted(self) -> TfeAgent:
        """The agent in another process."""
        return TfeAgent(self.outbound, OwnNotifications(SECRET, self.tfe.url), clock=self.clock, pause=self.clock.pause)

    def runs_of(self, key: str = JOB) -> list[Any]:
        return [run for run in self.tfe.runs.values() if key in run["attributes"]["message"]]


@asynccontextmanager
async def standing() -> AsyncIterator[House]:
    clock = Clock()
    tfe = FakeTfe(clock)

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with tfe.serving(), Outbound(AddressRules.parse("loopback"), resolve=resolve) as outbound:
        house = House(tfe, outbound, clock, TfeAgent(outbound, clock=clock))
        house.agent = house.restarted()
        yield house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house


def asking(
    house: House, *, again: bool = False, external_id: str | None = None, metadata: Any = None, **config: Any
) -> AgentRequest:
    whole = {"address": house.tfe.url, "token": TOKEN, "organization": ORGANIZATION, "template": TEMPLATE, **config}
    return AgentRequest(JOB, "tfe", whole, external_id, context=CONTEXT, metadata=metadata or {}, again=again)


def planning(house: House, *, again: bool = False, template: str = TEMPLATE) -> PlanRequest:
    return PlanRequest(RESULT, "tfe", asking(house, template=template).config, context=CONTEXT, again=again)


def following(request: AgentRequest, answer: AgentAnswer) -> AgentRequest:
    """The job after an answer."""
    metadata = {**request.metadata, **answer.metadata}
    return replace(request, external_id=answer.external_id or request.external_id, metadata=metadata, again=False)


def answered(answer: AgentAnswer | Delayed) -> AgentAnswer:
    assert isinstance(answer, AgentAnswer), answer
    return answer


def delayed(answer: AgentAnswer | CancelAnswer | PlanAnswer | Delayed) -> Delayed:
    assert isinstance(answer, Delayed), answer
    return answer


def planned(answer: PlanAnswer | Delayed) -> PlanAnswer:
    assert isinstance(answer, PlanAnswer), answer
    return answer


# --- the workspace ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config,paths",
    [
        ({}, {"address", "token", "organization", "template"}),
        ({"address": "", "token": "", "organization": "", "template": ""}, {"address", "token", "organization", "template"}),
        ({"address": "https://t.example", "token": "t", "organization": "o", "template": "name: n"}, set()),
        ({"address": "t.example", "token": 7, "organization": "o", "template": "name: n"}, {"token"}),
    ],
)
def test_tfe_config_validation(config: Json, paths: set[str]) -> None:
    assert {one["path"] for one in config_problems("tfe", config, whole=True)} == paths


@pytest.mark.parametrize("value,triggers", [(True, True), ("true", True), ("yes", True), (False, False), ("false", False)])
async def test_tfe_config_validation_of_the_trigger(house: House, value: Any, triggers: bool) -> None:
    await house.agent.dispatch(asking(house, triggerRunOnChange=value))
    assert len(house.tfe.runs) == triggers


OPTIONS = """
name: shop-{{ .resource.name }}
description: "Shop: {{ .variables.size }} machines"
project: {project}
execution_mode: agent
auto_apply: true
allow_destroy_plan: no
file_triggers_enabled: "true"
global_remote_state: off
queue_all_runs: false
speculative_enabled: True
terraform_version: 1.10
trigger_prefixes: [/modules, /vendor]
trigger_patterns:
  - /deploy/**/*
working_directory: /deploy
agent_pool_id: apool-1
unheard_of: ignored
vcs_repo:
  identifier: acme/shop
  branch: main
  oauth_token_id: ot-1
  ingress_submodules: true
  tags_regex: \\d+\\.\\d+
variables:
  - {key: size, value: 3}
  - {key: tags, value: '["a", "b"]', hcl: true, description: What it is called}
  - {key: TOKEN, value: hush, category: env, sensitive: true}
"""
ATTRIBUTES = {
    "name": "shop-eu",
    "description": "Shop: 3 machines",
    "execution-mode": "agent",
    "auto-apply": True,
    "allow-destroy-plan": False,
    "file-triggers-enabled": True,
    "global-remote-state": False,
    "queue-all-runs": False,
    "speculative-enabled": True,
    "terraform-version": "1.10",
    "trigger-prefixes": ["/modules", "/vendor"],
    "trigger-patterns": ["/deploy/**/*"],
    "working-directory": "/deploy",
    "agent-pool-id": "apool-1",
    "vcs-repo": {
        "identifier": "acme/shop",
        "branch": "main",
        "oauth-token-id": "ot-1",
        "ingress-submodules": True,
        "tags-regex": "\\d+\\.\\d+",
    },
}


@pytest.mark.parametrize("project", ["prj-1", "Shop"])
@pytest.mark.parametrize("there", [True, False])
async def test_tfe_template_options_roundtrip(house: House, there: bool, project: str) -> None:
    if there:
        house.tfe.workspace("shop-eu")
    answer = answered(await house.agent.dispatch(asking(house, template=OPTIONS.replace("{project}", project))))
    assert answer.status == "inProgress", answer.message
    (workspace,) = house.tfe.workspaces.values()
    assert workspace["attributes"] == ATTRIBUTES
    (saved,) = house.tfe.calls("POST .*/workspaces$|PATCH .*/workspaces/ws-1$")
    assert saved.json["data"]["relationships"]["project"]["data"] == {"type": "projects", "id": "prj-1"}
    assert saved.headers["content-type"] == "application/vnd.api+json"
    shown = {one["attributes"]["key"]: one["attributes"] for one in house.tfe.variables.values()}
    assert shown["size"] == {
        "key": "size",
        "value": "3",
        "description": "",
        "category": "terraform",
        "hcl": False,
        "sensitive": False,
    }
    assert (shown["tags"]["value"], shown["tags"]["hcl"], shown["tags"]["description"]) == (
        '["a", "b"]',
        True,
        "What it is called",
    )
    assert (shown["TOKEN"]["category"], shown["TOKEN"]["value"]) == ("env", None)
    assert "hush" in house.tfe.secrets.values()


async def test_tfe_template_options_roundtrip_as_json(house: House) -> None:
    template = json.dumps(
        {"name": "shop", "auto_apply": False, "terraform_version": "1.9.0", "variables": [{"key": "on", "value": True}]}
    )
    await house.agent.dispatch(asking(house, template=template))
    (workspace,) = house.tfe.workspaces.values()
    assert workspace["attributes"] == {"name": "shop", "auto-apply": False, "terraform-version": "1.9.0"}
    (variable,) = house.tfe.variables.values()
    assert variable["attributes"]["value"] == "true"


@pytest.mark.parametrize(
    "template,said",
    [
        ("name: {{ .resource.name", "`template` can not be rendered"),
        ("name: [", "no YAML in line 1"),
        ("just text", "renders to no map"),
        ("{{/* nothing */}}", "renders to no map"),
        ("description: nameless", "name: Field required"),
        ("name: not a name", "name: String should match pattern"),
        ("name: n\nauto_apply: perhaps", "auto_apply: Input should be a valid boolean"),
        ("name: n\nvariables: [{value: 1}]", "variables/0/key: Field required"),
        ("name: n\nvariables: [{key: a}, {key: a, value: 2}]", "the terraform variable a twice"),
        ("name: n\nname: m", "the key name twice, in line 2"),
        ("name: n\n? [a]\n: b", "a key that is no text, in line 2"),
        ("name: n\na: &a [*a]", "more than 10000 values, or 32 levels"),
        ("name: " + "[" * 5000, "more than 32 open brackets"),
        ("a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d]", "more than 10000 values"),
        ("name: n\nproject: Nowhere", "the project Nowhere, which acme does not have"),
    ],
)  # fmt: skip
async def test_a_template_that_renders_to_no_workspace_is_a_failure(house: House, template: str, said: str) -> None:
    answer = answered(await house.agent.dispatch(asking(house, template=template)))
    assert answer.status == "failure"
    assert said in (answer.message or "")
    assert house.tfe.workspaces == {}


async def test_variables_become_those_of_the_template(house: House) -> None:
    first = "name: w\nvariables: [{key: same, value: 1}, {key: new, value: 1}, {key: gone, value: 1}, {key: hush, value: 1, sensitive: true}]"
    await house.agent.dispatch(asking(house, template=first))
    asked = len(house.tfe.asked)
    second = "name: w\nvariables: [{key: same, value: 1}, {key: new, value: 2}, {key: same, value: 1, category: env}, {key: hush, value: 2}]"
    await house.agent.dispatch(asking(house, template=second))
    values = {
        (one["attributes"]["key"], one["attributes"]["category"]): one["attributes"]["value"]
        for one in house.tfe.variables.values()
    }
    assert values == {("same", "terraform"): "1", ("new", "terraform"): "2", ("same", "env"): "1", ("hush", "terraform"): "2"}
    changes = [one for one in house.tfe.asked[asked:] if "/vars" in one.path and one.method != "GET"]
    assert sorted(one.method for one in changes) == ["DELETE", "DELETE", "PATCH", "POST", "POST"]


async def test_without_variables_those_that_are_there_are_left_alone(house: House) -> None:
    await house.agent.dispatch(asking(house, template="name: w\nvariables: [{key: mine, value: 1}]"))
    await house.agent.dispatch(asking(house, template="name: w"))
    assert len(house.tfe.variables) == 1


async def test_a_workspace_that_was_created_meanwhile_is_taken(house: House) -> None:
    house.tfe.faults += [Fault("GET .*/workspaces/shop-eu", no(404, "not found"))]
    house.tfe.workspace("shop-eu")
    assert answered(await house.agent.dispatch(asking(house))).status == "inProgress"
    assert len(house.tfe.workspaces) == 1


# --- who is told -----------------------------------------------------------------------------------------------------------------


async def test_notifications_are_set_up_once(house: House) -> None:
    for _ in range(2):
        await house.agent.dispatch(asking(house, webhookUrl=HOOK))
    (notification,) = house.tfe.notifications.values()
    assert notification["attributes"] == {
        "name": "ctrlplane-webhook",
        "destination-type": "generic",
        "enabled": True,
        "url": HOOK,
        "triggers": ["run:created", "run:planning", "run:needs_attention", "run:applying", "run:completed", "run:errored"],
        "token": None,
    }
    assert house.tfe.secrets[notification["id"]] == SECRET
    assert len(house.tfe.calls("(POST|PATCH) .*notification-configurations")) == 1


async def test_notifications_follow_the_configuration(house: House) -> None:
    await house.agent.dispatch(asking(house, webhookUrl=HOOK))
    await house.agent.dispatch(asking(house, webhookUrl=f"{HOOK}/2"))
    await house.agent.dispatch(asking(house, webhookUrl=f"{HOOK}/2", webhookSecret="another"))
    (notification,) = house.tfe.notifications.values()
    assert notification["attributes"]["url"] == f"{HOOK}/2"
    assert house.tfe.secrets[notification["id"]] == "another"
    # What a process before us set up is not known.
    await house.restarted().dispatch(asking(house, webhookUrl=f"{HOOK}/2"))
    assert house.tfe.secrets[notification["id"]] == SECRET


@pytest.mark.parametrize("reply", [no(422, "invalid", "Url is unreachable"), no(500, "oops")])
async def test_notifications_that_can_not_be_set_up_are_only_noted(house: House, reply: Any) -> None:
    house.tfe.faults.append(Fault("POST .*/notification-configurations", reply))
    answer = answered(await house.agent.dispatch(asking(house, webhookUrl=HOOK)))
    assert answer.status == "inProgress"
    assert "notifications could not be set up" in (answer.message or "")


async def test_our_secret_is_not_given_to_a_server_of_somebodys_choice(house: House) -> None:
    agent = TfeAgent(house.outbound, OwnNotifications(SECRET), clock=house.clock)
    answer = answered(await agent.dispatch(asking(house, webhookUrl=HOOK)))
    assert "no webhookSecret for that address" in (answer.message or "")
    assert house.tfe.notifications == {}
    assert SECRET not in repr(OwnNotifications(SECRET))


# --- runs ------------------------------------------------------------------------------------------------------------------------


async def test_a_run_is_started_and_followed_to_its_end(house: House) -> None:
    answer = answered(await house.agent.dispatch(asking(house)))
    (run,) = house.runs_of()
    assert run["attributes"]["message"] == f"Triggered by ctrlplane job {JOB}"
    assert (answer.status, answer.external_id) == ("inProgress", run["id"])
    page = f"{house.tfe.url}/app/acme/workspaces/shop-eu"
    assert json.loads(answer.metadata["ctrlplane/links"]) == {"Run": f"{page}/runs/{run['id']}", "Workspace": page}
    assert answer.metadata["run_url"] == f"{page}/runs/{run['id']}"
    request = following(asking(house), answer)
    for status, able, job in (
        ("planning", ["cancelable"], "inProgress"),
        ("planned", ["confirmable", "discardable"], "actionRequired"),
        ("applying", ["cancelable"], "inProgress"),
        ("applied", [], "successful"),
    ):
        house.tfe.move(run["id"], status, *able)
        answer = answered(await house.agent.observe(request))
        assert (answer.status, answer.look_again_s is None) == (job, status == "applied")
        request = following(request, answer)
    assert len(house.tfe.runs) == 1


@pytest.mark.parametrize(
    "status,job",
    [
        ("pending", "inProgress"), ("plan_queued", "inProgress"), ("cost_estimated", "inProgress"), ("policy_checked", "inProgress"),
        ("confirmed", "inProgress"), ("apply_queued", "inProgress"), ("policy_override", "actionRequired"), ("something new", "inProgress"),
        ("planned_and_finished", "successful"), ("applied", "successful"), ("errored", "failure"),
        ("discarded", "cancelled"), ("canceled", "cancelled"), ("force_canceled", "cancelled"),
    ],
)  # fmt: skip
async def test_how_a_run_stands(house: House, status: str, job: str) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), "by hand", status)
    assert answered(await house.agent.observe(asking(house, external_id=run_id))).status == job


@pytest.mark.parametrize("auto,job", [(True, "inProgress"), (False, "actionRequired")])
async def test_only_a_run_that_is_not_applied_by_itself_waits_for_a_person(house: House, auto: bool, job: str) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), "by hand", "planned", **{"auto-apply": auto})
    house.tfe.move(run_id, "planned", "confirmable")
    assert answered(await house.agent.observe(asking(house, external_id=run_id))).status == job


@pytest.mark.parametrize(
    "trigger,status",
    [("run:planning", "planning"), ("run:applying", "applying"), ("run:completed", "applied"), ("run:errored", "errored")],
)
async def test_polling_says_what_notifications_say(house: House, trigger: str, status: str) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), f"Triggered by ctrlplane job {JOB}", status)
    body = {"run_id": run_id, "run_message": f"Triggered by ctrlplane job {JOB}", "notifications": [{"trigger": trigger}]}
    told = webhook.read(json.dumps(body).encode())
    assert isinstance(told, Told)
    answer = answered(await house.agent.observe(asking(house, external_id=run_id)))
    assert (answer.status, answer.external_id) == (told.status, told.external_id)


async def test_a_run_that_vanished_is_not_found(house: House) -> None:
    answer = answered(await house.agent.observe(asking(house, external_id="run-99")))
    assert (answer.status, answer.look_again_s) == ("externalRunNotFound", None)


async def test_a_triggered_run_is_found_by_its_workspace(house: House) -> None:
    workspace_id = house.tfe.workspace("shop-eu")
    house.tfe.run(workspace_id, "an older push")
    house.clock.forward(60)
    answer = answered(await house.agent.dispatch(asking(house, triggerRunOnChange=False)))
    assert (answer.status, house.tfe.calls(RUN)) == ("inProgress", [])
    assert "waiting for a VCS-triggered run" in (answer.message or "")
    assert {WORKSPACE, WAITING_SINCE} <= set(answer.metadata)
    request = following(asking(house, triggerRunOnChange=False), answer)
    assert answered(await house.agent.observe(request)).external_id is None
    house.clock.forward(10)
    house.tfe.run(workspace_id, "a look", "pending", **{"plan-only": True})
    house.tfe.run(workspace_id, f"Triggered by ctrlplane job {RESULT}")
    ours = house.tfe.run(workspace_id, "the push")
    house.clock.forward(10)
    house.tfe.run(workspace_id, "the next push")
    answer = answered(await house.agent.observe(request))
    assert (answer.status, answer.external_id) == ("inProgress", ours)


async def test_a_run_is_found_behind_many_others(house: House) -> None:
    workspace_id = house.tfe.workspace("shop-eu")
    ours = house.tfe.run(workspace_id, "the push")
    house.tfe.page_size = 10
    for _ in range(35):
        house.tfe.run(workspace_id, "another push")
    metadata = {WORKSPACE: workspace_id, WAITING_SINCE: house.clock().isoformat()}
    assert answered(await house.agent.observe(asking(house, metadata=metadata))).external_id == ours
    assert len(house.tfe.calls("GET .*/runs$")) == 4


# --- when things go wrong --------------------------------------------------------------------------------------------------------


async def test_down_nothing_is_started(house: House) -> None:
    assert "no connection" in delayed(await house.agent.dispatch(asking(house, address="http://127.0.0.1:1"))).message


@pytest.mark.parametrize(
    "config,said", [({"token": "wrong"}, "401: unauthorized. Check the token"), ({"organization": "other"}, "404: not found")]
)
async def test_what_terraform_refuses_is_a_failure(house: House, config: Any, said: str) -> None:
    answer = answered(await house.agent.dispatch(asking(house, **config)))
    assert answer.status == "failure"
    assert said in (answer.message or "")


async def test_no_message_shows_a_secret(house: House) -> None:
    house.tfe.faults.append(Fault(RUN, no(422, "invalid", f"the token {TOKEN} is not liked")))
    answer = answered(await house.agent.dispatch(asking(house)))
    assert "is not liked" in (answer.message or "")
    assert TOKEN not in (answer.message or "")


@pytest.mark.parametrize("place", ["GET .*/workspaces/shop-eu", "POST .*/workspaces$", "GET .*/vars", "POST .*/vars"])
@pytest.mark.parametrize(
    "fault", [Fault("", no(500, "oops")), Fault("", cut=True), Fault("", cut=True, done=True), Fault("", no(429, "slow down"))]
)
async def test_trouble_before_the_run_is_a_delay_and_can_be_repeated(house: House, place: str, fault: Fault) -> None:
    request = asking(house, template="name: shop-eu\nvariables: [{key: a, value: 1}]")
    house.tfe.faults.append(replace(fault, meets=place))
    delayed(await house.agent.dispatch(request))
    assert house.tfe.runs == {}
    assert answered(await house.agent.dispatch(request)).status == "inProgress"
    assert (len(house.tfe.runs), len(house.tfe.workspaces), len(house.tfe.variables)) == (1, 1, 1)


@pytest.mark.parametrize(
    "reply,seconds",
    [(no(429, "slow down", Retry_After="4"), 4), (no(429, "slow down", X_RateLimit_Remaining="0", X_RateLimit_Reset="0.5"), 0.5), (no(503, "soon", Retry_After="7"), 7)],
)  # fmt: skip
async def test_limited_it_waits_as_long_as_it_is_told(house: House, reply: Any, seconds: float) -> None:
    house.tfe.faults.append(Fault(RUN, reply))
    assert delayed(await house.agent.dispatch(asking(house))).retry_after_s == seconds
    assert answered(await house.agent.dispatch(asking(house))).status == "inProgress"
    assert len(house.runs_of()) == 1


@pytest.mark.parametrize("done", [True, False])
async def test_slow_it_is_looked_for_and_never_started_again(house: House, done: bool) -> None:
    house.tfe.faults += [Fault(RUN, done=done), Fault("GET .*/runs", no(502, "oops"))]
    leaps = Leaps(asyncio.get_running_loop())
    call = asyncio.create_task(house.agent.dispatch(asking(house)))
    await house.tfe.silent.wait()
    leaps.leap()
    answer = answered(await call)
    assert (answer.status, ASKED_AT in answer.metadata) == ("inProgress", True)
    request = following(asking(house), answer)
    house.clock.forward(60)
    seen = answered(await house.agent.observe(request))
    assert (seen.status, seen.external_id is not None) == ("inProgress", done)
    house.clock.forward(180)
    assert answered(await house.agent.observe(following(request, seen))).status == (
        "inProgress" if done else "externalRunNotFound"
    )
    assert len(house.tfe.calls(RUN)) == 1


@pytest.mark.parametrize(
    "fault", [Fault(RUN, no(500, "oops"), done=True), Fault(RUN, no(504, "late"), done=True), Fault(RUN, cut=True, done=True)]
)
async def test_500_after_the_run_was_started_finds_it(house: House, fault: Fault) -> None:
    house.tfe.faults.append(replace(fault))
    answer = answered(await house.agent.dispatch(asking(house)))
    assert answer.external_id == house.runs_of()[0]["id"]
    assert len(house.tfe.calls(RUN)) == 1


@pytest.mark.parametrize("external_id", [None, "run-2"])
@pytest.mark.parametrize(
    "fault", [Fault("GET .*/runs", no(500, "oops")), Fault("GET .*/runs", cut=True), Fault("GET .*/runs", no(401, "no"))]
)
async def test_a_job_does_not_end_because_its_run_could_not_be_asked_for(
    house: House, fault: Fault, external_id: str | None
) -> None:
    house.tfe.run(house.tfe.workspace("shop-eu"), f"Triggered by ctrlplane job {JOB}")
    house.tfe.faults.append(replace(fault))
    delayed(await house.agent.observe(asking(house, external_id=external_id)))
    assert answered(await house.agent.observe(asking(house, external_id=external_id))).status == "inProgress"


async def test_again_after_a_crash_finds_the_run(house: House) -> None:
    first = answered(await house.agent.dispatch(asking(house)))
    answer = answered(await house.restarted().dispatch(asking(house, again=True)))
    assert answer.external_id == first.external_id
    assert len(house.tfe.calls(RUN)) == 1


@pytest.mark.parametrize("there", [True, False])
async def test_again_after_a_crash_before_the_call_starts_it(house: House, there: bool) -> None:
    if there:
        house.tfe.workspace("shop-eu")
    assert answered(await house.agent.dispatch(asking(house, again=True))).status == "inProgress"
    assert len(house.runs_of()) == 1
    assert house.clock.pauses == ([5] if there else [])


FAULTS = st.lists(
    st.sampled_from(
        [
            (RUN, no(500, "x"), True, False),
            (RUN, no(500, "x"), False, False),
            (RUN, no(429, "x", Retry_After="3"), False, False),
            (RUN, None, True, True),
            (RUN, None, False, True),
            ("GET .*/runs", no(502, "x"), False, False),
            ("workspaces", None, True, True),
        ]
    ),
    max_size=5,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FAULTS, st.lists(st.booleans(), max_size=6))
def test_a_job_never_has_two_runs(faults: list[Any], crashes: list[bool]) -> None:
    async def tried() -> None:
        async with standing() as house:
            house.tfe.faults = [Fault(meets, reply, done, cut) for meets, reply, done, cut in faults]
            agent, again, ahead = house.agent, False, iter(crashes)
            answer: AgentAnswer | Delayed | None = None
            for _ in range(20):
                answer = await agent.dispatch(asking(house, again=again))
                crashed = next(ahead, False)
                if crashed:  # whatever it answered, nobody wrote it down
                    agent, again = house.restarted(), True
                elif isinstance(answer, AgentAnswer):
                    break
                else:
                    again = False
                    house.clock.forward(answer.retry_after_s or 1)
            assert isinstance(answer, AgentAnswer)
            assert len(house.runs_of()) <= 1
            if ASKED_AT not in answer.metadata:
                assert len(house.runs_of()) == 1

    asyncio.run(tried())


# --- cancel ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("able,status", [("cancelable", "canceled"), ("discardable", "discarded")])
@pytest.mark.parametrize("known", [True, False])
async def test_a_run_is_cancelled_or_discarded(house: House, able: str, status: str, known: bool) -> None:
    run_id = house.tfe.run(house.tfe.workspace("shop-eu"), f"Triggered by ctrlplane job {JOB}")
    house.tfe.move(run_id, "planned", able)
    answer = await house.agent.cancel(asking(house, external_id=run_id if known else None))
    assert isinstance(answer, CancelAnswer)
    assert answer.stopped
    assert house.tfe.runs[run_id]["attributes"]["status"] == status


@pytest.mark.parametrize("status", ["applied", "canceled", "errored"])
async def test_a_run_that_ended_is_stopped(house: House, status: str) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), "by hand", status)
    answer = await house.agent.cancel(asking(house, external_id=run_id))
    assert isinstance(answer, CancelAnswer)
    assert answer.stopped


async def test_a_run_that_is_gone_is_stopped(house: House) -> None:
    answer = await house.agent.cancel(asking(house, external_id="run-99"))
    assert isinstance(answer, CancelAnswer)
    assert answer.stopped


async def test_nobody_waits_for_a_triggered_run_any_more(house: House) -> None:
    request = asking(house, triggerRunOnChange=False)
    request = following(request, answered(await house.agent.dispatch(request)))
    answer = await house.agent.cancel(request)
    assert isinstance(answer, CancelAnswer)
    assert answer.stopped


async def test_a_run_that_is_in_between_is_tried_again(house: House) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), "by hand")
    house.tfe.faults.append(Fault("POST .*/cancel", no(409, "transition not allowed")))
    delayed(await house.agent.cancel(asking(house, external_id=run_id)))
    house.tfe.move(run_id, "apply_queued")
    delayed(await house.agent.cancel(asking(house, external_id=run_id)))


async def test_a_run_that_never_appears_is_not_waited_for_for_ever(house: House) -> None:
    house.tfe.faults.append(Fault(RUN, cut=True))
    request = asking(house)
    request = following(request, answered(await house.agent.dispatch(request)))
    delayed(await house.agent.cancel(request))
    house.clock.forward(200)
    answer = await house.agent.cancel(request)
    assert isinstance(answer, CancelAnswer)
    assert answer.stopped


async def test_who_may_not_cancel_is_told(house: House) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), "by hand")
    house.tfe.faults.append(Fault("POST .*/cancel", no(403, "forbidden")))
    answer = await house.agent.cancel(asking(house, external_id=run_id))
    assert isinstance(answer, CancelAnswer)
    assert (answer.stopped, "forbidden" in (answer.message or "")) == (False, True)


# --- plan ------------------------------------------------------------------------------------------------------------------------

PLAN: Json = {
    "format_version": "1.2",
    "terraform_version": "1.10.0",
    "variables": {"password": {"value": "hush"}},
    "planned_values": {"outputs": {"password": {"sensitive": True, "value": "hush"}}},
    "resource_changes": [
        {
            "address": "a.new",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"size": 1, "password": "hush", "list": [{"key": "hush"}, {"key": "open"}]},
                "after_sensitive": {"password": True, "list": [{"key": True}]},
                "before_sensitive": False,
            },
        },
        {"address": "a.other", "change": {"actions": ["update"], "before": "hush", "before_sensitive": True, "after": "x", "after_sensitive": {}}},
        {"address": "a.replaced", "change": {"actions": ["delete", "create"]}},
        {"address": "a.gone", "change": {"actions": ["delete"]}},
        {"address": "a.same", "change": {"actions": ["no-op"]}},
        {"address": "a.read", "change": {"actions": ["read"]}},
    ],
    "output_changes": {"password": {"actions": ["create"], "before": None, "after": "hush", "after_sensitive": True}},
}  # fmt: skip


async def test_tfe_plan_states(house: House) -> None:
    house.tfe.workspace("shop-eu")
    assert delayed(await house.agent.plan(planning(house))).retry_after_s == 5
    ((run_id, run),) = house.tfe.runs.items()
    assert run["attributes"]["plan-only"] is True
    assert JOB not in run["attributes"]["message"]
    for status in ("planning", "planned", "cost_estimating", "policy_checking"):
        house.tfe.move(run_id, status)
        delayed(await house.agent.plan(planning(house)))
    house.tfe.move(run_id, "planned_and_finished")
    assert "not written yet" in delayed(await house.agent.plan(planning(house))).message
    house.tfe.plans[run_id] = PLAN
    answer = planned(await house.agent.plan(planning(house)))
    assert (answer.status, answer.has_changes, answer.message, answer.current) == ("completed", True, "+2 ~1 -2", "")
    assert "hush" not in answer.proposed
    first = json.loads(answer.proposed)["resource_changes"][0]["change"]["after"]
    assert first == {"size": 1, "password": "••••••", "list": [{"key": "••••••"}, {"key": "open"}]}
    assert len(house.tfe.runs) == 1


@pytest.mark.parametrize("status", ["errored", "canceled", "force_canceled", "discarded", "policy_soft_failed"])
async def test_tfe_plan_states_that_end_without_a_plan(house: House, status: str) -> None:
    house.tfe.workspace("shop-eu")
    delayed(await house.agent.plan(planning(house)))
    house.tfe.move(next(iter(house.tfe.runs)), status)
    answer = planned(await house.agent.plan(planning(house)))
    assert (answer.status, answer.has_changes) == ("completed", False)
    assert f"ended as {status}" in answer.message


@pytest.mark.parametrize(
    "plan,changes",
    [
        ({"resource_changes": [], "output_changes": {}}, False),
        ({}, False),
        ({"resource_changes": [{"change": {"actions": ["no-op"]}}]}, False),
        ({"output_changes": {"o": {"actions": ["update"]}}}, True),
        ({"resource_changes": "odd", "output_changes": ["odd"]}, False),
    ],
)
async def test_a_plan_may_change_nothing(house: House, plan: Json, changes: bool) -> None:
    workspace_id = house.tfe.workspace("shop-eu")
    run_id = house.tfe.run(workspace_id, f"Planned for {RESULT}", "planned_and_finished")
    house.tfe.plans[run_id] = plan
    answer = planned(await house.agent.plan(planning(house, again=True)))
    assert (answer.has_changes, answer.message) == (changes, "+0 ~0 -0")


async def test_a_plan_that_is_too_large_is_counted_by_terraform(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfe_plan, "MAX_PLAN_BYTES", 100)
    run_id = house.tfe.run(house.tfe.workspace("shop-eu"), f"Planned for {RESULT}", "planned_and_finished")
    house.tfe.plans[run_id] = PLAN
    answer = planned(await house.agent.plan(planning(house, again=True)))
    assert (answer.has_changes, answer.message.split(" (")[0]) == (True, "+5 ~6 -7")


async def test_a_plan_is_made_with_the_variables_of_the_template(house: House) -> None:
    house.tfe.workspace("w")
    template = (
        "name: w\nvariables:\n- {key: size, value: 3}\n- {key: tags, value: '[\"a\"]', hcl: true}\n- {key: odd, value: '${x} \"%{y}'}\n"
        "- {key: hush, value: hush, sensitive: true}\n- {key: ENV, value: e, category: env}"
    )
    delayed(await house.agent.plan(planning(house, template=template)))
    (run,) = house.tfe.runs.values()
    assert run["attributes"]["variables"] == [
        {"key": "size", "value": '"3"'},
        {"key": "tags", "value": '["a"]'},
        {"key": "odd", "value": '"$${x} \\"%%{y}"'},
    ]
    assert house.tfe.variables == {}


async def test_a_plan_creates_no_workspace(house: House) -> None:
    answer = planned(await house.agent.plan(planning(house)))
    assert (answer.status, answer.has_changes) == ("completed", True)
    assert "shop-eu does not exist yet" in answer.message
    assert (house.tfe.workspaces, house.tfe.runs) == ({}, {})


async def test_a_plan_that_takes_too_long_is_cancelled(house: House) -> None:
    house.tfe.workspace("shop-eu")
    delayed(await house.agent.plan(planning(house)))
    house.clock.forward(301)
    answer = planned(await house.agent.plan(planning(house)))
    assert (answer.status, "did not end within 5 min" in answer.message) == ("errored", True)
    (run,) = house.tfe.runs.values()
    assert run["attributes"]["status"] == "canceled"


@pytest.mark.parametrize("fault", [Fault(RUN, no(500, "x"), done=True), Fault(RUN, cut=True, done=True)])
async def test_a_plan_is_started_once(house: House, fault: Fault) -> None:
    house.tfe.workspace("shop-eu")
    house.tfe.faults.append(replace(fault))
    delayed(await house.agent.plan(planning(house)))
    delayed(await house.agent.plan(planning(house)))
    delayed(await house.restarted().plan(planning(house, again=True)))
    assert len(house.runs_of(RESULT)) == 1


async def test_what_can_not_be_planned_is_an_error(house: House) -> None:
    assert planned(await house.agent.plan(planning(house, template="no map"))).status == "errored"
    house.tfe.workspace("shop-eu")
    house.tfe.faults.append(Fault(RUN, no(403, "forbidden")))
    answer = planned(await house.agent.plan(planning(house)))
    assert (answer.status, "forbidden" in answer.message) == ("errored", True)
