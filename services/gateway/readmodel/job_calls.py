"""What is told of a job beside how it stands: who has it for a time, which call to its agent is made again, whether it was stopped there,
and that a target waits for a free place."""

from __future__ import annotations

from contracts.documents import stamp
from contracts.envelope import Recorded
from contracts.facts import dispatcher
from contracts.shapes import Json, Target
from services.gateway.readmodel.projection import Patches, projects
from services.gateway.rows import Merge


@projects(dispatcher.JobLeased)
def _job_leased(recorded: Recorded, fact: dispatcher.JobLeased) -> Patches:
    # The claim itself is told to nobody but who made it.
    lease = {
        "instance": fact.instance,
        "claims": fact.claims,
        "leasedAt": stamp(fact.leased_at),
        "expiresAt": stamp(fact.expires_at),
    }
    return (Merge("job", fact.job_id, {"lease": lease}),)


@projects(dispatcher.JobDelayed)
def _job_delayed(recorded: Recorded, fact: dispatcher.JobDelayed) -> Patches:
    delay = {"call": fact.call, "calls": fact.calls, "message": fact.message, "nextAt": stamp(fact.next_at)}
    doc: Json = {"delay": delay, "updatedAt": stamp(fact.delayed_at)}
    if fact.call == "dispatch":
        doc["message"] = fact.message
    return (Merge("job", fact.job_id, doc),)


@projects(dispatcher.JobCancelAnswered)
def _job_cancel_answered(recorded: Recorded, fact: dispatcher.JobCancelAnswered) -> Patches:
    answered = {"stopped": fact.stopped, "answeredAt": stamp(fact.answered_at)}
    if fact.message is not None:
        answered["message"] = fact.message
    return (Merge("job", fact.job_id, {"cancellation": answered, "delay": None}),)


@projects(dispatcher.DispatchHeld)
def _dispatch_held(recorded: Recorded, fact: dispatcher.DispatchHeld) -> Patches:
    held = {"agentId": fact.agent_id, "limit": fact.limit, "heldAt": stamp(fact.held_at)}
    return tuple(
        Merge(
            "target",
            Target(one.resource_id, fact.environment_id, fact.deployment_id).key,
            {"$held": {"releaseId": one.release_id, **held}},
        )
        for one in fact.items
    )
