"""What is said of releases that wait for a free place, and of jobs that their agents did not take or have for a time."""

from __future__ import annotations

from datetime import timedelta

from contracts.facts.dispatcher import DispatchHeld, HeldItem, JobDelayed, JobLeased
from libs.runtime.codec import decode, encode
from services.policy.state import State
from tests.unit.policy.policy_scenes import Scene, uid

R, OTHER = uid("r"), uid("other")
AGENT = uid("agent")


def hold(scene: Scene, version_id: str, resource_id: str, *, agent: bool = True, limit: int = 50) -> None:
    item = HeldItem(resource_id=resource_id, release_id=scene.release_id(version_id, resource_id))
    scene.record(
        DispatchHeld(
            deployment_id=scene.deployment,
            environment_id=scene.production,
            items=(item,),
            agent_id=AGENT if agent else "",
            agent_name="puller" if agent else "",
            limit=limit,
            held_at=scene.world.now,
        )
    )


def about(scene: Scene, version_id: str) -> dict[str, str]:
    return {
        "resource_id": R,
        "environment_id": scene.production,
        "deployment_id": scene.deployment,
        "version_id": version_id,
    }


def test_a_release_that_waits_for_a_free_place_says_where() -> None:
    scene = Scene(R)
    version = scene.version("v1")
    scene.release(version, R)
    hold(scene, version, R)
    told = scene.standing(version, R)
    assert told.message == (
        "Every rule allows v1; its job is not made yet: it waits for a free place at agent puller (50 of 50 run). "
        "What ends it: another job that ends."
    )
    assert told.job is not None
    assert (told.job.verdict, told.job.since) == ("waiting", scene.world.now)
    assert [(one.kind, one.agent_id) for one in told.job.who_ends] == [("agent", AGENT)]
    scene.job(version, R, "inProgress")
    assert "free place" not in scene.standing(version, R).message


def test_the_places_may_be_those_of_the_deployment() -> None:
    scene = Scene(R)
    version = scene.version("v1")
    scene.release(version, R)
    hold(scene, version, R, agent=False, limit=3)
    name = scene.state.deployment_name(scene.deployment)
    assert f"it waits for a free place of {name} (3 of 3 run)" in scene.standing(version, R).message


def test_the_wait_of_a_release_that_is_no_longer_desired_is_not_told() -> None:
    scene = Scene(R)
    first = scene.version("v1")
    scene.release(first, R)
    hold(scene, first, R)
    scene.advance(seconds=1)
    second = scene.version("v2")
    scene.release(second, R)
    assert scene.standing(second, R).message == "Every rule allows v2; its job is not made yet."


def test_a_job_whose_agent_was_not_reached_says_so_and_when_it_is_tried_again() -> None:
    scene = Scene(R)
    version = scene.version("v1")
    scene.release(version, R)
    job = scene.job(version, R, "pending")
    scene.record(
        JobDelayed(
            job_id=job,
            **about(scene, version),
            agent_name="hook",
            call="dispatch",
            calls=3,
            message="POST https://hook.example: no connection.",
            delayed_at=scene.world.now,
            next_at=scene.world.now + timedelta(seconds=8),
        )
    )
    at = (scene.world.now + timedelta(seconds=8)).strftime("%Y-%m-%d %H:%M:%S UTC")
    assert scene.standing(version, R).message == (
        "v1 is on its way: its job is pending; agent hook was not reached (POST https://hook.example: no connection), "
        f"next try at {at}. What ends it: the job agent, which has not taken it over, or its deadline."
    )
    scene.job_status(job, "inProgress")
    assert "not reached" not in scene.standing(version, R).message


def test_a_call_to_stop_a_job_is_not_one_to_hand_it_over() -> None:
    scene = Scene(R)
    version = scene.version("v1")
    scene.release(version, R)
    job = scene.job(version, R, "pending")
    before = scene.standing(version, R).message
    delayed = JobDelayed(
        job_id=job,
        **about(scene, version),
        call="cancel",
        calls=1,
        message="no connection",
        delayed_at=scene.world.now,
        next_at=scene.world.now,
    )
    scene.record(delayed)
    assert scene.standing(version, R).message == before


def test_a_job_that_is_taken_for_a_time_says_by_whom_and_until_when() -> None:
    scene = Scene(R)
    version = scene.version("v1")
    scene.release(version, R)
    job = scene.job(version, R, "inProgress")
    until = scene.world.now + timedelta(minutes=2)
    scene.record(
        JobLeased(
            job_id=job,
            **about(scene, version),
            claim_id=uid("claim"),
            instance="runner-7",
            claims=1,
            leased_at=scene.world.now,
            expires_at=until,
        )
    )
    at = until.strftime("%Y-%m-%d %H:%M:%S UTC")
    assert f"its job is in progress; it is taken by runner-7, until {at}." in scene.standing(version, R).message
    scene.job_status(job, "queued")
    assert "runner-7" not in scene.standing(version, R).message


def test_what_a_workflow_run_s_job_waits_for_is_nothing_to_policy() -> None:
    scene = Scene(R)
    before = scene.state.pairs
    scene.record(
        JobDelayed(job_id=uid("job"), call="dispatch", calls=1, message="m", delayed_at=scene.world.now, next_at=scene.world.now),
        JobLeased(job_id=uid("job"), claim_id=uid("claim"), claims=1, leased_at=scene.world.now, expires_at=scene.world.now),
    )
    assert scene.state.pairs == before


def test_a_snapshot_keeps_what_is_told() -> None:
    scene = Scene(R, OTHER)
    version = scene.version("v1")
    scene.release(version, R, OTHER)
    hold(scene, version, OTHER)
    job = scene.job(version, R, "inProgress")
    scene.record(
        JobLeased(
            job_id=job,
            **about(scene, version),
            claim_id=uid("claim"),
            claims=1,
            leased_at=scene.world.now,
            expires_at=scene.world.now,
        )
    )
    assert decode(State, encode(State, scene.state)) == scene.state
