"""Far sides that are away, slow, overloaded or half dead: never two runs of a job, and no job that never ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.fakes.serving import Fault, Reply
from tests.faults.dispatch.dispatch_scene import scene
from tests.faults.dispatch.far_sides import FAR_SIDES

pytestmark = [pytest.mark.integration]

KINDS = sorted(FAR_SIDES)
CALLS_BEFORE_UP = 3


@pytest.mark.parametrize("kind", KINDS)
async def test_a_far_side_that_is_down_gets_the_job_when_it_is_up(kind: str, postgres: str) -> None:
    async with scene(kind, postgres) as here:
        here.up = False
        await here.post()
        await here.until(lambda job: job.calls >= CALLS_BEFORE_UP)
        assert here.far.fake.asked == []
        here.up = True
        await here.until(lambda job: bool(here.runs) and job.observation > 0)
        here.far.finish(here.job_id)
        if kind == "webhook":
            await here.told()
        assert (await here.ended()).status == "successful"
        assert len(here.runs) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_far_side_that_never_comes_up_leaves_no_job_behind(kind: str, postgres: str) -> None:
    async with scene(kind, postgres) as here:
        here.up = False
        await here.post()
        job = await here.ended()
        assert (job.status, here.runs) == ("failure", [])
        assert job.deadline_at == here.clock()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_slow_far_side_is_asked_once(kind: str, postgres: str) -> None:
    answers = asyncio.Event()
    async with scene(kind, postgres) as here:
        here.far.fake.faults = [Fault(here.far.starts, done=True, until=answers)]
        await here.post()
        await here.far.fake.silent.wait()
        # Whatever else is decided meanwhile does not begin the call anew.
        await here.house.call("PUT", here.house.path_of("other"), {"name": "o", "kind": "Other", "version": "v1"}, want=202)
        answers.set()
        await here.until(lambda job: job.observation > 0)
        assert len(here.far.fake.calls(here.far.starts)) == 1
        assert len(here.runs) == 1


FAULTS: list[Any] = [
    pytest.param({"reply": Reply(429, {"message": "slow down"}, {"Retry-After": "7"})}, True, id="429"),
    pytest.param({"reply": Reply(500, {"message": "oh"}), "done": True}, False, id="500-after-it-began"),
    pytest.param({"reply": Reply(500, {"message": "oh"})}, False, id="500-before-it-began"),
    pytest.param({"cut": True, "done": True}, False, id="cut-after-it-began"),
    pytest.param({"cut": True}, False, id="cut-before-it-began"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault, known", FAULTS)
async def test_whatever_becomes_of_the_call_there_is_one_run_at_most(
    kind: str, fault: dict[str, Any], known: bool, postgres: str
) -> None:
    """`known`: that nothing began is certain, so that the call is made again."""
    async with scene(kind, postgres) as here:
        here.far.fake.faults = [Fault(here.far.starts, **fault)]
        await here.post()
        started = "done" in fault or known or not here.far.looks
        if started:
            await here.until(lambda job: bool(here.runs) and job.observation > 0 and job.status != "pending")
            here.far.finish(here.job_id)
            if kind == "webhook":
                await here.told()
        job = await here.ended()
        assert job.status == ("successful" if started else "externalRunNotFound")
        assert len(here.runs) == int(started)
