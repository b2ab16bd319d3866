"""Jobs that are taken for a time: who does not say in time that it is still at it loses them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.dispatcher import ClaimJob, ExtendLease, SetJobStatus
from contracts.facts.dispatcher import JobLeased
from libs.simulation.world import START
from tests.unit.dispatcher.dispatcher_scene import Scene, id_of

PULLER = id_of("puller")


def taken(config: dict[str, Any] | None = None, lease: float | None = 30) -> tuple[Scene, str, str]:
    """A job that was claimed for 30 s; scene, job, claim."""
    scene = Scene()
    scene.save_agent(config=config)
    scene.release("v1")
    job_id = scene.jobs()[0].job_id
    answer = scene.do(ClaimJob(agent_id=PULLER, job_id=job_id, instance="box-1", lease_seconds=lease))
    return scene, job_id, answer["claimId"]


def again(scene: Scene, job_id: str) -> str:
    claim_id: str = scene.do(ClaimJob(agent_id=PULLER, job_id=job_id, instance="box-2", lease_seconds=30))["claimId"]
    return claim_id


def test_a_lease_says_until_when_it_holds() -> None:
    scene, job_id, claim_id = taken()
    (lease,) = scene.facts(JobLeased)
    assert (lease.job_id, lease.claim_id, lease.instance, lease.claims) == (job_id, claim_id, "box-1", 1)
    assert lease.expires_at == START + timedelta(seconds=30)
    assert scene.statuses() == ["inProgress"]


@pytest.mark.parametrize("seconds", [45, 45.0, "45", " 45 "])
def test_the_agent_s_configuration_may_ask_for_a_lease(seconds: object) -> None:
    scene, _, _ = taken({"leaseSeconds": seconds}, lease=None)
    assert scene.facts(JobLeased)[0].expires_at == START + timedelta(seconds=45)


def test_who_says_in_time_that_it_is_at_it_keeps_the_job() -> None:
    scene, job_id, claim_id = taken()
    for _ in range(5):
        scene.advance(29)
        scene.do(ExtendLease(agent_id=PULLER, job_id=job_id, claim_id=claim_id))
    assert scene.statuses() == ["inProgress"]


def test_silence_gives_the_job_back_at_the_very_instant() -> None:
    scene, job_id, _ = taken()
    scene.advance(29.999)
    assert scene.statuses() == ["inProgress"]
    scene.advance(0.001)
    assert scene.statuses() == ["queued"]
    assert "box-1" in str(scene.changes()[-1].message)
    again(scene, job_id)
    assert scene.facts(JobLeased)[-1].claims == 2


def message_of(scene: Scene) -> str | None:
    message: str | None = scene.changes()[-1].message
    return message


@pytest.mark.parametrize("directly", [False, True])
def test_that_a_job_is_back_in_the_queue_is_said_until_somebody_has_it(directly: bool) -> None:
    scene, job_id, _ = taken()
    scene.advance(30)
    assert message_of(scene) == "It was taken by box-1, and nobody was heard of for 30 s: it is back in the queue."
    if directly:
        scene.do(SetJobStatus(job_id=job_id, status="inProgress"))
    else:
        again(scene, job_id)
    assert (scene.statuses(), message_of(scene)) == (["inProgress"], None)
    scene.finish()
    assert (scene.statuses(), message_of(scene)) == (["successful"], None)


def test_what_somebody_said_of_a_job_that_is_back_in_the_queue_stays() -> None:
    scene, job_id, _ = taken()
    scene.advance(30)
    scene.do(SetJobStatus(job_id=job_id, status="queued", metadata={"seen": "yes"}))
    assert "back in the queue" in str(message_of(scene))
    scene.do(SetJobStatus(job_id=job_id, status="queued", message="box-1 burnt down"))
    again(scene, job_id)
    scene.finish()
    assert message_of(scene) == "box-1 burnt down"


def test_a_job_that_is_back_in_the_queue_and_fails_there_says_why() -> None:
    scene, _, _ = taken()
    scene.advance(3_600)
    assert scene.statuses() == ["failure"]
    assert "nobody claimed it" in str(message_of(scene))


def test_who_was_given_up_can_neither_extend_nor_finish() -> None:
    scene, job_id, old = taken()
    scene.advance(30)
    new = again(scene, job_id)
    for wish in (
        ExtendLease(agent_id=PULLER, job_id=job_id, claim_id=old),
        SetJobStatus(job_id=job_id, status="successful", claim_id=old),
    ):
        with pytest.raises(Refused, match="holds no longer") as refused:
            scene.do(wish)
        assert refused.value.refusal.kind == "conflict"
    scene.do(SetJobStatus(job_id=job_id, status="successful", claim_id=new))
    assert scene.statuses() == ["successful"]
    scene.advance(3600)
    assert scene.statuses() == ["successful"]


@pytest.mark.parametrize("most", [2, "2"])
def test_after_so_many_claims_in_vain_the_job_fails(most: int | str) -> None:
    scene, job_id, _ = taken({"maxClaims": most})
    scene.advance(30)
    again(scene, job_id)
    scene.advance(30)
    assert scene.statuses() == ["failure"]
    assert "maxClaims" in str(scene.changes()[-1].message)


def test_a_claim_without_a_lease_holds_until_the_deadline() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.do(ClaimJob(agent_id=PULLER, job_id=scene.jobs()[0].job_id))
    scene.advance(3599)
    assert scene.statuses() == ["inProgress"]
    scene.advance(1)
    assert scene.statuses() == ["failure"]


def test_the_deadline_comes_before_a_lease_that_is_over_at_the_same_instant() -> None:
    scene, _, _ = taken({"timeoutSeconds": 30})
    scene.advance(30)
    assert scene.statuses() == ["failure"]


@pytest.mark.parametrize("agent,kind", [("puller", "conflict"), ("nobody", "not_found")])
def test_a_lease_that_is_not_there_is_not_extended(agent: str, kind: str) -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    with pytest.raises(Refused) as refused:
        scene.do(ExtendLease(agent_id=id_of(agent), job_id=scene.jobs()[0].job_id, claim_id="none"))
    assert refused.value.refusal.kind == kind
