"""Claims, heartbeats and statuses of jobs on different targets do not see each other: whoever is decided first, the others get the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis
import hypothesis.strategies as st

from contracts.command import Asked, Refused
from contracts.commands.dispatcher import ClaimJob, ExtendLease, SetJobStatus
from contracts.shapes import JobStatus
from libs.simulation.world import WORKSPACE
from services.dispatcher.app import service
from services.dispatcher.claims import target_of
from services.dispatcher.state import State
from tests.unit.dispatcher.dispatcher_scene import Scene, id_of

PULLER = id_of("puller")
NAMES = ("eu-1", "us-1", "ap-1")
STATUSES: tuple[JobStatus, ...] = ("queued", "inProgress", "successful", "failure", "cancelled", "pending")
Wished = ClaimJob | ExtendLease | SetJobStatus

histories = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(("claim", "status")), st.sampled_from(STATUSES)), max_size=6)
pairs = st.tuples(*[st.tuples(st.integers(0, 5), st.sampled_from(("claim", "extend", *STATUSES)))] * 2)


def _scene() -> Scene:
    """Three targets, on each a job of each of two agents."""
    scene = Scene(*NAMES)
    scene.save_agent()
    scene.save_agent("other")
    for name in NAMES:
        scene.release("v1", name)
    return scene


def _state(scene: Scene) -> State:
    state: State = scene.room("dispatcher").state
    return state


def _wish(scene: Scene, number: int, what: str) -> Wished:
    jobs = scene.jobs()
    job = jobs[number % len(jobs)]
    known = _state(scene).jobs[job.job_id]
    match what:
        case "claim":
            return ClaimJob(agent_id=known.agent_id, job_id=job.job_id, instance="box", lease_seconds=30)
        case "extend":
            return ExtendLease(
                agent_id=known.agent_id, job_id=job.job_id, claim_id=known.lease.claim_id if known.lease else "none"
            )
        case _:
            return SetJobStatus.model_validate({"job_id": job.job_id, "status": what})


def _decided(scene: Scene, wish: Wished, name: str) -> Any:
    """The facts and the answer of a wish, or why it is refused."""
    asked = Asked(id=id_of(name), workspace_id=WORKSPACE, auth_id="user:ana", now=scene.now)
    decide: Callable[[Any, State, Asked], Any] = service.commands[wish.NAME].decide
    try:
        decided = decide(wish, _state(scene), asked)
    except Refused as refused:
        return refused.refusal
    return [draft.fact for draft in decided.drafts], decided.answer


@hypothesis.settings(max_examples=80, deadline=None)
@hypothesis.given(histories, pairs)
def test_what_is_about_another_target_changes_nothing(
    history: list[tuple[int, str, JobStatus]], pair: tuple[tuple[int, str], tuple[int, str]]
) -> None:
    scene = _scene()
    for number, what, status in history:
        wish = _wish(scene, number, status if what == "status" else what)
        if not isinstance(_decided(scene, wish, "history"), tuple):
            continue
        scene.do(wish)
    first, second = (_wish(scene, *one) for one in pair)
    hypothesis.assume(target_of(first, _state(scene)) != target_of(second, _state(scene)))
    alone = _decided(scene, second, "second")
    if isinstance(_decided(scene, first, "first"), tuple):
        scene.ask(first, id=id_of("first"))
    assert _decided(scene, second, "second") == alone


def test_jobs_of_one_target_are_one_thing() -> None:
    scene = _scene()
    state = _state(scene)
    by_target: dict[str, set[str]] = {}
    for job in scene.jobs():
        wish = SetJobStatus(job_id=job.job_id, status="successful")
        by_target.setdefault(target_of(wish, state), set()).add(job.job_id)
    assert [len(jobs) for jobs in by_target.values()] == [2] * len(NAMES)
    assert target_of(SetJobStatus(job_id=id_of("none"), status="successful"), state) == id_of("none")


def test_only_claims_heartbeats_and_statuses_are_decided_with_others() -> None:
    together = {name for name, command in service.commands.items() if command.about is not None}
    assert together == {ClaimJob.NAME, ExtendLease.NAME, SetJobStatus.NAME}
