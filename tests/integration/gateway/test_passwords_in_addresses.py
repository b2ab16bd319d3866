"""A password in clear inside of an address reaches no log, whichever command it comes with and on whichever way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from contracts.command import Wish
from contracts.commands.dispatcher import CreatePlan, SaveJobAgent, SaveWorkflow
from contracts.commands.planner import CreateVersion, SaveDeployment, UpdateVersion
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.shapes import Verification, WorkflowStep
from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.gateway.configs.saving import KeepingRequests
from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.test_secrets_kept import head, save, whole_log
from tests.integration.gateway.verification_scenes import FAILS, policy
from tests.unit.secrets.secret_scenes import MASTER

SECRET = "s3cr3t-in-clear"
ADDRESS = f"https://ann:{SECRET}@outside.example/x"
CONFIG = {"template": f"spec:\n  repoURL: {ADDRESS}\n"}
ID = str(uuid4())
ASKED = Verification.model_validate({"metrics": [{**FAILS, "provider": {"type": "http", "url": ADDRESS}}]})


@pytest.fixture
async def one() -> AsyncIterator[House]:
    keys = MemoryKeys(MASTER)
    async with house(vault=Vault(Sources({}, None), keys), keys=keys) as made:
        yield made


WISHES: list[tuple[Wish, str]] = [
    (SaveJobAgent(agent_id=ID, name="a", type="argo-cd", config={"serverUrl": ADDRESS}), "/body/config/serverUrl"),
    # Of a type that we do not know, and without its scheme.
    (SaveJobAgent(agent_id=ID, name="a", type="jenkins", config={"server": ADDRESS[8:]}), "/body/config/server"),
    (SaveDeployment(name="d", job_agent_config=CONFIG), "/body/jobAgentConfig/template"),
    (CreateVersion(deployment_id=ID, tag="v1", job_agent_config=CONFIG), "/body/jobAgentConfig/template"),
    (UpdateVersion(version_id=ID, job_agent_config=CONFIG), "/body/jobAgentConfig/template"),
    (CreatePlan(deployment_id=ID, tag="v1", job_agent_config=CONFIG), "/body/version/jobAgentConfig/template"),
    (
        SaveWorkflow(name="w", job_agents=(WorkflowStep(name="s", ref=ID, config=CONFIG, selector="true"),)),
        "/body/jobAgents/0/config/template",
    ),
    (SavePolicy(name="p", rules=(RuleInput(verification=ASKED),)), "/body/rules/0/verification/metrics/0/provider/url"),
]


@pytest.mark.parametrize("wish,path", WISHES, ids=[f"{one.NAME}-{path.rpartition('/')[2]}" for one, path in WISHES])
async def test_a_command_with_one_is_refused_with_its_place_and_what_to_do(one: House, wish: Wish, path: str) -> None:
    requests = KeepingRequests(one.requests, one.deps.configs)
    before = await head(one), len(one.requests.asked)
    answer = await requests.ask(wish, id=str(uuid4()), workspace_id=one.workspace_id, auth_id="service:ingest")
    refusal = answer.refusal
    assert refusal is not None
    assert (refusal.kind, refusal.code, [each["path"] for each in refusal.details]) == ("invalid", "INVALID_SECRET", [path])
    assert "${secret:env:NAME}" in refusal.message
    assert SECRET not in refusal.model_dump_json()
    # Nobody was asked, so nothing is recorded.
    assert (await head(one), len(one.requests.asked)) == before


@pytest.mark.parametrize(
    "provider,path",
    [
        ({"type": "http", "url": ADDRESS}, "url"),
        ({"type": "http", "url": "https://x.example", "body": json.dumps({"call": ADDRESS})}, "body"),
        ({"type": "http", "url": "https://x.example", "headers": {"Referer": ADDRESS}}, "headers/Referer"),
        ({"type": "prometheus", "address": f"https://{{{{ .variables.user }}}}:{SECRET}@x.example", "query": "up"}, "address"),
        ({"type": "prometheus", "address": ADDRESS[8:], "query": "up"}, "address"),
        # The secret of a field with a template in it is what that names, and the rest stays in clear.
        ({"type": "sql", "dsn": f"postgresql://ann:{SECRET}@{{{{ .resource.config.host }}}}/shop", "query": "SELECT 1"}, "dsn"),
    ],
)
async def test_whom_a_metric_asks_is_refused_with_one(one: House, provider: dict[str, Any], path: str) -> None:
    error = await one.call("POST", "/policies", policy({**FAILS, "provider": provider}), want=400)
    assert (error["code"], SECRET in json.dumps(error)) == ("INVALID_SECRET", False)
    assert [each["path"] for each in error["details"]] == [f"/body/rules/0/verification/metrics/0/provider/{path}"]


async def test_an_agent_is_refused_with_one_over_http(one: House) -> None:
    for agent_type, config in (("tfe", {"address": ADDRESS}), ("webhook", {"url": "https://x.example", "cancelUrl": ADDRESS})):
        error = await save(one, agent_type, config, want=400)
        assert (error["code"], SECRET in json.dumps(error)) == ("INVALID_SECRET", False)
        assert error["details"][0]["path"] == f"/body/config/{next(name for name, value in config.items() if value == ADDRESS)}"
    await save(one, "tfe", {"address": "https://ann:${secret:env:SIGNALBOX_SECRET_X}@x.example"})
    assert SECRET not in await whole_log(one)


async def test_where_it_is_sealed_anyway_it_may_be(one: House) -> None:
    provider = {"type": "sql", "dsn": f"postgresql://ann:{SECRET}@db.example/shop", "query": "SELECT 1"}
    made = await one.call("POST", "/policies", policy({**FAILS, "provider": provider}), want=202)
    assert made["rules"][0]["verification"]["metrics"][0]["provider"] == provider
    assert SECRET not in await whole_log(one)
