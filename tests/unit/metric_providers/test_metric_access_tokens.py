"""Tokens are fetched once, used until shortly before they expire, and fetched again when they are refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.shapes import Json
from libs.metric_providers import Asking, NoResult
from libs.metric_providers.access_tokens import AccessTokens, OAuth2
from libs.metric_providers.prometheus import PROVIDER, PrometheusConfig
from tests.fakes.oauth2 import CLIENT, SECRET, Door, TokenServer
from tests.fakes.serving import Clock, Fault, Reply
from tests.unit.metric_providers.asking_scene import asking


async def ask(one: Asking, tokens: TokenServer, door: Door, **oauth2: Any) -> Json:
    known = {"tokenUrl": tokens.token_url, "clientId": CLIENT, "clientSecret": SECRET, **oauth2}
    given = {"address": door.url, "query": "up", "authentication": {"oauth2": known}}
    return await PROVIDER.measure(PrometheusConfig.model_validate(given), one)


class Scene:
    """A token server, a door that takes its tokens, and who asks."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.tokens = TokenServer(self.clock)
        self.door = Door(self.clock, self.tokens.good)

    async def ask(self, one: Asking, **oauth2: Any) -> Json:
        return await ask(one, self.tokens, self.door, **oauth2)


async def test_a_token_is_used_until_shortly_before_it_expires() -> None:
    scene = Scene()
    async with scene.tokens.serving(), scene.door.serving(), asking(scene.clock) as one:
        for seconds, given in ((0, 1), (3569, 1), (1, 2), (3569, 2)):
            scene.clock.forward(seconds)
            assert (await scene.ask(one))["value"] == 1
            assert scene.tokens.given == given
        assert [asked.headers["authorization"] for asked in scene.door.asked] == ["Bearer token-1"] * 2 + ["Bearer token-2"] * 2


@pytest.mark.parametrize("life_s,used_s", [(100, 90), ("100", 90), (None, 270), (-5, 270), ("soon", 270), (10**12, 86_370)])
async def test_how_long_a_token_is_used(life_s: Any, used_s: float) -> None:
    scene = Scene()
    scene.tokens.life_s = life_s
    async with scene.tokens.serving(), scene.door.serving(), asking(scene.clock) as one:
        await scene.ask(one)
        scene.clock.forward(used_s - 0.5)
        await scene.ask(one)
        assert scene.tokens.given == 1
        scene.clock.forward(0.5)
        await scene.ask(one)
        assert scene.tokens.given == 2


async def test_what_is_asked_for_a_token() -> None:
    scene = Scene()
    async with scene.tokens.serving(), scene.door.serving(), asking(scene.clock) as one:
        await scene.ask(one, scopes=["metrics", "alerts"])
        await scene.ask(one)
    assert [asked.body.decode() for asked in scene.tokens.asked] == [
        "grant_type=client_credentials&client_id=verifier&client_secret=s3cret%2Bof%2Fverifier&scope=metrics+alerts",
        "grant_type=client_credentials&client_id=verifier&client_secret=s3cret%2Bof%2Fverifier",
    ]


async def test_a_token_that_is_refused_is_fetched_again_once() -> None:
    scene = Scene()
    async with scene.tokens.serving(), scene.door.serving(), asking(scene.clock) as one:
        await scene.ask(one)
        scene.tokens.good.clear()
        assert (await scene.ask(one))["value"] == 1
        assert (scene.tokens.given, len(scene.door.asked)) == (2, 3)
        scene.door.good = set()
        refused = await scene.ask(one)
        assert (refused["ok"], refused["statusCode"]) == (False, 401)
        assert (scene.tokens.given, len(scene.door.asked)) == (3, 5)


async def test_many_that_need_a_token_fetch_one() -> None:
    scene = Scene()
    held = asyncio.Event()
    async with scene.tokens.serving(), scene.door.serving(), asking(scene.clock) as one:
        scene.tokens.faults.append(Fault("POST /token", until=held))
        all_ = [asyncio.create_task(scene.ask(one)) for _ in range(20)]
        await scene.tokens.silent.wait()
        held.set()
        assert {result["value"] for result in await asyncio.gather(*all_)} == {1}
        assert scene.tokens.given == 1
        # The token is refused to all of them at the same time, and one of them fetches the next.
        scene.tokens.good.clear()
        assert {result["value"] for result in await asyncio.gather(*(scene.ask(one) for _ in range(20)))} == {1}
        assert scene.tokens.given == 2


async def test_many_that_need_a_token_share_its_failure() -> None:
    scene = Scene()
    held = asyncio.Event()
    async with scene.tokens.serving(), scene.door.serving(), asking(scene.clock) as one:
        scene.tokens.faults.append(Fault("POST /token", Reply(503, None, {"Retry-After": "9"}), until=held))
        all_ = [asyncio.create_task(scene.ask(one)) for _ in range(20)]
        await scene.tokens.silent.wait()
        held.set()
        failures = await asyncio.gather(*all_, return_exceptions=True)
        assert {str(failure) for failure in failures} == {"no access token: the token server answered 503"}
        assert {failure.retry_after_s for failure in failures if isinstance(failure, NoResult)} == {9}
        assert len(scene.tokens.asked) == 1
        assert (await scene.ask(one))["value"] == 1


async def test_who_gives_up_leaves_the_next_one_to_fetch_the_token() -> None:
    scene = Scene()
    async with scene.tokens.serving(), scene.door.serving(), asking(scene.clock) as one:
        scene.tokens.faults.append(Fault("POST /token"))
        gives_up = asyncio.create_task(scene.ask(one))
        await scene.tokens.silent.wait()
        waits = asyncio.create_task(scene.ask(one))
        gives_up.cancel()
        assert (await waits)["value"] == 1


async def test_why_there_is_no_token_is_told_without_the_secret() -> None:
    scene = Scene()
    async with scene.tokens.serving(), asking(scene.clock) as one:
        with pytest.raises(NoResult, match="answered 401: invalid_client: no client has the secret ••••••"):
            await scene.ask(one, clientSecret="wrong-s3cret")
        with pytest.raises(NoResult, match="answered 400: invalid_scope"):
            await scene.ask(one, scopes=["everything"])
        with pytest.raises(NoResult, match=r"no access token: POST http://127.0.0.1:1/: no connection"):
            await scene.ask(one, tokenUrl="http://127.0.0.1:1/")
        for body in (b"<html>", b"[]", b'{"token_type": "Bearer"}', b'{"access_token": 7}'):
            scene.tokens.faults.append(Fault("POST /token", Reply(200, body=body)))
            with pytest.raises(NoResult, match="the token server's answer holds no access_token"):
                await scene.ask(one)


async def test_an_answer_that_repeats_the_token_is_recorded_without_it() -> None:
    scene = Scene()
    async with scene.tokens.serving(), scene.door.serving(), asking(scene.clock) as one:
        result = await scene.ask(one)
    assert result["results"] == [{"metric": {"sent": "Bearer ••••••"}, "value": 1}]
    assert "token-1" not in str(result)


async def test_each_client_has_a_token_of_its_own_and_only_so_many_are_remembered() -> None:
    scene = Scene()
    scene.tokens.scopes |= {"a", "b", "c"}
    kept = AccessTokens(most=2)
    async with scene.tokens.serving(), asking(scene.clock) as one:

        async def token(scope: str, insecure: bool = False) -> str:
            given = {"tokenUrl": scene.tokens.token_url, "clientId": CLIENT, "clientSecret": SECRET, "scopes": [scope]}
            return await kept.token(OAuth2.model_validate(given), one, timeout_s=30, insecure=insecure)

        assert [await token(scope) for scope in "abab"] == ["token-1", "token-2", "token-1", "token-2"]
        assert [await token(scope) for scope in "cba"] == ["token-3", "token-2", "token-4"]
        assert await token("a", insecure=True) == "token-5"
    assert SECRET.encode() not in b"".join(kept._entries)
