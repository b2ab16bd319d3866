"""`tfe` against a pretended Terraform Cloud: the workspace that a template describes, and who is told of its runs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.agents import config_problems
from contracts.shapes import Json
from services.dispatcher.adapters.tfe import OwnNotifications, TfeAgent
from tests.conformance.agents.agent_scenes import answered
from tests.conformance.agents.tfe_scenes import HOOK, SECRET, House, asking, standing
from tests.fakes.serving import Fault
from tests.fakes.tfe import no


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house


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
