"""`github-app` when things go wrong with a pretended GitHub: a job never has two runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from services.dispatcher.adapters.github_api import AppKey, GithubApi
from services.dispatcher.adapters.github_app import ACCEPTED_AT, ASKED_AT, GithubApp
from tests.conformance.agents.agent_scenes import JOB, answered, delayed, dispatched_through, following
from tests.conformance.agents.github_scenes import CONFIG, DISPATCH, PEM, House, asking, standing
from tests.fakes.github import APP, no
from tests.fakes.serving import Fault
from tests.unit.outbound.outside import Leaps


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house


async def test_down_nothing_is_started(house: House) -> None:
    own = AppKey(APP, PEM, "http://127.0.0.1:1")
    agent = GithubApp(GithubApi(house.outbound, own, clock=house.clock), clock=house.clock)
    answer = delayed(await agent.dispatch(replace(asking(house), config={**CONFIG, "apiUrl": own.api_url})))
    assert "no connection" in answer.message


async def test_an_address_that_may_not_be_called_is_no_reason_to_wait(house: House) -> None:
    config = {**CONFIG, "apiUrl": "http://10.0.0.1", "appId": "1", "privateKey": PEM}
    async with Outbound(AddressRules.parse("loopback")) as outbound:
        agent = GithubApp(GithubApi(outbound, clock=house.clock), clock=house.clock)
        answer = answered(await agent.dispatch(replace(asking(house), config=config)))
    assert answer.status == "invalidIntegration"
    assert "may not be called" in (answer.message or "")


@pytest.mark.parametrize("done", [True, False])
async def test_slow_it_is_looked_for_and_never_started_again(house: House, done: bool) -> None:
    house.github.faults.append(Fault(DISPATCH, done=done))
    house.github.lag_s = 1
    leaps = Leaps(asyncio.get_running_loop())
    call = asyncio.create_task(house.agent.dispatch(asking(house)))
    await house.github.silent.wait()
    leaps.leap()
    answer = answered(await call)
    assert (answer.status, ASKED_AT in answer.metadata) == ("pending", True)
    assert "did not answer" in (answer.message or "")
    request = following(asking(house), answer)
    house.clock.forward(60)
    seen = answered(await house.agent.observe(request))
    assert seen.status == ("inProgress" if done else "pending")
    house.clock.forward(180)
    seen = answered(await house.agent.observe(following(request, seen)))
    assert seen.status == ("inProgress" if done else "externalRunNotFound")
    assert len(house.github.calls(DISPATCH)) == 1


@pytest.mark.parametrize(
    "reply,seconds",
    [
        (no(429, "slow down", Retry_After="17"), 17),
        (no(403, "You have exceeded a secondary rate limit."), 60),
        (no(403, "API rate limit exceeded", X_RateLimit_Remaining="0", X_RateLimit_Reset="1777637100"), 300),
        (no(503, "in a moment", Retry_After="5"), 5),
    ],
)
async def test_limited_it_waits_as_long_as_it_is_told(house: House, reply: Any, seconds: float) -> None:
    house.github.faults.append(Fault(DISPATCH, reply))
    assert delayed(await house.agent.dispatch(asking(house))).retry_after_s == seconds
    asked = len(house.github.asked)
    house.clock.forward(seconds - 1)
    assert delayed(await house.agent.dispatch(asking(house))).retry_after_s == 1
    assert delayed(await house.agent.observe(asking(house))).retry_after_s == 1
    assert len(house.github.asked) == asked, "who calls on while limited is banned"
    house.clock.forward(1)
    assert answered(await house.agent.dispatch(asking(house))).status == "pending"
    assert len(house.runs_of()) == 1


async def test_the_last_call_of_an_allowance_is_no_failure(house: House) -> None:
    used_up = no(204, "", X_RateLimit_Remaining="0", X_RateLimit_Reset="1777636810")
    house.github.faults.append(Fault(DISPATCH, used_up, done=True))
    assert answered(await house.agent.dispatch(asking(house))).status == "pending"
    assert delayed(await house.agent.observe(asking(house))).retry_after_s == 10


async def test_a_bare_429_leaves_the_pause_to_us(house: House) -> None:
    house.github.faults.append(Fault(DISPATCH, no(429, "slow down")))
    assert delayed(await house.agent.dispatch(asking(house))).retry_after_s is None


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_500_after_the_run_was_started_finds_it(house: House, status: int) -> None:
    house.github.faults.append(Fault(DISPATCH, no(status, "Server Error"), done=True))
    answer = answered(await house.agent.dispatch(asking(house)))
    assert (answer.status, answer.external_id) == ("inProgress", "9000000001")
    assert len(house.github.calls(DISPATCH)) == 1


async def test_500_and_the_run_appears_later(house: House) -> None:
    house.github.lag_s = 20
    house.github.faults.append(Fault(DISPATCH, no(500, "Server Error"), done=True))
    answer = answered(await house.agent.dispatch(asking(house)))
    assert (answer.status, answer.look_again_s) == ("pending", 5)
    house.clock.forward(25)
    assert answered(await house.agent.observe(following(asking(house), answer))).external_id == "9000000001"
    assert len(house.runs_of()) == 1


@pytest.mark.parametrize("done", [True, False])
async def test_cut_after_the_request_was_sent(house: House, done: bool) -> None:
    house.github.faults.append(Fault(DISPATCH, cut=True, done=done))
    answer = answered(await house.agent.dispatch(asking(house)))
    assert answer.status == ("inProgress" if done else "pending")
    assert len(house.github.calls(DISPATCH)) == 1


async def test_cut_and_the_look_fails_as_well(house: House) -> None:
    house.github.faults += [Fault(DISPATCH, cut=True, done=True), Fault("GET .*/runs", no(500, "Server Error"))]
    answer = answered(await house.agent.dispatch(asking(house)))
    assert (answer.status, answer.look_again_s) == ("pending", 5)
    assert answered(await house.agent.observe(following(asking(house), answer))).external_id == "9000000001"


@pytest.mark.parametrize(
    "fault", [Fault("/access_tokens", no(500, "x")), Fault("/access_tokens", cut=True), Fault("/access_tokens", no(201, "x"))]
)
async def test_without_a_token_nothing_was_started(house: House, fault: Fault) -> None:
    house.github.faults.append(replace(fault))
    delayed(await house.agent.dispatch(asking(house)))
    assert house.github.calls(DISPATCH) == []


@pytest.mark.parametrize(
    "fault", [Fault("GET .*/runs", no(500, "x")), Fault("GET .*/runs", cut=True), Fault("GET .*/runs", no(403, "no"))]
)
@pytest.mark.parametrize("external_id", [None, "9000000001"])
async def test_a_job_does_not_end_because_its_run_could_not_be_asked_for(
    house: House, fault: Fault, external_id: str | None
) -> None:
    house.github.run(JOB)
    house.github.faults.append(replace(fault))
    delayed(await house.agent.observe(asking(house, external_id=external_id)))
    assert answered(await house.agent.observe(asking(house, external_id=external_id))).status == "inProgress"


@pytest.mark.parametrize("lag_s", [0, 3, 14])
async def test_again_after_a_crash_finds_the_run(house: House, lag_s: float) -> None:
    house.github.lag_s = lag_s
    await house.agent.dispatch(asking(house))
    answer = answered(await house.restarted().dispatch(asking(house, again=True)))
    assert (answer.status, answer.external_id) == ("inProgress", "9000000001")
    assert len(house.github.calls(DISPATCH)) == 1


async def test_again_after_a_crash_before_the_call_starts_it(house: House) -> None:
    answer = answered(await house.agent.dispatch(asking(house, again=True)))
    assert (answer.status, ACCEPTED_AT in answer.metadata) == ("pending", True)
    assert len(house.runs_of()) == 1
    assert house.clock.pauses == [15]


async def test_what_is_taken_over_together_waits_together(house: House) -> None:
    for n in range(20):
        await house.agent.dispatch(replace(asking(house, again=True), job_id=f"{n:08}-2222-4333-8444-555555555555"))
    assert house.clock.pauses == [15]
    house.clock.forward(60)
    await house.agent.dispatch(asking(house, again=True))
    assert house.clock.pauses == [15, 15]


async def test_again_is_not_forgotten_over_a_delay(house: House) -> None:
    await house.agent.dispatch(asking(house))
    agent = house.restarted()
    house.github.faults.append(Fault("GET .*/runs", no(502, "x")))
    delayed(await agent.dispatch(asking(house, again=True)))
    assert answered(await agent.dispatch(asking(house))).external_id == "9000000001"
    assert len(house.github.calls(DISPATCH)) == 1


FAULTS = st.lists(
    st.sampled_from(
        [
            (DISPATCH, no(500, "x"), True, False),
            (DISPATCH, no(500, "x"), False, False),
            (DISPATCH, no(429, "x", Retry_After="3"), False, False),
            (DISPATCH, None, True, True),
            (DISPATCH, None, False, True),
            ("GET .*/runs", no(502, "x"), False, False),
            ("GET .*/runs", None, False, True),
            ("/access_tokens", no(503, "x"), False, False),
        ]
    ),
    max_size=5,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FAULTS, st.lists(st.booleans(), max_size=6), st.floats(0, 14))
def test_a_job_never_has_two_runs(faults: list[Any], crashes: list[bool], lag_s: float) -> None:
    async def tried() -> None:
        async with standing() as house:
            house.github.lag_s = lag_s
            house.github.faults = [Fault(meets, reply, done, cut) for meets, reply, done, cut in faults]
            answer = await dispatched_through(house, lambda again: asking(house, again=again), crashes)
            assert len(house.runs_of()) <= 1
            if answer.status != "pending" or ACCEPTED_AT in answer.metadata:
                assert len(house.runs_of()) == 1

    asyncio.run(tried())
