"""What holds for every request: the order of checks, credentials, bodies, repeats, outages, and that nothing ends in a 500."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from libs.cel import Program
from libs.eventlog.port import LogUnavailable
from libs.runtime import clock
from services.gateway.adapters.system import SystemView
from services.gateway.http.app import create_app, operations
from services.gateway.store import StoreUnavailable
from tests.integration.gateway.gateway_house import KEY, PATIENCE_S, House, another_user, house


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house(patience_s=1.5, read_wait_s=1.5) as made:
        yield made


async def raw(house_: House, method: str, path: str, content: bytes = b"", **headers: str) -> Any:
    url = path if path.startswith("/api") else f"/api/v1/workspaces/{house_.workspace_id}{path}"
    return await house_.client.request(method, url, content=content, headers={k.replace("_", "-"): v for k, v in headers.items()})


JSON = "application/json"


# --- who is let in ---------------------------------------------------------------------------------------------------------------------


async def test_a_gateway_that_has_just_started_turns_nobody_away(one: House) -> None:
    """A restarted process takes requests before it has read which keys there are."""
    system = SystemView(one.deps.feed)
    app = create_app(replace(one.deps, system=system))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        system.start()
        assert not system.loaded
        answer = await client.get(f"/api/v1/workspaces/{one.workspace_id}/systems", headers={"X-API-Key": KEY})
        assert answer.status_code == 200
        wrong = await client.get(f"/api/v1/workspaces/{one.workspace_id}/systems", headers={"X-API-Key": KEY[:-1] + "0"})
        assert wrong.status_code == 401
    await system.stop()


# --- order of checks -------------------------------------------------------------------------------------------------------------------


async def test_a_malformed_body_comes_before_everything(one: House) -> None:
    for path in ("/nowhere", "/systems"):
        answer = await raw(one, "PATCH", path, b'{"a":', content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "SyntaxError")


async def test_unknown_paths_and_methods_need_no_credential(one: House) -> None:
    for path in ("/api/v1/nowhere", "/api/nowhere", "/nowhere", "/api/v1/workspaces/"):
        answer = await one.client.get(path)
        assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (404, "Not Found", "not found")
    answer = await raw(one, "PATCH", "/systems")
    assert (answer.status_code, answer.json()["code"]) == (405, "Method Not Allowed")


@pytest.mark.parametrize("padding", [b" ", b"x"])
async def test_a_large_body_is_checked_as_a_small_one_is(one: House, padding: bytes) -> None:
    """Also when it is large only as it was sent, and hardly anything once written again."""
    more = padding * 300_000
    body = b'{"name":null,"more":"' + more + b'"}' if padding.strip() else b'{"name":null' + more + b"}"
    answer = await raw(one, "POST", "/systems", body, content_type=JSON, X_API_Key=KEY)
    small = await raw(one, "POST", "/systems", b'{"name":null}', content_type=JSON, X_API_Key=KEY)
    assert answer.status_code == 400
    assert answer.json() == small.json()


async def test_a_large_set_of_resources_is_kept_and_can_be_read(one: House) -> None:
    provider = await one.call("PUT", "/resource-providers", {"id": "", "name": "aws"}, want=202)
    resources = [
        {
            "identifier": f"r{number}",
            "name": "é",
            "kind": "K",
            "version": "v1",
            "config": {"text": "x" * 500},
            "metadata": {"n": str(number)},
            "createdAt": "2026-01-01T00:00:00Z",
        }
        for number in range(600)
    ]
    path = f"/resource-providers/{provider['id']}/set"
    counts = await one.call("PUT", path, {"resources": resources}, want=202)
    assert (counts["saved"], counts["deleted"], counts["skipped"]) == (600, 0, 0)
    again = await one.call("PUT", path, {"resources": resources}, want=202)
    assert again["saved"] == 0
    kept = await one.call("GET", "/resource-providers/name/aws/resources", want=200)
    told = [(row["identifier"], row["config"], row["metadata"]) for row in kept["items"]]
    assert told == [(row["identifier"], row["config"], row["metadata"]) for row in resources]


async def test_the_presence_of_a_credential_comes_before_the_form(one: House) -> None:
    answer = await raw(one, "POST", "/systems", b"{}", content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (401, "Unauthorized")
    assert answer.json()["message"] == "'X-API-Key' header required"


async def test_the_form_comes_before_the_credential_itself(one: House) -> None:
    answer = await raw(one, "POST", "/systems", b"{}", content_type=JSON, x_api_key="wrong")
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "/body/name")
    answer = await raw(one, "POST", "/systems", b'{"name":"x"}', content_type="text/plain", x_api_key="wrong")
    assert (answer.status_code, answer.json()["code"]) == (415, "Unsupported Media Type")
    answer = await raw(one, "POST", "/systems", b'{"name":"x"}', x_api_key=KEY)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"x_api_key": ""},
        {"x_api_key": "nonsense"},
        {"x_api_key": KEY[:-1] + "0"},
        {"x_api_key": "1" + KEY[1:]},
        {"x_api_key": KEY.upper()},
        {"authorization": "Basic abc"},
        {"authorization": "Bearer " + KEY[:-2]},
        {"authorization": KEY},
    ],
)
async def test_a_wrong_key_is_401(one: House, headers: dict[str, str]) -> None:
    answer = await raw(one, "GET", "/systems", b"", **headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


async def test_a_key_works_as_bearer_too(one: House) -> None:
    assert (await raw(one, "GET", "/systems", authorization=f"Bearer {KEY}")).status_code == 200


async def test_an_expired_key_is_401(one: House) -> None:
    key = await another_user(one, expires_at=clock.now() - timedelta(seconds=1))
    assert (await raw(one, "GET", "/api/v1/workspaces", x_api_key=key)).status_code == 401
    key = await another_user(one, prefix="f" * 16, expires_at=clock.now() + timedelta(hours=1))
    assert (await raw(one, "GET", "/api/v1/workspaces", x_api_key=key)).status_code == 200


async def test_a_workspace_id_is_checked_and_others_are_just_unknown(one: House) -> None:
    answer = await raw(one, "GET", "/api/v1/workspaces/nope/systems", x_api_key=KEY)
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "/params/workspaceId")
    for path in ("/systems/nope", "/deployments/nope", "/jobs/nope", "/releases/nope", "/job-agents/nope", "/policies/nope"):
        assert (await raw(one, "GET", path, x_api_key=KEY)).status_code == 404


@pytest.mark.parametrize("path", ["/resources/identifier/%00", "/resources/identifier/%ff", "/deployments/name/%00"])
async def test_a_path_that_can_name_nothing_is_404(one: House, path: str) -> None:
    assert (await raw(one, "GET", path, x_api_key=KEY)).status_code == 404


async def test_upper_case_ids_are_the_same_ids(one: House) -> None:
    made = await one.call("POST", "/systems", {"name": "x"}, want=202)
    assert (await one.call("GET", f"/systems/{made['id'].upper()}", want=200))["id"] == made["id"]


# --- bodies and queries ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=1.0",
        "limit=1_0",
        "limit=",
        "offset=-1",
        "offset=99999999999999999999",
        "what=1",
        "limit=1&limit=2",
    ],
)
async def test_a_bad_query_is_400(one: House, query: str) -> None:
    answer = await raw(one, "GET", f"/systems?{query}", x_api_key=KEY)
    assert answer.status_code == 400
    assert answer.json()["details"][0]["path"].startswith("/query/")


@pytest.mark.parametrize(
    "path, body, at",
    [
        ("/systems", {"name": 1}, "/body/name"),
        ("/systems", {"name": None}, "/body/name"),
        ("/systems", {"name": "x", "description": None}, "/body/description"),
        ("/systems", {"name": "x", "metadata": {"a": 1}}, "/body/metadata/a"),
        ("/systems", {}, "/body/name"),
        ("/systems", [], "/body"),
        ("/systems", "text", "/body"),
        ("/deployments", {"name": "x"}, "/body/slug"),
        ("/deployments", {"name": "x", "slug": "x", "resourceSelector": {"type": "and"}}, "/body/resourceSelector"),
        ("/deployments", {"name": "x", "slug": "x", "jobAgentConfig": []}, "/body/jobAgentConfig"),
        ("/policies", {"name": "x", "priority": "1"}, "/body/priority"),
        ("/policies", {"name": "x", "priority": True}, "/body/priority"),
        ("/policies", {"name": "x", "enabled": "true"}, "/body/enabled"),
        ("/policies", {"name": "x", "rules": {}}, "/body/rules"),
        ("/policies", {"name": "x", "rules": [{"anyApproval": {"minApprovals": "1"}}]}, "/body/rules/0/anyApproval/minApprovals"),
        ("/policies", {"name": "x", "rules": [{"anyApproval": None}]}, "/body/rules/0/anyApproval"),
        ("/policies", {"name": "x", "rules": [{"gradualRollout": {"rolloutType": "x", "timeScaleInterval": 1}}]}, "/body/rules/0/gradualRollout/rolloutType"),
        ("/resource-providers", {"name": "x"}, "/body/id"),
        ("/resources/search", {"limit": 1.5}, "/body/limit"),
        ("/release-targets/state", {"deploymentId": 1, "environmentId": "x"}, "/body/deploymentId"),
    ],
)  # fmt: skip
async def test_a_body_of_the_wrong_form_is_400_with_its_place(one: House, path: str, body: object, at: str) -> None:
    method = "PUT" if path == "/resource-providers" else "POST"
    refused = await one.call(method, path, body, want=400)
    assert refused["code"] == "Bad Request"
    assert at in [detail["path"] for detail in refused["details"]]


async def test_unknown_properties_are_ignored(one: House) -> None:
    await one.call("POST", "/systems", {"name": "x", "what": None, "resource_selector": 5}, want=202)


@pytest.mark.parametrize(
    "body", [b'{"name":"a\\u0000"}', b'{"name":"x","metadata":{"a\\u0000":"b"}}', b"[" * 70 + b"]" * 70, b"\xff", b'{"name":NaN}', b'"\\ud800"']
)  # fmt: skip
async def test_json_that_nobody_could_hold_is_400(one: House, body: bytes) -> None:
    answer = await raw(one, "POST", "/systems", body, content_type=JSON, x_api_key=KEY)
    assert (answer.status_code, answer.json()["code"]) == (400, "SyntaxError")


async def test_numbers_beyond_64_bits_are_kept_as_floating_point(one: House) -> None:
    body = b'{"name":"c","kind":"k","version":"v","config":{"n":123456789012345678901234567890}}'
    answer = await raw(one, "PUT", "/resources/identifier/x", body, content_type=JSON, x_api_key=KEY)
    assert answer.status_code == 202
    assert (await one.call("GET", "/resources/identifier/x", want=200))["config"] == {"n": 1.2345678901234568e29}


async def test_a_body_is_required_where_one_is_declared(one: House) -> None:
    answer = await raw(one, "POST", "/systems", b"", content_type=JSON, x_api_key=KEY)
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "/body")


async def test_a_body_over_the_limit_is_413(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.http.intake.MAX_BODY_BYTES", 100)
    answer = await raw(one, "POST", "/systems", orjson.dumps({"name": "x" * 200}), content_type=JSON, x_api_key=KEY)
    assert answer.status_code == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"          "

    url = f"/api/v1/workspaces/{one.workspace_id}/systems"
    answer = await one.client.post(url, content=chunks(), headers={"X-API-Key": KEY, "Content-Type": JSON})
    assert answer.status_code == 413


async def test_a_large_body_is_taken(one: House) -> None:
    made = await one.call("PUT", "/resource-providers", {"id": "", "name": "sync"}, want=202)
    resource = {
        "name": "n",
        "kind": "k",
        "version": "v",
        "config": {"t": "x" * 500},
        "metadata": {},
        "createdAt": "2026-01-01T00:00:00Z",
    }
    resources = [{**resource, "identifier": f"r{number}"} for number in range(600)]
    answer = await one.call("PUT", f"/resource-providers/{made['id']}/set", {"resources": resources}, want=202)
    assert answer["saved"] == 600
    assert (await one.call("GET", "/resources?limit=1", want=200))["total"] == 600


# --- traces ----------------------------------------------------------------------------------------------------------------------


async def test_the_trace_of_the_caller_is_passed_on(one: House) -> None:
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    await one.call("POST", "/systems", {"name": "x"}, want=202, headers={"traceparent": trace})
    assert one.requests.asked[-1][2] == trace
    await one.call("POST", "/systems", {"name": "y"}, want=202, headers={"traceparent": "nonsense"})
    assert one.requests.asked[-1][2] == ""


# --- outages ---------------------------------------------------------------------------------------------------------------------------


async def test_an_unanswered_command_is_503(one: House) -> None:
    one.requests.away = True
    answer = await one.send("POST", "/systems", {"name": "x"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    await one.call("GET", "/systems", want=200)


async def test_a_write_whose_rows_do_not_follow_is_503_and_its_repeat_is_harmless(one: House) -> None:
    await one.projector.stop()
    headers = {"Idempotency-Key": "7b0b2f3e-6f0a-4c4e-9a51-0a5d5d2f7c11"}
    answer = await one.send("POST", "/deployments", {"name": "x", "slug": "x"}, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    one.projector.start()
    await one.call("POST", "/deployments", {"name": "x", "slug": "x"}, want=202, headers=headers)
    assert (await one.call("GET", "/deployments", want=200))["total"] == 1


async def test_a_read_shows_at_least_what_it_says_it_has_heard_of(one: House) -> None:
    await one.projector.stop()
    await one.send("POST", "/deployments", {"name": "x", "slug": "x"})
    heard = {"Signalbox-At-Least": str(await one.deps.log.head(one.workspace_id))}
    assert (await one.call("GET", "/deployments", want=200))["total"] == 0
    answer = await one.send("GET", "/deployments", headers=heard)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    one.projector.start()
    assert (await one.call("GET", "/deployments", want=200, headers=heard))["total"] == 1
    # What is asked as of the past waits for nothing that came later.
    await one.projector.stop()
    await one.send("POST", "/deployments", {"name": "y", "slug": "y"})
    later = {"Signalbox-At-Least": str(await one.deps.log.head(one.workspace_id))}
    assert (await one.call("GET", f"/deployments?at={heard['Signalbox-At-Least']}", want=200, headers=later))["total"] == 1


@pytest.mark.parametrize("told", ["x", "-1", "1.5", "1" * 16, ""])
async def test_what_is_no_position_can_not_have_been_heard_of(one: House, told: str) -> None:
    answer = await one.send("GET", "/deployments", headers={"Signalbox-At-Least": told})
    assert answer.status_code == 400
    assert "/headers/signalbox-at-least" in answer.text


async def test_nobody_has_heard_of_what_is_not_recorded_yet(one: House) -> None:
    answer = await one.send("GET", "/deployments", headers={"Signalbox-At-Least": "999999"})
    assert answer.status_code == 400
    assert "newest position" in answer.text


async def test_reads_wait_for_a_short_outage_and_give_up_on_a_long_one(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    find, head = one.rows.find, one.deps.log.head
    failures = 1

    async def failing_find(*args: Any, **more: Any) -> Any:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StoreUnavailable("away")
        return await find(*args, **more)

    async def failing_head(workspace_id: str) -> int:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise LogUnavailable("away")
        return await head(workspace_id)

    monkeypatch.setattr(one.rows, "find", failing_find)
    monkeypatch.setattr(one.deps.log, "head", failing_head)
    await one.call("GET", "/systems", want=200)
    failures = 1
    await one.call("POST", "/systems", {"name": "x"}, want=202)
    failures = 1_000_000
    answer = await one.send("GET", "/systems")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_our_own_bug_is_a_500_in_the_same_shape(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*args: Any, **more: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(one.rows, "find", broken)
    answer = await raw(one, "GET", "/systems", x_api_key=KEY)
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")


# --- health ----------------------------------------------------------------------------------------------------------------------------


async def test_health_needs_no_credential(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await one.client.get("/api/healthz")).json() == {"status": "ok"}
    assert set((await one.client.get("/api/version")).json()) == {"api", "workspaceEngine"}
    assert (await one.client.get("/api/readyz")).status_code == 200

    async def away() -> dict[str, int]:
        raise LogUnavailable("away")

    monkeypatch.setattr(one.deps.log, "heads", away)
    answer = await one.client.get("/api/readyz")
    assert (answer.status_code, answer.json()["log"]) == (503, False)


async def test_every_operation_is_behind_a_credential(one: House) -> None:
    for operation in operations().values():
        path = "/api" + operation.path.replace("{workspaceId}", one.workspace_id)
        for name in ("{", "}"):
            path = path.replace(name, "")
        assert (await one.client.request(operation.method, path)).status_code == 401


# --- what takes long -------------------------------------------------------------------------------------------------------------------


async def test_a_list_is_filtered_beside_other_requests_and_no_longer_than_is_granted(
    one: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.call("PUT", one.path_of("r"), {"name": "n", "kind": "k", "version": "v"}, want=202)
    began, go_on, threads = asyncio.Event(), threading.Event(), set[str]()
    loop = asyncio.get_running_loop()

    def slow(program: Program, rows: Sequence[Any], variable: str) -> list[int]:
        threads.add(threading.current_thread().name)
        loop.call_soon_threadsafe(began.set)
        assert go_on.wait(PATIENCE_S)
        return list(range(len(rows)))

    monkeypatch.setattr(Program, "filter", slow)
    filtering = asyncio.create_task(one.call("GET", "/resources", want=200, params={"cel": "resource.kind == 'k'"}))
    await asyncio.wait_for(began.wait(), PATIENCE_S)
    # Somebody else is answered meanwhile.
    assert (await one.call("GET", "/resources", want=200))["total"] == 1
    go_on.set()
    assert (await filtering)["total"] == 1
    assert threading.main_thread().name not in threads
    monkeypatch.setattr("services.gateway.http.filtered.FILTER_S", 0.0)
    refused = await one.call("GET", "/resources", want=400, params={"cel": "resource.kind == 'k'"})
    assert (refused["code"], "simpler" in refused["message"]) == ("INVALID_CEL", True)


async def test_a_filtered_list_is_paged_like_any_other_whatever_the_batches(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        body = {"name": "even" if number % 2 == 0 else "odd", "kind": "k", "version": "v"}
        await one.call("PUT", one.path_of(f"r{number}"), body, want=202)
    for size in (1, 2, 3, 7, 100):
        monkeypatch.setattr("services.gateway.http.filtered._BATCH", size)
        for limit, offset, seen in ((2, 0, ["r6", "r4"]), (2, 1, ["r4", "r2"]), (9, 2, ["r2", "r0"]), (1, 3, ["r0"]), (1, 4, [])):
            params = {"cel": 'resource.name == "even" && !resource.name.contains("x")', "limit": limit, "offset": offset}
            page = await one.call("GET", "/resources", want=200, params=params)
            assert ([entry["identifier"] for entry in page["items"]], page["total"]) == (seen, 4)


async def test_a_list_that_is_too_long_says_so(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await one.call("PUT", one.path_of("r"), {"name": "n", "kind": "k", "version": "v"}, want=202)
    monkeypatch.setattr("services.gateway.http.filtered.SCAN_S", -1.0)
    refused = await one.call("GET", "/resources", want=400, params={"cel": "true"})
    assert refused["code"] == "LIST_TOO_LONG"


async def test_too_many_filters_at_once_are_sent_away_for_now(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await one.call("PUT", one.path_of("r"), {"name": "n", "kind": "k", "version": "v"}, want=202)
    monkeypatch.setattr("services.gateway.http.filtered._QUEUE_S", 0.0)
    filters = one.deps.filters
    async with filters.taken(one.workspace_id), filters.taken(one.workspace_id):
        answer = await one.send("GET", "/resources", params={"cel": "true"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    await one.call("GET", "/resources", want=200, params={"cel": "true"})


async def test_a_method_that_is_not_there_is_told_with_those_that_are(one: House) -> None:
    answer = await one.send("DELETE", "/systems")
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"GET", "POST"})
