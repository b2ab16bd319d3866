"""Tallies of a metric, written as one letter for each measurement."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.facts.verifier import MeasurementTaken
from contracts.shapes import MetricSpec
from libs.simulation.world import START
from services.verifier.tally import Tally
from tests.unit.verifier.verifier_scene import ABOUT, id_of, metric

__all__ = ["START", "measurement", "tally_of"]

STATUSES = {"p": "passed", "f": "failed", "i": "inconclusive", "h": "inconclusive", "e": "inconclusive", "E": "failed"}


def measurement(letter: str, number: int, measured_at: datetime, **fields: object) -> MeasurementTaken:
    """A measurement: p passed, f failed, i inconclusive, h held, e no result, E no result once too often."""
    return MeasurementTaken.model_validate(
        {
            "verification_id": id_of("v"),
            "job_id": id_of("job"),
            **ABOUT,
            "metric": "health",
            "number": number,
            "status": STATUSES[letter],
            "due_at": measured_at,
            "measured_at": measured_at,
            "error": letter in "eE",
            "held": letter == "h",
            **fields,
        }
    )


def tally_of(letters: str, spec: MetricSpec | None = None) -> Tally:
    """The tally after these measurements, one an interval of 60 seconds after the other."""
    spec = spec or metric()
    tally = Tally(due_at=START)
    for number, letter in enumerate(letters, start=1):
        at = START + timedelta(seconds=60 * (number - 1))
        tally = tally.with_measurement(spec, START, measurement(letter, number, at))
    return tally
