"""When many metrics of one party begin together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from immutables import Map

from contracts.facts.planner import VersionCreated
from contracts.facts.verifier import VerificationStarted
from libs.simulation.world import START, refold
from services.verifier.app import service
from services.verifier.slots import AT_ONCE, PER_SECOND, REMEMBERED, Slots, first_times
from tests.unit.verifier.verifier_scene import ABOUT, Scene, id_of, metric

EMPTY: Slots = Map()
A = "https://monitoring"


def offsets(slots: Slots, parties: list[str], at_s: float = 0.0) -> tuple[Slots, list[float]]:
    now = START + timedelta(seconds=at_s)
    slots, times = first_times(slots, parties, now)
    return slots, [round((at - now).total_seconds(), 6) for at in times]


def test_a_few_are_measured_at_once_and_the_rest_one_slot_after_the_other() -> None:
    _, times = offsets(EMPTY, [A] * (AT_ONCE + 3))
    assert times == [0.0] * AT_ONCE + [0.01, 0.02, 0.03]


def test_no_more_than_the_slots_of_a_second_are_taken_in_any_second() -> None:
    _, times = offsets(EMPTY, [A] * 1000)
    assert times == sorted(times)
    for second in range(10):
        assert sum(1 for one in times if second <= one < second + 1) <= PER_SECOND + AT_ONCE


def test_parties_do_not_wait_for_each_other_and_nobody_in_particular_waits() -> None:
    _, times = offsets(EMPTY, [A] * 100 + ["https://other", ""] + [""] * 100)
    assert times[100:] == [0.0] * 102


def test_slots_are_taken_across_beginnings_and_free_again_later() -> None:
    slots, _ = offsets(EMPTY, [A] * 120)
    slots, times = offsets(slots, [A], 0.5)
    assert times == [0.51]
    _, times = offsets(slots, [A] * 3, 10)
    assert times == [0.0] * 3


def test_parties_whose_slots_are_free_are_forgotten() -> None:
    slots, _ = offsets(EMPTY, [f"https://{number}" for number in range(REMEMBERED)])
    slots, _ = offsets(slots, [A], 60)
    assert list(slots) == [A]


def test_first_measurements_are_recorded_and_taken_at_their_slots() -> None:
    scene = Scene()
    scene.require(*(metric(str(number), count=2) for number in range(50)))
    (started,) = scene.facts(VerificationStarted)
    first = [round((at - START).total_seconds(), 6) for at in started.first_at]
    assert first == [max(0.0, round((number + 1 - AT_ONCE) * 0.01, 6)) for number in range(50)]
    scene.require(metric("later"), rule="another")
    assert (scene.facts(VerificationStarted)[1].first_at[0] - START).total_seconds() == 0.31
    scene.advance(600)
    assert scene.outside.seconds("0") == [0.0, 60.0]
    assert scene.outside.seconds("49") == [0.3, 60.3]


def verified_together(url: str, *versions: str) -> list[list[float]]:
    """When the metrics of some versions, which are verified in one moment, are measured first: 60 of each, in seconds."""
    scene = Scene()
    for number, version in enumerate(versions, start=2):
        saved: dict[str, Any] = {
            "version_id": id_of(f"version {number}"),
            "deployment_id": ABOUT["deployment_id"],
            "created_at": START,
        }
        scene.record(VersionCreated(tag=version, name=version, **saved))
        spec = [metric(str(one), provider={"type": "http", "url": url.replace("%", str(one))}) for one in range(60)]
        scene.deploy(f"release {number}", *spec)
    assert refold(service, scene.log) == scene.room("verifier").state
    return [[round((at - START).total_seconds(), 6) for at in one.first_at] for one in scene.facts(VerificationStarted)]


def test_parties_are_told_apart_by_what_their_address_is_once_it_is_rendered() -> None:
    first, second = verified_together("https://{{.version.tag}}.test/%", "a", "b")
    assert first == second
    assert (first[0], first[-1]) == (0.0, 0.4)


def test_addresses_that_are_written_otherwise_and_come_to_the_same_are_one_party() -> None:
    first, second = verified_together("https://{{ .environment.name }}/", "a", "b")
    assert (first[-1], second[0]) == (0.4, 0.41)
    same, _ = verified_together("{{/* % */}}https://{{.environment.name}}/", "a", "b")
    assert (same[0], same[-1]) == (0.0, 0.4)


def test_a_scheme_from_a_template_and_one_that_is_written_are_one_party() -> None:
    ((*times,),) = verified_together('{{if eq "%" "7"}}https://eu-1{{else}}https://{{.resource.name}}{{end}}/', "a")
    assert times[-1] == 0.4


def test_an_address_that_can_not_be_rendered_is_a_party_of_its_own() -> None:
    ((*times,),) = verified_together("https://{{.version.tag | nothing}}/", "a")
    assert times[-1] == 0.4


def test_a_type_that_comes_from_a_template_is_nobody_in_particular() -> None:
    scene = Scene()
    scene.require(metric(provider={"type": '{{ "" }}', "url": "https://{{.version.tag}}/"}, count=1, error_limit=0))
    (started,) = scene.facts(VerificationStarted)
    assert started.first_at == (START,)


def test_a_sleep_takes_no_slot_and_is_due_when_it_is_over() -> None:
    scene = Scene()
    nap = {"type": "sleep", "durationSeconds": 30}
    scene.require(*(metric(str(number), count=1, provider=nap) for number in range(50)))
    (started,) = scene.facts(VerificationStarted)
    assert {(at - START).total_seconds() for at in started.first_at} == {30.0}
