"""Webhooks that come before the answer, twice, late, out of order or forged: each job ends once, and as it truly did."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.serving import Fault
from tests.faults.dispatch.dispatch_scene import Scene, scene
from tests.faults.dispatch.far_sides import EARLIER, TELLING

pytestmark = [pytest.mark.integration]


async def taken(here: Scene) -> None:
    """A version is posted, and its job runs out there."""
    await here.post()
    await here.until(lambda job: bool(here.runs) and job.observation > 0)


@pytest.mark.parametrize("kind", TELLING)
async def test_the_end_may_be_told_before_the_call_is_answered(kind: str, postgres: str) -> None:
    answers = asyncio.Event()
    async with scene(kind, postgres) as here:
        here.far.fake.faults = [Fault(here.far.starts, done=True, until=answers)]
        await here.post()
        await here.far.fake.silent.wait()
        here.far.finish(here.job_id)
        await here.told()
        assert (await here.ended()).status == "successful"
        answers.set()
        async with asyncio.timeout(60):
            while here.clock.busy:
                here.clock.changed.clear()
                await here.clock.changed.wait()
        assert (await here.ended()).status == "successful"
        assert here.statuses()[-1] == "successful"
        assert len(here.runs) == 1


@pytest.mark.parametrize("kind", TELLING)
async def test_a_start_that_is_told_before_the_call_is_answered_does_not_end_the_following(kind: str, postgres: str) -> None:
    """No other webhook comes: whoever can be asked is asked."""
    answers = asyncio.Event()
    async with scene(kind, postgres) as here:
        here.far.fake.faults = [Fault(here.far.starts, done=True, until=answers)]
        await here.post()
        await here.far.fake.silent.wait()
        await here.told(ended=False)
        await here.until(lambda job: job.status == "inProgress")
        here.far.finish(here.job_id)
        answers.set()
        if kind == "webhook":  # nobody can ask it
            assert (await here.deadline()).status == "failure"
        else:
            assert (await here.ended()).status == "successful"
        assert len(here.runs) == 1


@pytest.mark.parametrize("kind", TELLING)
async def test_a_start_that_is_told_to_the_next_dispatcher_does_not_end_the_following(kind: str, postgres: str) -> None:
    answers = asyncio.Event()
    async with scene(kind, postgres) as here:
        await here.dies("before the record")
        await here.post()
        await here.death()
        here.far.fake.faults = [Fault(".", until=answers)]
        await here.revived()
        await here.far.fake.silent.wait()
        await here.told(ended=False)
        here.far.finish(here.job_id)
        answers.set()
        if kind == "webhook":
            await here.told()
        assert (await here.ended()).status == "successful"
        assert len(here.runs) == 1


@pytest.mark.parametrize("kind", TELLING)
async def test_a_webhook_that_comes_twice_says_one_thing(kind: str, postgres: str) -> None:
    async with scene(kind, postgres) as here:
        await taken(here)
        here.far.finish(here.job_id)
        told = here.far.told(here.agent_id, here.job_id)
        assert "ignored" not in await here.send(told)
        before = here.statuses()
        assert "the job ended as successful" in (await here.send(told))["ignored"]
        assert here.statuses() == before
        assert before.count("successful") == 1


@pytest.mark.parametrize("kind", TELLING)
async def test_a_webhook_for_a_finished_job_changes_nothing(kind: str, postgres: str) -> None:
    async with scene(kind, postgres) as here:
        await taken(here)
        await here.house.call("PUT", f"/jobs/{here.job_id}/status", {"status": "cancelled"}, want=202)
        assert "the job ended as cancelled" in (await here.told())["ignored"]
        assert (await here.ended()).status == "cancelled"
        assert here.statuses()[-1] == "cancelled"


@pytest.mark.parametrize("kind", TELLING)
async def test_a_late_webhook_takes_nothing_back(kind: str, postgres: str) -> None:
    async with scene(kind, postgres) as here:
        await taken(here)
        started = here.far.told(here.agent_id, here.job_id, ended=False, at=here.clock() - EARLIER)
        here.far.finish(here.job_id)
        assert "ignored" not in await here.told()
        assert "the job ended as successful" in (await here.send(started))["ignored"]
        assert here.statuses()[-1] == "successful"


@pytest.mark.parametrize("kind", TELLING)
async def test_a_forged_webhook_is_not_believed(kind: str, postgres: str) -> None:
    async with scene(kind, postgres) as here:
        await taken(here)
        before = here.statuses()
        await here.told(secret="guessed", want=401)
        genuine = here.far.told(here.agent_id, here.job_id)
        if kind != "argo-workflow":  # which sends a secret along and signs nothing
            await here.send(genuine._replace(body=genuine.body + b" "), want=401)
        await here.send(genuine._replace(headers={}), want=401)
        assert here.statuses() == before


@pytest.mark.parametrize("kind", TELLING)
async def test_a_job_of_which_nobody_tells_anything_ends(kind: str, postgres: str) -> None:
    """No webhook comes, and the run never ends."""
    async with scene(kind, postgres) as here:
        await taken(here)
        job = await here.deadline()
        assert (job.status, job.message is not None) == ("failure", True)
        assert len(here.runs) == 1
