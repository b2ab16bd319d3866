"""The dispatcher is killed at each of its crash points, over each kind of far side: the job is run once, and comes to its end."""

from __future__ import annotations

import pytest

from tests.fakes.serving import Fault
from tests.faults.dispatch.dispatch_scene import scene
from tests.faults.dispatch.far_sides import FAR_SIDES
from tests.faults.dispatch.life import MOMENTS, Moment

pytestmark = [pytest.mark.integration, pytest.mark.chaos]

KINDS = sorted(FAR_SIDES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_dispatcher_that_dies_starts_no_second_run(kind: str, moment: Moment, postgres: str) -> None:
    async with scene(kind, postgres) as here:
        await here.dies(moment)
        await here.post()
        await here.revived()
        await here.until(lambda job: bool(here.runs) and job.observation > 0)
        here.far.finish(here.job_id)
        if kind == "webhook":
            await here.told()
        assert (await here.ended()).status == "successful"
        assert len(here.runs) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_nor_does_one_that_dies_over_a_call_of_which_nothing_was_heard(kind: str, postgres: str) -> None:
    """The connection was cut when the run had begun, and whoever knew of the doubt is dead."""
    async with scene(kind, postgres) as here:
        here.far.fake.faults = [Fault(here.far.starts, cut=True, done=True)]
        await here.dies("before the record")
        await here.post()
        await here.revived()
        await here.until(lambda job: bool(here.runs) and job.observation > 0)
        here.far.finish(here.job_id)
        if kind == "webhook":
            await here.told()
        assert (await here.ended()).status == "successful"
        assert len(here.runs) == 1
