"""A release is tried again when policy clears it again, knowing how its last attempt ended; else once."""

from __future__ import annotations

from contracts.facts.dispatcher import JobCreated
from tests.unit.dispatcher.dispatcher_scene import Scene, id_of


def failed() -> Scene:
    """A release whose only job failed."""
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish("failure")
    return scene


def attempts(scene: Scene) -> list[int]:
    return [one.attempt for one in scene.facts(JobCreated)]


def test_retry_is_made_on_a_clearance_that_is_newer_than_the_end_of_the_job() -> None:
    scene = failed()
    scene.clear("v1")
    scene.run()
    assert attempts(scene) == [1, 2]
    first, second = scene.jobs()
    assert (second.release_id, second.job_id != first.job_id) == (first.release_id, True)


def test_each_clearance_is_one_retry() -> None:
    scene = failed()
    scene.clear("v1")
    scene.run()
    scene.finish("failure")
    assert attempts(scene) == [1, 2]
    scene.clear("v1")
    scene.run()
    assert attempts(scene) == [1, 2, 3]


def test_clearance_that_did_not_know_the_end_of_the_job_is_no_retry() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    known = len(scene.log)
    scene.finish("failure")
    scene.clear("v1", at=known - 1)
    scene.run()
    assert attempts(scene) == [1]


def test_job_that_succeeded_is_not_made_again() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish("successful")
    scene.clear("v1")
    scene.run()
    assert attempts(scene) == [1]


def test_retry_that_was_withdrawn_waits_for_another_clearance() -> None:
    scene = failed()
    at = scene.clear("v1")
    scene.withdraw("v1")
    scene.run()
    assert attempts(scene) == [1]
    assert at < scene.clear("v1")
    scene.run()
    assert attempts(scene) == [1, 2]


def test_return_to_a_version_is_tried_once() -> None:
    scene = failed()
    at = scene.clear("v1")
    scene.save_version("v2")
    scene.create_releases("v1", cleared_at=at)
    assert id_of("v1") != id_of("v2")
    scene.run()
    assert attempts(scene) == [1]


def test_every_agent_gets_a_job_of_the_retry() -> None:
    scene = Scene()
    scene.save_agent("one")
    scene.save_agent("two")
    scene.release("v1")
    first, second = scene.jobs()
    scene.finish("failure", first.job_id)
    scene.clear("v1")
    scene.run()
    assert attempts(scene) == [1, 1]  # the other one still runs
    scene.finish("successful", second.job_id)
    assert attempts(scene) == [1, 1]
    scene.clear("v1")
    scene.run()
    assert attempts(scene) == [1, 1, 2, 2]
