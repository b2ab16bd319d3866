"""The verifier dies in the middle of many verifications: the verdicts are those that there are without it."""

from __future__ import annotations

from collections import Counter

import pytest

from contracts.facts.verifier import MeasurementTaken, VerificationFailed, VerificationPassed
from tests.faults.verification.mortal import Moment
from tests.faults.verification.verification_scene import scene

pytestmark = [pytest.mark.integration, pytest.mark.chaos]

MANY = 100
SAMPLES = 2
AT_SAMPLE = MANY + 20
"""However few decisions take the samples in: some verifications have a first one by then, and some wait for their second."""


async def test_many_verifications_over_a_restart(postgres: str) -> None:
    names = [f"cluster-{number}" for number in range(MANY)]
    bad = set(names[::3])
    async with scene("verifier", postgres) as here:
        here.endpoint.bad |= bad
        await here.protect("errors", count=SAMPLES)
        await here.clusters(names)
        await here.dies(Moment("verifier", "before", MeasurementTaken, nth=AT_SAMPLE))
        version = await here.post("v1")
        await here.revived()
        told = here.count(MeasurementTaken.TYPE, version)
        assert 0 < told < AT_SAMPLE
        await here.until(VerificationPassed.TYPE, version, MANY - len(bad) + 1)  # and the one that was there before
        await here.until(VerificationFailed.TYPE, version, len(bad))
        sql = "SELECT data->>'name' FROM es.event WHERE type = 'inventory.resource_saved.v1' AND data->>'resource_id' = %s"
        verdicts = {
            here.rows(sql, resource_id)[0][0]: kind
            for resource_id, kind in here.rows(
                "SELECT data->>'resource_id', type FROM es.event WHERE type = ANY(%s)",
                [VerificationPassed.TYPE, VerificationFailed.TYPE],
            )
        }
        assert {name for name, kind in verdicts.items() if kind == VerificationFailed.TYPE} == bad
        assert {name for name, kind in verdicts.items() if kind == VerificationPassed.TYPE} == {"one", *names} - bad
        taken = Counter(
            row[0] for row in here.rows("SELECT data->>'resource_id' FROM es.event WHERE type = %s", MeasurementTaken.TYPE)
        )
        assert sorted(taken.values()) == [1] * len(bad) + [SAMPLES] * (MANY - len(bad) + 1)
