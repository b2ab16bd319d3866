"""Signing in and out over HTTP, what a cookie is good for, and API keys that people make for themselves."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest

from contracts.envelope import NIL_WORKSPACE
from libs.runtime import clock
from services.gateway.http.app import operations
from services.gateway.sessions import LIFE
from services.gateway.sign_ins import TRIES
from tests.integration.gateway.gateway_house import KEY, House, another_user, house

CSRF = "X-Signalbox-Csrf"


@dataclass
class Hands:
    """The time, moved by hand."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return clock.now() + self.ahead


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def one(hands: Hands) -> AsyncIterator[House]:
    async with house(clock=hands, public_url="https://releases.example.com") as made:
        yield made


async def sign_in(one: House, key: str = KEY, **headers: str) -> httpx.Response:
    return await one.client.post("/api/session", json={"apiKey": key}, headers=headers)


async def signed_in(one: House, key: str = KEY) -> str:
    """The second token of a new session, whose cookie the client keeps."""
    answer = await sign_in(one, key)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["csrfToken"]
    return token


async def browse(one: House, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    """As a page does: with the cookie and without a key."""
    url = path if path.startswith("/api") else f"/api/v1/workspaces/{one.workspace_id}{path}"
    return await one.client.request(
        method, url, json=body, headers={name.replace("_", "-"): told for name, told in headers.items()}
    )


# --- signing in ------------------------------------------------------------------------------------------------------------------------


async def test_a_key_opens_a_session_that_reads_and_tells_who_it_is(one: House) -> None:
    opened = await sign_in(one)
    told = opened.json()
    assert set(told) == {"user", "workspaces", "csrfToken", "expiresAt"}
    assert (told["user"]["name"], told["user"]["isAdmin"]) == ("admin", True)
    assert told["workspaces"] == [{"id": one.workspace_id, "name": "Default", "slug": "default"}]
    assert opened.headers["cache-control"] == "no-store"
    assert (await browse(one, "GET", "/api/session")).json() == told
    assert (await browse(one, "GET", "/systems")).status_code == 200


@pytest.mark.parametrize(
    "base,secure",
    [("http://test", False), ("https://test", True), ("http://releases.example.com", True)],
    ids=["plain", "TLS", "proxy"],
)
async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(one: House, base: str, secure: bool) -> None:
    answer = await one.client.post(f"{base}/api/session", json={"apiKey": KEY})
    value, *flags = [part.strip() for part in answer.headers["set-cookie"].split(";")]
    assert value.startswith("signalbox_session=")
    assert KEY.split(".")[1] not in value
    assert {flag.lower() for flag in flags} == {
        "httponly",
        "samesite=strict",
        "path=/",
        "max-age=43200",
        *(["secure"] if secure else []),
    }


@pytest.mark.parametrize(
    "body,status,words",
    [
        ({"apiKey": KEY[:-1] + "0"}, 401, "revoked or have expired"),
        ({"apiKey": "nonsense"}, 401, "16 hex digits, a dot and 64 hex digits"),
        ({"apiKey": 1}, 400, "must be string"),
        ({}, 400, "must be string"),
        ([], 400, "must be object"),
    ],
)
async def test_what_is_wrong_with_a_sign_in_is_told(one: House, body: Any, status: int, words: str) -> None:
    answer = await one.client.post("/api/session", json=body)
    assert (answer.status_code, words in answer.json()["message"]) == (status, True)
    assert "set-cookie" not in answer.headers


async def test_a_form_of_another_page_can_not_sign_anybody_in(one: House) -> None:
    answer = await one.client.post("/api/session", content=f'{{"apiKey":"{KEY}"}}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert (await sign_in(one, Origin="https://evil.example")).status_code == 403
    assert not one.client.cookies


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "http://]test"])
async def test_a_page_of_somebody_else_can_not_sign_anybody_in(one: House, origin: str) -> None:
    answer = await sign_in(one, Origin=origin)
    assert (answer.status_code, answer.json()["code"]) == (403, "FOREIGN_ORIGIN")


@pytest.mark.parametrize("host", ["[", "[::1", "a b", "", "a:b:c", "a@b"])
async def test_a_host_that_is_none_is_no_trouble(one: House, host: str) -> None:
    assert (await sign_in(one, host=host)).status_code == 200
    cookie = {"cookie": f"signalbox_session={one.client.cookies['signalbox_session']}"}
    assert (await one.client.get("/api/session", headers={"host": host, **cookie})).status_code == 200
    assert (await one.client.get("/", headers={"host": host, "accept": "text/html", **cookie})).status_code in (200, 503)
    assert (await one.client.get("/api/nowhere/", headers={"host": host, **cookie})).status_code == 404
    assert (await one.client.delete("/api/session", headers={"host": host, **cookie})).status_code == 403


async def test_a_key_with_spaces_around_it_as_it_was_pasted_works(one: House) -> None:
    assert (await sign_in(one, f" {KEY}\n")).status_code == 200


async def test_after_ten_wrong_keys_an_address_waits_a_minute_but_a_right_one_is_never_turned_away(
    one: House, hands: Hands
) -> None:
    for _ in range(TRIES):
        assert (await sign_in(one, "wrong")).status_code == 401
    limited = await sign_in(one, "wrong")
    assert limited.status_code == 429
    assert 1 <= int(limited.headers["retry-after"]) <= 60
    assert (await sign_in(one)).status_code == 200
    hands.ahead = timedelta(minutes=1)
    assert (await sign_in(one, "wrong")).status_code == 401


# --- how long it lasts -----------------------------------------------------------------------------------------------------------------


async def test_without_a_session_nobody_is_signed_in(one: House) -> None:
    assert (await browse(one, "GET", "/api/session")).status_code == 401
    assert (await browse(one, "GET", "/systems")).status_code == 401
    one.client.cookies.set("signalbox_session", "forged")
    assert (await browse(one, "GET", "/api/session")).status_code == 401
    assert (await browse(one, "GET", "/systems")).status_code == 401


async def test_it_ends_after_twelve_hours_that_nobody_used_it(one: House, hands: Hands) -> None:
    await signed_in(one)
    hands.ahead = LIFE
    assert (await browse(one, "GET", "/systems")).status_code == 401
    assert (await browse(one, "GET", "/api/session")).status_code == 401


async def test_who_uses_it_stays_signed_in_and_may_go_on_writing(one: House, hands: Hands) -> None:
    csrf = await signed_in(one)
    hands.ahead = LIFE / 3
    assert "set-cookie" not in (await browse(one, "GET", "/systems")).headers
    hands.ahead = LIFE * 2 / 3
    assert "set-cookie" in (await browse(one, "GET", "/systems")).headers
    hands.ahead = LIFE * 4 / 3
    # A page that was opened long ago knows only the token of then.
    assert (await browse(one, "POST", "/systems", {"name": "shop"}, **{CSRF: csrf})).status_code == 202


async def test_signing_out_ends_it_for_whoever_has_a_copy_of_the_cookie(one: House) -> None:
    csrf = await signed_in(one)
    copy = one.client.cookies["signalbox_session"]
    assert (await browse(one, "DELETE", "/api/session")).status_code == 403
    gone = await browse(one, "DELETE", "/api/session", **{CSRF: csrf})
    assert (gone.status_code, 'signalbox_session=""' in gone.headers["set-cookie"]) == (204, True)
    one.client.cookies.set("signalbox_session", copy)
    assert (await browse(one, "GET", "/api/session")).status_code == 401
    assert (await browse(one, "DELETE", "/api/session")).status_code == 204


async def test_a_revoked_key_ends_its_sessions_at_once(one: House) -> None:
    first = await signed_in(one)
    made = (await browse(one, "POST", "/api/v1/api-keys", {"name": "laptop"}, **{CSRF: first})).json()
    csrf = await signed_in(one, made["apiKey"])
    assert (await browse(one, "GET", "/systems")).status_code == 200
    assert (await browse(one, "DELETE", f"/api/v1/api-keys/{made['id']}", **{CSRF: csrf})).status_code == 204
    assert (await browse(one, "GET", "/systems")).status_code == 401
    assert (await browse(one, "GET", "/api/session")).status_code == 401
    assert (await sign_in(one, made["apiKey"])).status_code == 401


# --- who may change something ----------------------------------------------------------------------------------------------------------


async def test_a_page_of_ours_writes_with_the_second_token(one: House) -> None:
    csrf = await signed_in(one)
    for headers in ({}, {"Origin": "http://test"}, {"Origin": "https://releases.example.com"}):
        answer = await browse(one, "POST", "/systems", {"name": "shop"}, **{CSRF: csrf, **headers})
        assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    "headers,code",
    [
        ({}, "CSRF"),
        ({CSRF: ""}, "CSRF"),
        ({CSRF: "A" * 43}, "CSRF"),
        ({CSRF: "right", "Origin": "http://test.evil.example"}, "FOREIGN_ORIGIN"),
        ({CSRF: "right", "Origin": "http://test:8081"}, "FOREIGN_ORIGIN"),
        ({CSRF: "right", "Origin": "null"}, "FOREIGN_ORIGIN"),
        ({CSRF: "right", "Origin": "file://test"}, "FOREIGN_ORIGIN"),
        ({CSRF: "right", "Origin": "http://["}, "FOREIGN_ORIGIN"),
    ],
)
@pytest.mark.parametrize("method,path", [("POST", "/systems"), ("PATCH", ""), ("DELETE", "")])
async def test_whoever_can_not_show_to_be_a_page_of_ours_changes_nothing(
    one: House, method: str, path: str, headers: dict[str, str], code: str
) -> None:
    csrf = await signed_in(one)
    told = {name: csrf if value == "right" else value for name, value in headers.items()}
    heads = await one.deps.log.heads()
    answer = await browse(one, method, path, {"name": "shop"}, **told)
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert await one.deps.log.heads() == heads


async def test_the_token_of_another_session_is_not_enough(one: House) -> None:
    other = await signed_in(one)
    await signed_in(one)
    assert (await browse(one, "POST", "/systems", {"name": "shop"}, **{CSRF: other})).status_code == 403


async def test_a_key_in_a_header_needs_none_of_that_and_goes_before_the_cookie(one: House) -> None:
    await signed_in(one)
    assert (
        await browse(one, "POST", "/systems", {"name": "shop"}, X_API_Key=KEY, Origin="https://ci.example")
    ).status_code == 202
    assert (await browse(one, "POST", "/systems", {"name": "shop"}, Authorization=f"Bearer {KEY}")).status_code == 202
    assert (await browse(one, "GET", "/systems", X_API_Key="wrong")).status_code == 401


async def test_a_session_sees_the_workspaces_of_its_user_alone(one: House) -> None:
    told = (await sign_in(one, await another_user(one))).json()
    assert (told["user"]["name"], told["user"]["isAdmin"], told["workspaces"]) == ("bo", False, [])
    assert (await browse(one, "GET", "/systems")).status_code == 404


def test_no_read_asks_for_anything_to_be_decided() -> None:
    """So a page that is opened by a link, which carries the cookie, can change nothing."""
    for operation in operations().values():
        if operation.method == "GET":
            assert "call.ask(" not in inspect.getsource(operation.handler), operation.name


# --- API keys --------------------------------------------------------------------------------------------------------------------------


async def test_a_key_is_made_told_once_and_works_until_it_is_revoked(one: House) -> None:
    made = await one.call("POST", "/api/v1/api-keys", {"name": "laptop"}, want=201)
    assert made["apiKey"].startswith(made["prefix"] + ".")
    listed = await one.call("GET", "/api/v1/api-keys", want=200)
    assert [key["name"] for key in listed["apiKeys"]] == ["laptop", "bootstrap"]
    assert made["apiKey"].split(".")[1] not in str(listed)
    assert (await browse(one, "GET", "/systems", X_API_Key=made["apiKey"])).status_code == 200
    assert await one.call("DELETE", f"/api/v1/api-keys/{made['id']}", want=204) is None
    assert (await browse(one, "GET", "/systems", X_API_Key=made["apiKey"])).status_code == 401
    await one.call("DELETE", f"/api/v1/api-keys/{made['id']}", want=404)
    await one.call("DELETE", "/api/v1/api-keys/nonsense", want=404)


async def test_the_log_never_holds_the_secret(one: House) -> None:
    made = await one.call("POST", "/api/v1/api-keys", {"name": "laptop"}, want=201)
    secret = made["apiKey"].split(".")[1]
    data = b"".join([one_fact.data for one_fact in await one.deps.log.read(NIL_WORKSPACE, 0, 1000)])
    assert secret.encode() not in data
    assert sha256(secret.encode()).hexdigest().encode() in data


async def test_a_key_may_end_by_itself(one: House, hands: Hands) -> None:
    ends = clock.now() + timedelta(hours=1)
    made = await one.call("POST", "/api/v1/api-keys", {"name": "for today", "expiresAt": ends.isoformat()}, want=201)
    told = (await sign_in(one, made["apiKey"])).json()
    assert told["expiresAt"] == made["expiresAt"]
    hands.ahead = timedelta(hours=1)
    assert (await browse(one, "GET", "/systems")).status_code == 401
    assert (await browse(one, "GET", "/systems", X_API_Key=made["apiKey"])).status_code == 401
    past = (clock.now() - timedelta(seconds=1)).isoformat()
    refused = await one.call("POST", "/api/v1/api-keys", {"name": "late", "expiresAt": past}, want=400)
    assert refused["details"][0]["path"] == "/body/expiresAt"


@pytest.mark.parametrize("name", ["", "x" * 101, 1, None])
async def test_a_key_has_a_name(one: House, name: Any) -> None:
    await one.call("POST", "/api/v1/api-keys", {"name": name}, want=400)


async def test_keys_are_their_owners_own(one: House) -> None:
    theirs = await another_user(one)
    mine = (await one.call("GET", "/api/v1/api-keys"))["apiKeys"][0]
    listed = (await browse(one, "GET", "/api/v1/api-keys", X_API_Key=theirs)).json()
    assert [key["name"] for key in listed["apiKeys"]] == ["bo's"]
    assert (await browse(one, "DELETE", f"/api/v1/api-keys/{mine['id']}", X_API_Key=theirs)).status_code == 404
    made = (await browse(one, "POST", "/api/v1/api-keys", {"name": "second"}, X_API_Key=theirs)).json()
    assert (await sign_in(one, made["apiKey"])).json()["user"]["name"] == "bo"


async def test_the_secret_of_a_repeated_request_is_not_made_up(one: House) -> None:
    named = {"headers": {"Idempotency-Key": "once"}}
    made = await one.call("POST", "/api/v1/api-keys", {"name": "laptop"}, want=201, **named)
    again = await one.call("POST", "/api/v1/api-keys", {"name": "laptop"}, want=409, **named)
    assert (again["code"], made["id"] in again["message"]) == ("SECRET_TOLD", True)
