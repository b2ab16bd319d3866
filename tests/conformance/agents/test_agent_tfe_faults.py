"""`tfe` when things go wrong with a pretended Terraform Cloud: a job never has two runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.dispatcher.adapters.tfe import ASKED_AT
from tests.conformance.agents.agent_scenes import JOB, answered, delayed, dispatched_through, following
from tests.conformance.agents.tfe_scenes import RUN, House, asking, standing
from tests.fakes.serving import Fault
from tests.fakes.tfe import TOKEN, no
from tests.unit.outbound.outside import Leaps


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house


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
            answer = await dispatched_through(house, lambda again: asking(house, again=again), crashes)
            assert len(house.runs_of()) <= 1
            if ASKED_AT not in answer.metadata:
                assert len(house.runs_of()) == 1

    asyncio.run(tried())
