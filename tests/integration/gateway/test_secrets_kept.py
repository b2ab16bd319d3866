"""Secrets of configurations: sealed before anything is recorded, shown to nobody but who must read back what it sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import orjson
import pytest

from contracts.commands.dispatcher import SaveJobAgent
from contracts.commands.planner import CreateVersion, SaveDeployment
from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.references import MASK
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, PlanAnswer, PlanRequest
from services.gateway.adapters.forgetting import forget
from services.gateway.configs.saving import KeepingRequests
from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.test_events import Stream
from tests.integration.gateway.test_story_in_process import shop
from tests.unit.secrets.secret_scenes import MASTER

SECRET = "s3cr3t-in-clear"
URL = "https://agent.example"


class Asks:
    """An agent that notes with which configuration it was asked, and takes its time."""

    def __init__(self) -> None:
        self.configs: list[dict[str, Any]] = []

    async def dispatch(self, request: AgentRequest) -> AgentAnswer:
        self.configs.append(request.config)
        return AgentAnswer(status="inProgress", message=f"sent with {request.config.get('apiKey')}")

    async def observe(self, request: AgentRequest) -> AgentAnswer:
        return AgentAnswer(status="inProgress")

    async def cancel(self, request: AgentRequest) -> CancelAnswer:
        return CancelAnswer(stopped=True)

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        return PlanAnswer(status="unsupported")


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys(MASTER)


@pytest.fixture
def asks() -> Asks:
    return Asks()


@pytest.fixture
async def one(keys: MemoryKeys, asks: Asks) -> AsyncIterator[House]:
    vault = Vault(Sources({"SIGNALBOX_SECRET_X": "from outside"}, None), keys)
    async with house({"argo-cd": asks}, vault=vault, keys=keys) as made:
        yield made


async def save(one: House, agent_type: str, config: dict[str, Any], agent_id: str = "", want: int = 202, **more: Any) -> Any:
    """Save an agent; its id, or what is wrong."""
    agent_id = agent_id or str(uuid4())
    body = {"name": f"{agent_type} {agent_id}", "type": agent_type, "config": config, **more}
    answer = await one.call("PUT", f"/job-agents/{agent_id}", body, want=want)
    return agent_id if want == 202 else answer


async def config_of(one: House, agent_id: str) -> Any:
    found = (await one.call("GET", f"/job-agents/{agent_id}", want=200))["config"]
    (listed,) = [
        each["config"] for each in (await one.call("GET", "/job-agents?limit=1000", want=200))["items"] if each["id"] == agent_id
    ]
    assert listed == found
    return found


async def whole_log(one: House) -> str:
    """All that is recorded of the workspace, decisions and their commands included."""
    parts = [repr(fact.data) for fact in await one.deps.log.read(one.workspace_id, 0, 10_000)]
    assert parts
    for service in one.requests.hosts:
        parts += [repr(each) for each in await one.deps.log.decisions(one.workspace_id, service, 0, 10_000)]
    return "".join(parts)


async def head(one: House) -> int:
    return await one.deps.log.head(one.workspace_id)


ARGO = {"serverUrl": URL, "apiKey": SECRET, "template": "name: {{ .resource.name }}"}
KNOWN: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("argo-workflow", {**ARGO, "webhookSecret": SECRET}, ("apiKey", "webhookSecret")),
    ("tfe", {"address": URL, "token": SECRET, "webhookSecret": SECRET}, ("token", "webhookSecret")),
    ("kubernetes", {"serverUrl": URL, "token": SECRET}, ("token",)),
    ("webhook", {"url": URL, "secret": SECRET, "headers": {"X-Any": SECRET}}, ("secret", "headers")),
    ("github-app", {"repo": "r", "privateKey": SECRET, "password": SECRET}, ("privateKey", "password")),
]


@pytest.mark.parametrize("agent_type,config,secret", KNOWN, ids=[one[0] for one in KNOWN])
async def test_a_known_type_keeps_its_secrets_to_itself(
    one: House, agent_type: str, config: dict[str, Any], secret: tuple[str, ...]
) -> None:
    agent = await save(one, agent_type, config)
    shown = await config_of(one, agent)
    for name, value in config.items():
        if name not in secret:
            assert shown[name] == value
        else:
            assert shown[name] == ({"X-Any": MASK} if name == "headers" else MASK)
    assert SECRET not in await whole_log(one)


async def test_argo_cd_and_unknown_types_are_read_back_as_they_were_sent(one: House) -> None:
    custom = {"password": SECRET, "nested": {"token": 12345, "plain": "x"}, "reference": "${secret:env:SIGNALBOX_SECRET_X}"}
    for agent_type, config in (("argo-cd", ARGO), ("jenkins", custom), ("http-pull", custom)):
        agent = await save(one, agent_type, config)
        assert await config_of(one, agent) == config
    assert SECRET not in await whole_log(one)
    assert "12345" not in await whole_log(one)


async def test_the_same_again_changes_nothing(one: House) -> None:
    agent = await save(one, "argo-cd", ARGO)
    before = await head(one)
    await save(one, "argo-cd", ARGO, agent)
    assert await head(one) == before


async def test_a_mask_that_comes_back_means_unchanged(one: House) -> None:
    agent = await save(one, "tfe", {"address": URL, "token": SECRET, "organization": "o"})
    before = await head(one)
    await save(one, "tfe", await config_of(one, agent), agent)
    assert await head(one) == before
    await save(one, "tfe", {**await config_of(one, agent), "organization": "p"}, agent)
    row = await one.deps.store.get(one.workspace_id, "agent", agent)
    assert row is not None
    assert await one.deps.vault.unsealed(one.workspace_id, row["config"]) == {
        "address": URL,
        "token": SECRET,
        "organization": "p",
    }


async def test_a_secret_is_given_again_when_its_address_changes(one: House) -> None:
    agent = await save(one, "tfe", {"address": URL, "token": SECRET})
    error = await save(one, "tfe", {"address": "https://evil.example", "token": MASK}, agent, want=400)
    assert (error["code"], error["details"][0]["path"]) == ("INVALID_SECRET", "/body/config/token")
    await save(one, "tfe", {"address": "https://other.example", "token": SECRET}, agent)
    # Neither does a type whose secrets are shown get at the secret of one whose are not.
    error = await save(one, "jenkins", {"address": "https://other.example", "token": MASK}, agent, want=400)
    assert error["details"][0]["path"] == "/body/config/token"


async def test_a_mask_of_nothing_and_a_sealed_text_of_another_are_refused(one: House) -> None:
    error = await save(one, "tfe", {"token": MASK}, want=400)
    assert (error["code"], error["details"][0]["path"]) == ("INVALID_SECRET", "/body/config/token")
    agent = await save(one, "argo-cd", ARGO)
    row = await one.deps.store.get(one.workspace_id, "agent", agent)
    assert row is not None
    error = await save(one, "jenkins", {"password": row["config"]["apiKey"]}, want=400)
    assert error["details"][0]["path"] == "/body/config/password"
    error = await save(one, "jenkins", {"plain": "${secret:nothing"}, want=400)
    assert error["details"][0]["path"] == "/body/config/plain"


async def test_without_a_key_references_still_work_and_secrets_are_refused_with_what_to_do() -> None:
    async with house() as one:
        await save(one, "tfe", {"token": "${secret:env:SIGNALBOX_SECRET_X}"})
        error = await save(one, "tfe", {"token": SECRET}, want=400)
        assert "SIGNALBOX_SECRET_KEY_FILE" in error["message"]
        assert SECRET not in json.dumps(error)


async def test_a_wrong_configuration_is_told_without_its_secrets(one: House) -> None:
    error = await save(one, "argo-cd", {"apiKey": {"wrapped": SECRET}, "template": "{{ .x | nope }}"}, want=400)
    assert [each["path"] for each in error["details"]] == ["/body/config/apiKey", "/body/config/template"]
    assert (error["details"][1]["line"], error["code"]) == (1, "INVALID_CONFIGURATION")
    assert SECRET not in json.dumps(error)


async def test_no_secret_leaves_on_the_way_of_a_job(one: House, asks: Asks) -> None:
    ids = await shop(one)
    await save(one, "argo-cd", ARGO, ids["agent"])
    deployment = await one.call("GET", f"/deployments/{ids['deployment']}", want=200)
    body = {**deployment["deployment"], "jobAgentConfig": {"apiKey": f"{SECRET}-2", "headers": {"X-Any": SECRET}}}
    await one.call("PUT", f"/deployments/{ids['deployment']}", body, want=202)
    posted = {"tag": "v1", "name": "", "status": "ready", "jobAgentConfig": {"token": SECRET}}
    version = await one.call("POST", f"/deployments/{ids['deployment']}/versions", posted, want=200)
    assert version["jobAgentConfig"] == {"token": MASK}
    state_path = f"/release-targets/{ids['target']}/state"
    state = await one.until(
        lambda: one.call("GET", state_path, want=200),
        lambda seen: seen.get("latestJob", {}).get("job", {}).get("status") == "inProgress",
    )
    # The agent got them in clear, merged, and nobody else did.
    assert asks.configs == [{**ARGO, "apiKey": f"{SECRET}-2", "headers": {"X-Any": SECRET}, "token": SECRET}]
    job = state["latestJob"]["job"]
    assert job["message"] == f"sent with {MASK}"
    assert (job["jobAgentConfig"]["apiKey"], job["dispatchContext"]["jobAgentConfig"]["token"]) == (MASK, MASK)
    assert SECRET not in await whole_log(one)
    pair = {"deploymentId": ids["deployment"], "environmentId": ids["environment"]}
    for method, path, sent in (
        ("GET", "/events?limit=1000", None),
        ("GET", "/jobs", None),
        ("GET", f"/jobs/{job['id']}", None),
        ("GET", f"/jobs/{job['id']}/with-release", None),
        ("GET", f"/job-agents/{ids['agent']}/jobs?includeDispatchContext=true", None),
        ("GET", f"/release-targets/{ids['target']}/jobs", None),
        ("GET", f"/release-targets/{ids['target']}/explanation", None),
        ("POST", "/release-targets/state", pair),
        ("GET", f"/deployments/{ids['deployment']}/versions", None),
        ("GET", f"/releases/{job['releaseId']}", None),
        ("GET", f"/systems/{ids['system']}", None),
        ("GET", f"/resources/cluster%2Fa%3Ab/release-targets/deployment/{ids['deployment']}", None),
    ):
        answer = await one.send(method, path, sent)
        assert answer.status_code == 200, path
        assert SECRET not in answer.text, path
        if not path.startswith("/events"):
            assert "${secret:" not in answer.text, path


async def test_a_deployment_is_read_back_as_it_was_sent(one: House) -> None:
    config = {"serverUrl": URL, "apiKey": SECRET, "n": 1, "list": [{"name": "token", "value": SECRET}]}
    body = {"name": "web", "slug": "web", "jobAgentSelector": "true", "jobAgentConfig": config}
    made = (await one.call("POST", "/deployments", body, want=202))["id"]
    cel = "deployment.name%20%3D%3D%20%22web%22"
    for path in (f"/deployments/{made}", "/deployments/name/web", "/deployments", f"/deployments?cel={cel}"):
        found = await one.call("GET", path, want=200)
        assert found.get("items", [found])[0]["deployment"]["jobAgentConfig"] == config, path
    before = await head(one)
    await one.call("PUT", f"/deployments/{made}", body, want=202)
    assert await head(one) == before
    assert SECRET not in await whole_log(one)
    moved = {**body, "jobAgentConfig": {**config, "apiKey": MASK, "serverUrl": "https://evil.example"}}
    error = await one.call("PUT", f"/deployments/{made}", moved, want=400)
    assert error["details"][0]["path"] == "/body/jobAgentConfig/apiKey"


async def test_expressions_see_the_reference_and_not_the_secret(one: House) -> None:
    body = {"name": "web", "slug": "web", "jobAgentSelector": "true", "jobAgentConfig": {"apiKey": SECRET}}
    await one.call("POST", "/deployments", body, want=202)
    for wanted, expected in ((SECRET, 0), ("${secret:sealed:", 1)):
        cel = f'deployment.jobAgentConfig.apiKey.startsWith("{wanted}")'
        found = await one.send("GET", "/deployments", params={"cel": cel})
        assert found.json()["total"] == expected
    ids = await shop(one)
    picky = {"name": "api", "slug": "x", "resourceSelector": "true"}
    await save(one, "argo-cd", ARGO, ids["agent"])
    selector = f'jobAgent.config.apiKey == "{SECRET}"'
    await one.call("PUT", f"/deployments/{ids['deployment']}", {**picky, "jobAgentSelector": selector}, want=202)
    await one.call("POST", f"/deployments/{ids['deployment']}/versions", {"tag": "v1", "name": "", "status": "ready"}, want=200)
    path = f"/release-targets/{ids['target']}/state"
    state = await one.until(lambda: one.call("GET", path, want=200), lambda seen: "latestJob" in seen)
    assert state["latestJob"]["job"]["status"] == "invalidJobAgent"


async def test_a_version_is_changed_without_its_secrets(one: House) -> None:
    ids = await shop(one)
    posted = {"tag": "v1", "name": "", "status": "building", "jobAgentConfig": {"token": SECRET, "n": 1}}
    made = await one.call("POST", f"/deployments/{ids['deployment']}/versions", posted, want=200)
    path = f"/deployment-versions/{made['id']}"
    changed = await one.call("PATCH", path, {"jobAgentConfig": {"token": MASK, "n": 2}}, want=202)
    assert changed["jobAgentConfig"] == {"token": MASK, "n": 2}
    row = await one.deps.store.get(one.workspace_id, "version", made["id"])
    assert row is not None
    assert (await one.deps.vault.unsealed(one.workspace_id, row["jobAgentConfig"]))["token"] == SECRET
    error = await one.call("PATCH", path, {"jobAgentConfig": {"other": MASK}}, want=400)
    assert error["details"][0]["path"] == "/body/jobAgentConfig/other"


async def test_a_step_of_a_workflow_keeps_its_secrets_whatever_its_place(one: House) -> None:
    agent = await save(one, "http-pull", {})
    step = {"name": "a", "ref": agent, "config": {"url": URL, "token": SECRET}, "selector": "true"}
    body = {"name": "w", "inputs": [], "jobAgents": [step]}
    made = await one.call("POST", "/workflows", body, want=201)
    masked = {**step, "config": {"url": URL, "token": MASK}}
    other = {"name": "b", "ref": agent, "config": {"url": "https://b.example"}, "selector": "true"}
    changed = {**body, "jobAgents": [other, masked]}
    saved = await one.call("PUT", f"/workflows/{made['id']}", changed, want=202)
    assert [each["config"].get("token") for each in saved["jobAgents"]] == [None, SECRET]
    moved = {**masked, "ref": await save(one, "http-pull", {})}
    error = await one.call("PUT", f"/workflows/{made['id']}", {**body, "jobAgents": [moved]}, want=400)
    assert error["details"][0]["path"] == "/body/jobAgents/0/config/token"
    assert SECRET not in await whole_log(one)


async def test_a_workflow_is_read_back_as_it_was_sent(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that compares would else see a difference for ever, and send masks that it never meant."""
    agent = await save(one, "http-pull", {})
    configs = [{"url": URL, "token": SECRET}, {}, {"n": 1, "list": [{"name": "token", "value": f"{SECRET}-2"}]}]
    steps = [{"name": f"s{n}", "ref": agent, "config": each, "selector": "true"} for n, each in enumerate(configs)]
    body = {"name": "w", "slug": "w", "inputs": [], "jobAgents": steps}
    made = await one.call("POST", "/workflows", body, want=201)
    await one.call("POST", "/workflows", {**body, "slug": "none", "jobAgents": []}, want=201)
    paths = (f"/workflows/{made['id']}", "/workflows/slug/w", "/workflows")
    for path in paths:
        found = await one.call("GET", path, want=200)
        assert next(each for each in found.get("items", [found]) if each["slug"] == "w")["jobAgents"] == steps, path
    before = await head(one)
    assert (await one.call("PUT", f"/workflows/{made['id']}", body, want=202))["jobAgents"] == steps
    assert await head(one) == before
    assert SECRET not in await whole_log(one)
    run = await one.call("POST", f"/workflows/{made['id']}/runs", {"inputs": {}}, want=201)
    for path in (f"/workflow-runs/{run['id']}", f"/jobs/{run['jobs'][0]['jobId']}", "/events?limit=1000"):
        assert SECRET not in (await one.send("GET", path)).text, path
    monkeypatch.setattr("services.gateway.http.call.may_write", lambda *who: False)
    for path in paths:
        answer = await one.send("GET", path)
        assert answer.status_code == 200
        assert SECRET not in answer.text, path
        assert MASK in answer.text, path


async def test_what_comes_as_a_cloudevent_is_sealed_as_well(one: House) -> None:
    requests = KeepingRequests(one.requests, one.deps.configs)
    agent, deployment = str(uuid4()), str(uuid4())
    wishes: list[Any] = [
        SaveJobAgent(agent_id=agent, name="a", type="argo-cd", config=ARGO),
        SaveDeployment(deployment_id=deployment, name="d", job_agent_selector="true", job_agent_config={"apiKey": SECRET}),
        CreateVersion(deployment_id=deployment, tag="v1", job_agent_config={"token": SECRET}),
    ]
    for wish in wishes:
        answer = await requests.ask(
            wish, id=str(uuid4()), workspace_id=one.workspace_id, auth_id="service:ingest", min_position=await head(one)
        )
        assert answer.refusal is None, answer.refusal
    assert SECRET not in await whole_log(one)
    refused = await requests.ask(
        SaveJobAgent(agent_id=agent, name="a", type="tfe", config={"token": MASK}),
        id=str(uuid4()),
        workspace_id=one.workspace_id,
        auth_id="service:ingest",
    )
    assert refused.refusal is not None
    assert refused.refusal.code == "INVALID_SECRET"


async def test_a_deployments_configuration_is_checked_with_its_place(one: House) -> None:
    body = {"name": "web", "slug": "web", "jobAgentSelector": "true"}
    for config, path in (
        ({"template": "{{ if }}"}, "/body/jobAgentConfig/template"),
        ({"installationId": "twelve"}, "/body/jobAgentConfig/installationId"),
        ({"timeoutSeconds": -1}, "/body/jobAgentConfig/timeoutSeconds"),
    ):
        error = await one.call("POST", "/deployments", {**body, "jobAgentConfig": config}, want=400)
        assert error["details"][0]["path"] == path
    await save(one, "jenkins", {})
    await one.call("POST", "/deployments", {**body, "jobAgentConfig": {"template": "{{ if }}", "timeout": 5}}, want=202)


async def test_the_secrets_of_a_workspace_go_with_it(one: House, keys: MemoryKeys) -> None:
    made = await one.call("POST", "/api/v1/workspaces", {"name": "other", "slug": "other"}, want=201)
    agent = f"/api/v1/workspaces/{made['id']}/job-agents/{uuid4()}"
    await one.call("PUT", agent, {"name": "a", "type": "argo-cd", "config": ARGO}, want=202)
    key = await keys.existing(made["id"])
    assert key is not None
    await one.call("DELETE", f"/api/v1/workspaces/{made['id']}", want=204)
    assert await keys.existing(made["id"]) is None
    # A process may end between the two; the next one sees to it.
    await keys.making(made["id"])
    await keys.making(one.workspace_id)
    assert await forget(one.deps.log, keys) == 1
    assert await forget(one.deps.log, keys) == 0
    assert await keys.existing(one.workspace_id) is not None


async def test_the_stream_of_facts_tells_no_secret(one: House) -> None:
    await save(one, "argo-cd", ARGO)
    facts = await one.call("GET", "/events?types=dispatcher.job_agent_saved.v1", want=200)
    assert facts["items"][0]["data"]["config"]["apiKey"].startswith("${secret:sealed:")
    assert SECRET not in orjson.dumps(facts).decode()
    stream = Stream(one, "after=0&types=dispatcher.job_agent_saved.v1")
    await stream.start()
    (frame,) = await stream.frames(1)
    await stream.end()
    assert frame["data"]["data"]["config"]["apiKey"].startswith("${secret:sealed:")
    assert SECRET not in json.dumps(frame)
