"""A metric beside what it was for the previous good release of the same target."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.facts.planner import RollbackStarted
from contracts.facts.verifier import MeasurementTaken, VerificationFailed, VerificationInconclusive
from contracts.shapes import Baseline, MetricSpec
from libs.runtime.codec import decode, encode
from libs.simulation.world import refold
from services.verifier.app import service
from services.verifier.baseline import compare, outside
from services.verifier.series import KEPT_POINTS, Point, Series
from services.verifier.state import State
from tests.unit.verifier.verifier_scene import ABOUT, GOOD, Scene, about_of, metric


def numbers(*values: float | None) -> list[dict[str, Any]]:
    return [{**GOOD, "value": value} for value in values]


def compared(name: str = "health", count: int = 1, provider: str = "http", **bounds: Any) -> MetricSpec:
    url = {"type": "http", "url": "http://monitoring/"} if provider == "http" else {"type": "sleep", "durationSeconds": 1}
    return metric(name, count=count, provider=url, baseline=bounds)


def last(scene: Scene) -> MeasurementTaken:
    return scene.facts(MeasurementTaken)[-1]


@pytest.mark.parametrize(
    "bounds,value,status",
    [
        ({"max_ratio": 1.5}, 15.0, "passed"), ({"max_ratio": 1.5}, 15.01, "failed"), ({"min_ratio": 0.5}, 5.0, "passed"),
        ({"min_ratio": 0.5}, 4.99, "failed"), ({"max_change": 2}, 12.0, "passed"), ({"max_change": 2}, 12.01, "failed"),
        ({"min_change": -2}, 8.0, "passed"), ({"min_change": -2}, 7.99, "failed"), ({"max_ratio": 2, "max_change": 1}, 12.0, "failed"),
        ({"max_ratio": 1, "max_change": 5}, 12.0, "failed"), ({"min_ratio": 0.5, "max_ratio": 2}, 10.0, "passed"),
    ],
)  # fmt: skip
def test_all_bounds_must_hold(bounds: dict[str, Any], value: float, status: str) -> None:
    scene = Scene(health=numbers(10, value))
    scene.deploy("release 1", compared(**bounds))
    scene.deploy("release 2", compared(**bounds))
    assert last(scene).status == status
    assert last(scene).conditions == {"successCondition": "true"}
    comparison = last(scene).comparison
    assert comparison is not None
    assert (comparison.mean, comparison.baseline, comparison.samples) == (value, 10.0, 1)
    assert comparison.ratio == pytest.approx(value / 10)
    assert comparison.change == pytest.approx(value - 10)


@pytest.mark.parametrize(
    "before,now,bounds,status",
    [
        (0, 0, {"max_ratio": 1, "min_ratio": 1}, "passed"), (0, 0.001, {"max_ratio": 1000}, "failed"), (0, 5, {"min_ratio": 2}, "passed"),
        (0, -1, {"min_ratio": 0}, "failed"), (0, 5, {"max_change": 5}, "passed"), (1e-290, 1e290, {"max_ratio": 2}, "failed"),
    ],
)  # fmt: skip
def test_beside_nothing_anything_else_is_without_bound(before: float, now: float, bounds: dict[str, Any], status: str) -> None:
    scene = Scene(health=numbers(before, now))
    scene.deploy("release 1", compared(**bounds))
    scene.deploy("release 2", compared(**bounds))
    assert last(scene).status == status
    comparison = last(scene).comparison
    assert comparison is not None
    assert comparison.ratio is None


def test_both_sides_are_means_over_the_same_time() -> None:
    scene = Scene(health=numbers(10, 20, 90, 12, 20))
    scene.deploy("release 1", compared(count=3, max_change=5))
    scene.advance(300)
    scene.deploy("release 2", compared(count=2, max_change=5))
    scene.advance(60)
    found = [one.comparison for one in scene.facts(MeasurementTaken)[3:]]
    assert [(one.mean, one.baseline, one.samples) for one in found if one is not None] == [(12.0, 10.0, 1), (16.0, 15.0, 2)]
    assert scene.outcome(last(scene).verification_id) == "passed"


def test_what_was_measured_a_little_later_belongs_to_the_same_moment() -> None:
    def point(offset_s: float, total: float, numbers: int) -> Point:
        return Point(offset_s, total, numbers)

    earlier = Series().with_number(0.4, 10).with_number(60.9, 20).with_number(121.5, 60)
    bounds = Baseline(max_change=1)
    found = [compare(point(at, 1, 1), earlier, bounds, 60) for at in (0.1, 30.8, 60.2, 500)]
    assert [one.baseline for one in found if one is not None] == [10.0, 10.0, 15.0, 30.0]


def test_a_measurement_that_failed_by_its_conditions_is_not_compared() -> None:
    scene = Scene(health=numbers(10, 10))
    spec = compared(max_ratio=1).model_copy(update={"success_condition": "result.value > 10", "failure_threshold": 5})
    scene.deploy("release 1", spec)
    scene.deploy("release 2", spec)
    assert (last(scene).status, last(scene).comparison) == ("failed", None)


@pytest.mark.parametrize(
    "missing,status,held", [("pass", "passed", False), ("fail", "failed", False), ("hold", "inconclusive", True)]
)
@pytest.mark.parametrize("why", ["first release", "no number", "too few", "another provider", "another name"])
def test_without_a_baseline_it_is_as_the_metric_says(missing: str, status: str, held: bool, why: str) -> None:
    scene = Scene(health=numbers(10), other=numbers(10), text=[{**GOOD, "value": "ten"}])
    bounds: dict[str, Any] = {"max_ratio": 2.0, "when_missing": missing}
    match why:
        case "no number":
            scene.deploy("release 1", compared(max_ratio=2))
            spec = compared("text", **bounds)
        case "too few":
            scene.deploy("release 1", compared(max_ratio=2))
            spec = compared(minimum_samples=2, **bounds)
        case "another provider":
            scene.deploy("release 1", compared(provider="sleep", max_ratio=2))
            scene.advance(10)
            spec = compared(**bounds)
        case "another name":
            scene.deploy("release 1", compared("other", max_ratio=2))
            spec = compared(**bounds)
        case _:
            spec = compared(**bounds)
    scene.deploy("release 2", spec)
    taken = last(scene)
    assert taken.verification_id == scene.room("verifier").state.by_target[next(iter(scene.room("verifier").state.by_target))][0]
    assert (taken.status, taken.held, taken.comparison) == (status, held, None)


@pytest.mark.parametrize(
    "missing,said",
    [
        ("pass", "whenMissing says pass: it is judged by its conditions alone"),
        ("fail", "whenMissing says fail"),
        ("hold", "whenMissing says hold: it is waited for"),
    ],
)
def test_the_first_version_is_told_plainly_that_there_is_nothing_to_compare_with(missing: str, said: str) -> None:
    scene = Scene(health=numbers(10))
    scene.deploy("release 1", compared(max_ratio=2, when_missing=missing))
    assert last(scene).message == f"there is no earlier good release here to compare with; {said}"


def test_what_keeps_an_earlier_release_from_being_compared_with_is_told() -> None:
    scene = Scene(health=numbers(10), text=[{**GOOD, "value": "ten"}])
    scene.deploy("release 1", compared(max_ratio=2))
    scene.deploy("release 2", compared("text", max_ratio=2))
    assert last(scene).message == (
        "`result.value` gives no number to compare; whenMissing says pass: it is judged by its conditions alone"
    )
    scene.deploy("release 3", compared(max_ratio=2))
    assert (last(scene).message or "").startswith("the previous good release has no numbers of this metric to compare with; ")
    scene.deploy("release 4", compared(max_ratio=2, minimum_samples=2))
    assert (last(scene).message or "").startswith(
        "of this metric the previous good release has fewer than 2 numbers by the same time; "
    )


def test_a_metric_that_waited_for_a_baseline_says_so_in_the_end() -> None:
    scene = Scene(health=numbers(10))
    scene.deploy("release 1", compared(count=2, max_ratio=2, when_missing="hold"))
    scene.advance(600)
    assert last(scene).message == (
        "there is no earlier good release here to compare with; whenMissing says hold, and it was waited for 2 times"
    )
    (ended,) = scene.facts(VerificationInconclusive)
    assert ended.message == (
        f"0 of 2 measurements passed or failed, at least 1 of 2 must. The last one that did not: {last(scene).message}."
    )


def test_the_number_is_what_the_baseline_says() -> None:
    scene = Scene(health=[{**GOOD, "p99": 30, "body": '{"ms": 10}'}, {**GOOD, "p99": 31, "body": '{"ms": 99}'}])
    for release in ("release 1", "release 2"):
        scene.deploy(release, compared(value="result.p99 * 2", max_change=2))
    comparison = last(scene).comparison
    assert last(scene).status == "passed"
    assert comparison is not None
    assert (comparison.mean, comparison.baseline) == (62.0, 60.0)


def test_numbers_of_a_metric_that_was_not_compared_yet_are_a_baseline_too() -> None:
    scene = Scene(health=numbers(10, 100))
    scene.deploy("release 1", metric(count=1, provider={"type": "http", "url": "http://monitoring/"}))
    scene.deploy("release 2", compared(max_ratio=2))
    assert last(scene).status == "failed"


def test_a_release_is_not_compared_with_itself() -> None:
    scene = Scene(health=numbers(10, 18, 19))
    scene.deploy("release 1", compared(max_ratio=2))
    first = scene.deploy("release 2", compared(max_ratio=2))
    scene.again(first)
    comparison = last(scene).comparison
    assert comparison is not None
    assert (comparison.mean, comparison.baseline) == (19.0, 10.0)


def test_a_release_that_failed_is_nothing_to_compare_with() -> None:
    scene = Scene(health=numbers(10, 100, 19))
    for release in ("release 1", "release 2", "release 3"):
        scene.deploy(release, compared(max_ratio=2))
    assert len(scene.facts(VerificationFailed)) == 1
    comparison = last(scene).comparison
    assert comparison is not None
    assert comparison.baseline == 10.0


def test_a_release_with_one_verification_that_failed_is_not_good() -> None:
    scene = Scene(health=numbers(10, 11, 12), bad=[{**GOOD, "ok": False}])
    scene.deploy("release 1", compared(max_ratio=2))
    scene.job("two", "release 2")
    scene.require(metric("bad"), rule="other", job="two", release="release 2")
    scene.require(compared(max_ratio=2), job="two", release="release 2")
    scene.deploy("release 3", compared(max_ratio=2))
    comparison = last(scene).comparison
    assert comparison is not None
    assert comparison.baseline == 10.0


def test_a_release_that_was_rolled_back_is_nothing_to_compare_with() -> None:
    scene = Scene(health=numbers(10, 18, 25))
    for release in ("release 1", "release 2"):
        scene.deploy(release, compared(max_ratio=2))
    scene.record(
        RollbackStarted(
            deployment_id=ABOUT["deployment_id"],
            environment_id=ABOUT["environment_id"],
            resource_id=ABOUT["resource_id"],
            version_id=about_of("release 2")["version_id"],
            job_id="",
            release_id=about_of("release 1")["release_id"],
            to_version_id=about_of("release 1")["version_id"],
            reason="a person",
            policy_id="",
            rule_id="",
            started_at=scene.now,
        )
    )
    scene.deploy("release 3", compared(max_ratio=2))
    assert last(scene).status == "failed"


def test_a_release_that_failed_while_it_was_watched_is_nothing_to_compare_with() -> None:
    scene = Scene(health=numbers(10, 18, 100, 19))
    scene.deploy("release 1", compared(max_ratio=2))
    scene.deploy("release 2", compared(max_ratio=2), continue_seconds=600)
    scene.advance(120)
    assert scene.facts(VerificationFailed)[0].after_passing
    scene.deploy("release 3", compared(max_ratio=2))
    comparison = last(scene).comparison
    assert comparison is not None
    assert comparison.baseline == 10.0


def test_what_was_measured_while_it_was_watched_is_compared_with_too() -> None:
    scene = Scene(health=numbers(10, 30, 12, 15))
    scene.deploy("release 1", compared(max_change=5), continue_seconds=60)
    scene.advance(120)
    scene.deploy("release 2", compared(count=2, max_change=5))
    scene.advance(60)
    comparison = last(scene).comparison
    assert comparison is not None
    assert (comparison.mean, comparison.baseline, comparison.samples) == (13.5, 20.0, 2)


def test_good_releases_survive_a_snapshot_and_are_few() -> None:
    scene = Scene(health=numbers(10))
    for release in range(6):
        scene.deploy(f"release {release}", compared(max_ratio=2))
    state = scene.room("verifier").state
    ((_, good),) = state.good.items()
    assert [one.release_id for one in good] == [about_of(f"release {number}")["release_id"] for number in (5, 4, 3)]
    assert decode(State, encode(State, state)) == state
    assert refold(service, scene.log) == state


def test_a_series_is_thinned_evenly_and_its_means_stay_exact() -> None:
    series = Series()
    for number in range(5_000):
        series = series.with_number(float(number), float(number))
        assert len(series.points) <= KEPT_POINTS
    gaps = {later.offset_s - earlier.offset_s for earlier, later in zip(series.points, series.points[1:], strict=False)}
    assert gaps == {float(series.stride)}
    assert series.points[0] == Point(0.0, 0.0, 1)
    assert len(series.points) > KEPT_POINTS / 2 - 1
    for at in (0, 1, 777, 2_500, 4_999, 9_999):
        found = series.until(float(at))
        assert found is not None
        assert found.total / found.numbers == pytest.approx(sum(range(found.numbers)) / found.numbers)
        assert at - series.stride < found.offset_s <= at or at > 4_999
    assert series.until(-1.0) is None
    assert Series().until(5.0) is None


def test_a_clock_that_was_set_back_leaves_a_series_in_order() -> None:
    series = Series().with_number(10.0, 1.0).with_number(4.0, 3.0)
    assert [one.offset_s for one in series.points] == [10.0, 10.0]
    found = series.until(10.0)
    assert found is not None
    assert found.total == 4.0


def test_what_is_outside_is_told() -> None:
    found = compare(Point(0, 30, 2), Series().with_number(0, 10), Baseline(max_ratio=1.2, max_change=1), 60)
    assert found is not None
    assert outside(found, Baseline(max_ratio=1.2, max_change=1)) == (
        "the mean 15 beside 10 of the previous good release: the ratio 1.5 is above 1.2 and the change 5 is above 1"
    )
