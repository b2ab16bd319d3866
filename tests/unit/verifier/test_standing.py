"""Each measurement says what its metric comes to by it."""

from __future__ import annotations

import pytest

from contracts.facts.verifier import MeasurementTaken
from tests.unit.verifier.verifier_scene import BAD, GOOD, Scene, metric


def standings(scene: Scene, name: str = "health") -> list[str | None]:
    return [one.standing for one in scene.facts(MeasurementTaken) if one.metric == name]


@pytest.mark.parametrize(
    "answers,standing",
    [([GOOD], ["running", "running", "passed"]), ([GOOD, BAD], ["running", "failed"]), ([BAD], ["failed"])],
)
def test_a_measurement_says_what_its_metric_comes_to(answers: list[dict[str, object]], standing: list[str]) -> None:
    scene = Scene(health=answers)
    scene.require(metric())
    scene.advance(300)
    assert standings(scene) == standing


def test_an_observed_metric_comes_to_something_as_well() -> None:
    scene = Scene(seen=[BAD])
    scene.require(metric("seen", reaction="observe"), metric())
    scene.advance(300)
    assert standings(scene, "seen") == ["failed"]


def test_while_it_is_measured_on_it_is_that_of_the_round_that_runs() -> None:
    scene = Scene()
    scene.require(metric(count=2), continue_seconds=3600)
    scene.advance(240)
    assert standings(scene)[:4] == ["running", "passed", "running", "passed"]
