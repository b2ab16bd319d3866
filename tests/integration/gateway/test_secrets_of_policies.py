"""Secrets in the metrics of policies: sealed before anything is recorded, read back as they were sent by whoever may write."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest

from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.shapes import Verification
from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.references import MASK
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.gateway.configs.saving import KeepingRequests
from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.test_events import Stream
from tests.integration.gateway.test_secrets_kept import head, whole_log
from tests.integration.gateway.verification_scenes import FAILS, policy, verified
from tests.unit.secrets.secret_scenes import MASTER

SECRET = "s3cr3t-in-clear"

HTTP: dict[str, Any] = {
    "type": "http",
    "url": "https://health.example",
    "headers": {"Authorization": f"Bearer {SECRET}", "Accept": "*/*"},
}
PROVIDERS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "http": (HTTP, ("headers", "Authorization")),
    "prometheus": (
        {
            "type": "prometheus",
            "address": "https://prometheus.example",
            "query": "up",
            "authentication": {
                "oauth2": {"tokenUrl": "https://id.example/token", "clientId": "signalbox", "clientSecret": SECRET, "scopes": ["a"]}
            },
        },
        ("authentication", "oauth2", "clientSecret"),
    ),
    "datadog": ({"type": "datadog", "apiKey": SECRET, "appKey": SECRET, "queries": {"a": "avg:x{*}"}}, ("appKey",)),
    "terraformCloudRun": (
        {"type": "terraformCloudRun", "address": "https://app.terraform.io", "token": SECRET, "runId": "run-1", "organization": "o"},
        ("token",),
    ),
    "sql": ({"type": "sql", "dsn": f"postgresql://u:{SECRET}@db.example/x", "query": "SELECT 1"}, ("dsn",)),
}  # fmt: skip


@pytest.fixture
async def one() -> AsyncIterator[House]:
    keys = MemoryKeys(MASTER)
    async with house(vault=Vault(Sources({"SIGNALBOX_SECRET_X": "from outside"}, None), keys), keys=keys) as made:
        yield made


def asks(provider: dict[str, Any], name: str = "health") -> dict[str, Any]:
    return {**FAILS, "name": name, "provider": provider}


def provider_of(answer: Any, metric: int = 0, rule: int = 0) -> Any:
    return answer["rules"][rule]["verification"]["metrics"][metric]["provider"]


def at(config: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        config = config[part]
    return config


def with_mask(provider: dict[str, Any], path: tuple[str, ...], mask: str = MASK) -> dict[str, Any]:
    masked = deepcopy(provider)
    at(masked, path[:-1])[path[-1]] = mask
    return masked


async def saved(one: House, *providers: dict[str, Any], path: str = "", want: int = 202) -> Any:
    metrics = [asks(provider, f"m{number}") for number, provider in enumerate(providers)]
    return await one.call("PUT", path or f"/policies/{uuid4()}", policy(*metrics), want=want)


@pytest.mark.parametrize("kind", PROVIDERS)
async def test_a_secret_is_sealed_and_read_back_as_it_was_sent(one: House, kind: str) -> None:
    provider, secret = PROVIDERS[kind]
    made = await saved(one, provider)
    path = f"/policies/{made['id']}"
    assert provider_of(made) == provider
    assert provider_of(await one.call("GET", path, want=200)) == provider
    (listed,) = (await one.call("GET", "/policies", want=200))["items"]
    assert provider_of(listed) == provider
    posted = await one.call("POST", "/policies", policy(asks(provider), name="posted"), want=202)
    assert provider_of(posted) == provider
    assert SECRET not in await whole_log(one)
    row = await one.deps.store.get(one.workspace_id, "policy", made["id"])
    assert "${secret:sealed:" in at(provider_of(row), secret)
    assert SECRET not in (await one.send("GET", "/events?limit=1000")).text


@pytest.mark.parametrize("kind", PROVIDERS)
async def test_the_same_again_changes_nothing_and_neither_does_what_is_shown_to_others(one: House, kind: str) -> None:
    provider, secret = PROVIDERS[kind]
    made = await saved(one, provider)
    before = await head(one)
    body = policy(asks(provider))
    # What was read has the ids of its rules, and when they were made.
    sent = {**body, "rules": made["rules"]}
    await one.call("PUT", f"/policies/{made['id']}", sent, want=202)
    assert await head(one) == before
    masked = deepcopy(sent)
    masked["rules"][0]["verification"]["metrics"][0]["provider"] = with_mask(provider, secret)
    assert provider_of(await one.call("PUT", f"/policies/{made['id']}", masked, want=202)) == provider
    assert await head(one) == before


@pytest.mark.parametrize("kind", PROVIDERS)
async def test_a_secret_field_with_half_a_reference_is_refused_with_its_place(one: House, kind: str) -> None:
    provider, secret = PROVIDERS[kind]
    answer = await saved(one, with_mask(provider, secret, "Bearer ${secret:db}"), want=400)
    assert answer["code"] == "INVALID_SECRET"
    (told,) = answer["details"]
    assert told["path"] == "/".join(["/body/rules/0/verification/metrics/0/provider", *secret])
    assert "${secret:env:NAME}" in told["message"]


@pytest.mark.parametrize(
    "provider,path",
    [
        ({"type": "sql", "dsn": f"mysql://u:{SECRET}@db.example/x", "query": "SELECT 1"}, "dsn"),
        ({**HTTP, "headers": {"Authorization": f"Bearer\n{SECRET}"}}, "headers/Authorization"),
    ],
)
async def test_a_secret_that_can_never_work_is_told_before_it_is_sealed(one: House, provider: dict[str, Any], path: str) -> None:
    error = await saved(one, provider, want=400)
    assert (error["code"], SECRET in json.dumps(error)) == ("INVALID_METRIC", False)
    assert [each["path"] for each in error["details"]] == [f"/body/rules/0/verification/metrics/0/provider/{path}"]
    # What it stands for once it is sealed, nobody looks at again.
    made = await saved(one, HTTP)
    await saved(one, with_mask(HTTP, ("headers", "Authorization")), path=f"/policies/{made['id']}")


async def test_a_policy_that_no_fact_can_hold_is_not_looked_through(one: House) -> None:
    large = {**HTTP, "headers": {"X-Large": "x" * 300_000, "Authorization": f"Bearer\n{SECRET}"}}
    error = await saved(one, large, want=400)
    assert (error["code"], "too large" in error["message"], SECRET in json.dumps(error)) == ("INVALID_POLICY", True, False)


async def test_what_is_wrong_with_all_of_a_provider_is_told_at_the_provider(one: House) -> None:
    dsn = f"postgresql://u:{SECRET}@db.example/x?sslmode=require"
    error = await saved(one, {"type": "sql", "dsn": dsn, "caCertificate": "", "query": "SELECT 1"}, want=400)
    assert [each["path"] for each in error["details"]] == ["/body/rules/0/verification/metrics/0/provider"]
    assert SECRET not in json.dumps(error)


async def test_others_are_shown_masks(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await saved(one, *(provider for provider, _ in PROVIDERS.values()))
    monkeypatch.setattr("services.gateway.http.call.may_write", lambda *who: False)
    for path in (f"/policies/{made['id']}", "/policies"):
        answer = await one.send("GET", path)
        assert SECRET not in answer.text, path
        assert "${secret:" not in answer.text, path
        found = answer.json().get("items", [answer.json()])[0]
        for number, (provider, secret) in enumerate(PROVIDERS.values()):
            assert MASK in at(provider_of(found, number), secret)
            assert provider_of(found, number)["type"] == provider["type"]


async def test_a_metric_keeps_its_secret_wherever_it_moves(one: House) -> None:
    made = await saved(one, HTTP)
    path = f"/policies/{made['id']}"
    masked = with_mask(HTTP, ("headers", "Authorization"))
    other = asks({"type": "http", "url": "https://other.example"}, "other")
    moved = policy(other, {**asks(masked, "m0"), "count": 7})
    # Neither the id of its rule is sent nor is it where it was.
    answer = await one.call("PUT", path, moved, want=202)
    assert provider_of(answer, 1) == HTTP
    assert answer["rules"][0]["verification"]["metrics"][1]["count"] == 7
    assert SECRET not in await whole_log(one)


@pytest.mark.parametrize(
    "kind,change",
    [
        ("http", {"url": "https://evil.example"}),
        ("prometheus", {"address": "https://evil.example"}),
        ("datadog", {"site": "evil.example"}),
        ("terraformCloudRun", {"address": "https://evil.example"}),
    ],
)
async def test_a_secret_is_given_again_when_it_is_sent_elsewhere(one: House, kind: str, change: dict[str, Any]) -> None:
    provider, secret = PROVIDERS[kind]
    made = await saved(one, provider)
    masked = with_mask({**provider, **change}, secret)
    if kind == "datadog":
        masked["apiKey"] = MASK
    before = await head(one)
    error = await saved(one, masked, path=f"/policies/{made['id']}", want=400)
    assert error["code"] == "INVALID_SECRET"
    assert error["details"][0]["path"].startswith("/body/rules/0/verification/metrics/0/provider/")
    assert (await head(one), SECRET in json.dumps(error)) == (before, False)
    await saved(one, {**provider, **change}, path=f"/policies/{made['id']}")


async def test_a_mask_of_nothing_and_a_sealed_text_of_another_are_refused(one: House) -> None:
    masked = with_mask(HTTP, ("headers", "Authorization"))
    place = "/body/rules/0/verification/metrics/0/provider/headers/Authorization"
    for method, path in (("POST", "/policies"), ("PUT", f"/policies/{uuid4()}")):
        error = await one.call(method, path, policy(asks(masked)), want=400)
        assert (error["code"], error["details"][0]["path"]) == ("INVALID_SECRET", place)
    made = await saved(one, HTTP)
    row = await one.deps.store.get(one.workspace_id, "policy", made["id"])
    stolen = with_mask(HTTP, ("headers", "Authorization"), provider_of(row)["headers"]["Authorization"])
    error = await saved(one, stolen, want=400)
    assert error["details"][0]["path"] == place
    # Of another metric of the same policy it is not known either.
    error = await saved(one, HTTP, {**stolen, "url": "https://evil.example"}, path=f"/policies/{made['id']}", want=400)
    assert error["details"][0]["path"] == "/body/rules/0/verification/metrics/1/provider/headers/Authorization"
    # Nor does a metric that asks another type get at it.
    prometheus = {**PROVIDERS["prometheus"][0], "headers": [{"key": "Authorization", "value": MASK}]}
    await saved(one, prometheus, path=f"/policies/{made['id']}", want=400)


async def test_what_is_wrong_with_a_policy_is_told_and_recorded_without_its_secrets(one: House) -> None:
    for change in (
        {"successCondition": "result."},
        {"count": 0},
        {"provider": {**HTTP, "timeout": "soon"}},
        {"provider": {**HTTP, "url": "https://{{"}},
        {"provider": {**HTTP, "nonsense": SECRET}},
        {"provider": {**PROVIDERS["datadog"][0], "queries": {"a": 5}}},
        {"provider": {"type": "unheard-of", "password": SECRET}},
    ):
        error = await one.call("PUT", f"/policies/{uuid4()}", policy({**asks(HTTP), **change}), want=400)
        assert SECRET not in json.dumps(error), change
    # Something must be recorded at all to be looked through.
    await saved(one, HTTP)
    assert SECRET not in await whole_log(one)


async def test_templates_and_references_stay_as_they_are_and_need_no_key() -> None:
    datadog = {
        "type": "datadog", "apiKey": "{{ .variables.datadog_key }}", "appKey": "${secret:env:SIGNALBOX_SECRET_X}",
        "queries": {"a": "avg:x{version:{{.version.tag}}}"},
    }  # fmt: skip
    async with house() as one:
        made = await saved(one, datadog)
        assert provider_of(made) == datadog
        row = await one.deps.store.get(one.workspace_id, "policy", made["id"])
        assert provider_of(row) == datadog
        error = await saved(one, {**datadog, "apiKey": SECRET}, want=400)
        assert "SIGNALBOX_SECRET_KEY_FILE" in error["message"]
        assert SECRET not in json.dumps(error)


async def test_what_comes_as_a_cloudevent_is_sealed_as_well(one: House) -> None:
    requests = KeepingRequests(one.requests, one.deps.configs)
    verification = Verification.model_validate({"metrics": [asks(HTTP)]})
    wish = SavePolicy(name="p", rules=(RuleInput(verification=verification),))
    answer = await requests.ask(
        wish, id=str(uuid4()), workspace_id=one.workspace_id, auth_id="service:ingest", min_position=await head(one)
    )
    assert answer.refusal is None, answer.refusal
    assert SECRET not in await whole_log(one)


async def test_no_secret_leaves_on_the_way_of_a_verification(one: House) -> None:
    provider = {**HTTP, "url": "http://127.0.0.1:9/{{.version.tag}}"}
    ids, found = await verified(one, asks(provider))
    shown = found["metrics"][0]
    assert shown["provider"]["headers"] == {"Authorization": MASK, "Accept": "*/*"}
    asked = shown["measurements"][0]["asked"]
    assert asked["headers"]["Authorization"] == MASK
    for path in (
        f"/release-targets/{ids['target']}/state",
        f"/release-targets/{ids['target']}/evaluations",
        f"/release-targets/{ids['target']}/explanation",
        f"/verifications/{found['id']}",
        f"/verifications/{found['id']}/measurements?includeDetails=true",
        f"/jobs/{ids['job']}/verifications",
        f"/jobs/{ids['job']}",
        "/events?limit=1000",
    ):
        answer = await one.send("GET", path)
        assert answer.status_code == 200, path
        assert SECRET not in answer.text, path
        if not path.startswith("/events"):
            assert "${secret:" not in answer.text, path
    types = "policy.policy_saved.v1,verifier.verification_started.v1,verifier.measurement_taken.v1"
    stream = Stream(one, f"after=0&types={types}")
    await stream.start()
    frames = await stream.frames(3)
    await stream.end()
    assert SECRET not in json.dumps(frames)
    assert SECRET not in await whole_log(one)
