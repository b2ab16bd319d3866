"""Whatever happens in whatever order: one dispatch at a time per target, only of what was cleared, and replay agrees."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.command import Refused
from contracts.commands.dispatcher import ClaimJob, SetJobStatus
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.policy import PolicySaved, TargetsCleared
from contracts.shapes import ACTIVE
from libs.simulation.world import START, refold
from services.dispatcher.app import service
from tests.unit.dispatcher.dispatcher_scene import Scene, id_of

TAGS = ("v1", "v2", "v3")
NAMES = ("eu-1", "us-1")
steps = st.lists(
    st.one_of(
        st.tuples(st.just("release"), st.sampled_from(TAGS), st.sampled_from(NAMES)),
        st.tuples(st.just("stale release"), st.sampled_from(TAGS), st.sampled_from(NAMES)),
        st.tuples(st.just("roll back"), st.sampled_from(TAGS), st.sampled_from(NAMES)),
        st.tuples(st.just("status"), st.sampled_from(("successful", "failure", "inProgress", "pending")), st.integers(0, 20)),
        st.tuples(st.just("claim"), st.just(""), st.integers(0, 20)),
        st.tuples(st.just("agent"), st.sampled_from(("one", "two")), st.just(0)),
        st.tuples(st.just("advance"), st.just(""), st.integers(1, 4000)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_one_dispatch_at_a_time(steps: list[tuple[str, str, str | int]]) -> None:
    scene = Scene(*NAMES)
    for tag in TAGS:
        scene.save_version(tag)
    for what, word, more in steps:
        jobs = scene.jobs()
        job_id = jobs[int(more) % len(jobs)].job_id if jobs and isinstance(more, int) else ""
        with contextlib.suppress(Refused):  # a wish that comes too late or too early is refused, and changes nothing
            match what:
                case "release":
                    scene.release(word, str(more))
                case "stale release":
                    at = scene.clear(word, str(more))
                    scene.record(PolicySaved(policy_id=id_of("policy"), name="p", created_at=START))
                    scene.create_releases(word, str(more), cleared_at=at)
                case "roll back" if jobs:
                    scene.roll_back(word, to=word, name=str(more))
                case "status" if jobs:
                    scene.do(SetJobStatus.model_validate({"job_id": job_id, "status": word}))
                case "claim" if jobs:
                    scene.do(ClaimJob(agent_id=id_of("one"), job_id=job_id))
                case "agent":
                    scene.save_agent(word)
                case "advance":
                    scene.advance(int(more))
        scene.run()
    check(scene)


def check(scene: Scene) -> None:
    """Walk through the log and look at every promise after every fact."""
    made: dict[str, JobCreated] = {}
    statuses: dict[str, str] = {}
    cleared: dict[tuple[str, str], int] = {}
    gate = 0
    for one in scene.log:
        match one.fact:
            case PolicySaved():
                gate = one.position
            case TargetsCleared() as fact:
                cleared.update({(fact.version_id, resource): fact.at for resource in fact.resource_ids})
            case JobCreated() as fact:
                made[fact.job_id] = fact
                statuses[fact.job_id] = fact.status
                assert fact.rollback or cleared[fact.version_id, fact.resource_id] >= gate, "only what is cleared is dispatched"
            case JobStatusChanged() as fact:
                assert fact.previous == statuses[fact.job_id]
                assert (fact.completed_at is None) == (fact.status in ACTIVE)
                statuses[fact.job_id] = fact.status
        for name in NAMES:
            active = [job for key, job in made.items() if job.resource_id == id_of(name) and statuses[key] in ACTIVE]
            assert len({(job.release_id, job.attempt) for job in active}) <= 1, one
    assert scene.room("dispatcher").state == refold(service, scene.log)
