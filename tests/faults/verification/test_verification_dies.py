"""Whoever dies at whichever moment between a question and a rollback: each number once, one verdict, one rollback."""

from __future__ import annotations

import pytest

from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.planner import RollbackStarted
from contracts.facts.policy import RollbackRequired
from contracts.facts.verifier import MeasurementTaken, VerificationFailed, VerificationPassed
from tests.faults.verification.mortal import Moment
from tests.faults.verification.verification_scene import scene

pytestmark = [pytest.mark.integration, pytest.mark.chaos]

MOMENTS = {
    "asked, and not recorded": Moment("verifier", "before", MeasurementTaken),
    "recorded, and not published": Moment("verifier", "after", MeasurementTaken),
    "failed, and no rollback required": Moment("policy", "before", RollbackRequired),
    "a rollback required, and not published": Moment("policy", "after", RollbackRequired),
    "a rollback required, and not started": Moment("planner", "before", RollbackStarted),
    "a rollback started, and not published": Moment("planner", "after", RollbackStarted),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_bad_version_is_rolled_back_once(moment: str, postgres: str) -> None:
    at = MOMENTS[moment]
    async with scene(at.service, postgres) as here:
        await here.protect("errors", count=1)
        good = await here.post("good")
        await here.until(VerificationPassed.TYPE, good, 1)
        here.endpoint.bad.add("bad")
        await here.dies(at)
        bad = await here.post("bad")
        await here.revived()
        # The job that goes back is the good version's second, and is measured as every other.
        await here.until(VerificationPassed.TYPE, good, 2)
        assert [here.count(kind.TYPE, bad) for kind in (MeasurementTaken, VerificationFailed, RollbackRequired)] == [1, 1, 1]
        (started,) = here.rows("SELECT data FROM es.event WHERE type = %s", RollbackStarted.TYPE)
        assert (started[0]["version_id"], started[0]["to_version_id"]) == (bad, good)
        assert (here.count(JobCreated.TYPE, bad), here.count(JobCreated.TYPE, good)) == (1, 2)
        # Only what nobody recorded was asked again.
        asked_twice = moment == "asked, and not recorded"
        assert here.endpoint.asked["bad", "one", "errors"] == (2 if asked_twice else 1)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_good_version_passes_by_as_many_measurements_as_without_a_death(when: str, postgres: str) -> None:
    at = Moment("verifier", "before" if when == "before" else "after", MeasurementTaken, nth=2)
    async with scene("verifier", postgres) as here:
        await here.protect("errors", count=3)
        await here.dies(at)
        good = await here.post("good")
        await here.revived()
        await here.until(VerificationPassed.TYPE, good, 1)
        assert here.count(MeasurementTaken.TYPE, good) == 3
        assert here.endpoint.asked["good", "one", "errors"] == (4 if when == "before" else 3)
        assert here.count(JobStatusChanged.TYPE, good) == 1
