"""All of dispatcher in one history: every decision is made again as it was, and the state survives a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from contracts.commands.dispatcher import (
    CancelJob,
    CancelRun,
    ClaimJob,
    CompleteJob,
    CreatePlan,
    DeleteJobAgent,
    DeleteWorkflow,
    ExtendLease,
    RunWorkflow,
    SaveWorkflow,
    SetJobStatus,
    TellRun,
)
from contracts.envelope import Recorded
from contracts.facts.dispatcher import (
    DispatchHeld,
    JobCancelAnswered,
    JobDelayed,
    JobLeased,
    JobStatusChanged,
    PlanReported,
    PlanResultRecorded,
    WorkflowJobCreated,
    WorkflowRunEnded,
)
from contracts.facts.planner import (
    DeploymentDeleted,
    EnvironmentDeleted,
    PlanTarget,
    PlanTargetsResolved,
    RedeployItem,
    RedeployRequested,
    TargetsChanged,
)
from contracts.facts.policy import FreezeSaved
from contracts.shapes import WorkflowStep
from libs.eventlog.port import EventLog, RecordedDecision
from libs.runtime import audit
from libs.runtime.codec import decode, encode
from libs.runtime.service import Intent
from libs.simulation.world import WORKSPACE, refold
from services.dispatcher.app import service
from services.dispatcher.state import State
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of, release_of

NAMES = ("eu-1", "eu-2", "eu-3", "eu-4")
PULL_REQUEST = {"github/owner": "acme", "github/repo": "shop", "git/sha": "abcdef1"}


class Log:
    """What a scene recorded, as far as the audit reads it."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def read(self, workspace_id: str, after: int, limit: int) -> Sequence[Recorded]:
        return self._scene.log[after : after + limit]

    async def decisions(self, workspace_id: str, consumer: str, after: int, limit: int) -> Sequence[RecordedDecision]:
        positions = {one.id: one.position for one in self._scene.log}
        made = []
        for _, round_ in self._scene.rounds:
            move, facts = round_.append.move, round_.append.facts
            if round_.append.decision is not None and move is not None and move.new.sequence > after:
                first, last = positions[facts[0].id], positions[facts[-1].id]
                made.append(RecordedDecision(consumer, move.new.sequence, first, last, round_.append.decision))
        return made[:limit]


class Outside:
    """Agents that answer each call in a way of their own."""

    def __init__(self) -> None:
        self.delays = 2

    def __call__(self, intent: Intent, now: datetime) -> Any:
        told = intent.request
        match told["call"]:
            case "report":
                kept = ("plan_id", "number", "what", "target", "state", "external_id", "pull_request")
                return {**{key: told[key] for key in kept}, "external_id": "9", "error": None}
            case "plan":
                text = {"content_hash": "h", "current": "a", "proposed": "b", "cut": False, "message": ""}
                return {"status": "completed", "has_changes": True, **text, "validations": []}
            case "cancel":
                self.delays -= 1
                return {"stopped": True} if self.delays < 0 else {"delayed": {"message": "busy"}}
            case "observe":
                return {"status": "inProgress", "look_again_s": 50}
            case _ if told["type"] == "http-pull":
                return {"status": "queued"}
            case _ if told["type"] == "manual":
                return {"status": "actionRequired"}
            case _ if self.delays > 0:
                self.delays -= 1
                return {"delayed": {"message": "busy", "retry_after_s": 3}}
            case _:
                return {"status": "inProgress", "external_id": told["job_id"][:8], "look_again_s": 50}


def history() -> Scene:
    scene = Scene(*NAMES, selector="jobAgent.metadata == {}", outside=Outside())
    puller = scene.save_agent("puller", config={"maxConcurrentJobs": 2, "leaseSeconds": 60})
    hook = scene.save_agent("hook", "webhook", {"url": "https://hook.example", "secret": "s", "maxConcurrentJobs": 2})
    person = scene.save_agent("person", "manual")
    scene.release("v1", *NAMES)
    scene.advance(30)
    pulled = next(one for one in scene.jobs() if one.agent_id == puller)
    called = next(one for one in scene.jobs() if one.agent_id == hook)
    claim = scene.do(ClaimJob(agent_id=puller, job_id=pulled.job_id, instance="one"))
    scene.do(ExtendLease(agent_id=puller, job_id=pulled.job_id, claim_id=claim["claimId"]))
    scene.do(TellRun(type="webhook", job_id=called.job_id, status="inProgress", message="on its way"), by="agent:hook")
    scene.do(CancelJob(job_id=called.job_id, reason="wrong one"))
    scene.do(CompleteJob(job_id=next(one.job_id for one in scene.jobs() if one.agent_id == person)))
    plan_id = scene.do(CreatePlan(deployment_id=DEPLOYMENT, tag="pr-7", version_metadata=PULL_REQUEST))["id"]
    targets = tuple(PlanTarget(environment_id=ENVIRONMENT, resource_id=id_of(name)) for name in NAMES)
    for part, last in ((targets[:2], False), (targets[2:], True)):
        scene.record(
            PlanTargetsResolved(plan_id=plan_id, deployment_id=DEPLOYMENT, targets=part, last=last, resolved_at=scene.now)
        )
    scene.run()
    steps = [
        WorkflowStep(
            name=name, ref=puller if name == "first" else hook, selector="true", needs=() if name != "then" else ("first",)
        )
        for name in ("first", "beside", "then")
    ]
    workflow_id = scene.do(SaveWorkflow(name="Nightly", job_agents=tuple(steps)))["id"]
    runs = [scene.do(RunWorkflow(workflow_id=workflow_id, inputs={"resourceSelector": "true"}))["id"] for _ in range(2)]
    scene.do(DeleteWorkflow(workflow_id=workflow_id))
    for job in [one for one in scene.facts(WorkflowJobCreated) if one.run_id == runs[0]]:
        scene.do(SetJobStatus(job_id=job.job_id, status="successful"))
    scene.do(CancelRun(run_id=runs[1], reason="enough"))
    hours = timedelta(hours=1)
    scene.record(
        FreezeSaved(
            freeze_id=id_of("freeze"), reason="incident", created_by="user:ana", starts_at=scene.now, ends_at=scene.now + hours / 2,
            holds_rollbacks=True, created_at=scene.now,
        )
    )  # fmt: skip
    wanted = RedeployItem(resource_id=id_of("eu-1"), release_id=release_of("v1", "eu-1"), version_id=id_of("v1"))
    scene.record(RedeployRequested(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, items=(wanted,), requested_at=scene.now))
    scene.advance(hours * 2)
    scene.release("v2", *NAMES)
    scene.do(DeleteJobAgent(agent_id=puller))
    return scene


async def test_every_decision_is_made_again_as_it_was() -> None:
    scene = history()
    for kind in (
        DispatchHeld,
        JobCancelAnswered,
        JobDelayed,
        JobLeased,
        JobStatusChanged,
        PlanReported,
        PlanResultRecorded,
        WorkflowRunEnded,
    ):
        assert scene.facts(kind), kind
    count, differences = await audit.redecide(cast(EventLog, Log(scene)), service, WORKSPACE)
    assert (count, differences) == (len([one for _, one in scene.rounds if one.append.decision is not None]), [])


def test_a_state_survives_a_snapshot_at_any_time() -> None:
    scene = history()
    for position in (*range(0, len(scene.log), 9), len(scene.log)):
        state = refold(service, scene.log[:position])
        again = decode(State, encode(State, state))
        assert again == state, f"at {position}"


def test_what_runs_when_everything_is_deleted_ends() -> None:
    """Documents are gone from today's maps, their jobs and runs are not."""
    scene = history()
    for name in ("hook", "person"):
        scene.do(DeleteJobAgent(agent_id=id_of(name)))
    gone = tuple(id_of(name) for name in NAMES)
    scene.record(
        TargetsChanged(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, removed=gone),
        EnvironmentDeleted(environment_id=ENVIRONMENT),
        DeploymentDeleted(deployment_id=DEPLOYMENT),
    )
    scene.advance(timedelta(hours=3))
    state: State = scene.room("dispatcher").state
    assert not any(job.is_active for job in state.jobs.values())
    assert not state.running
    assert not state.held
    assert not state.runs
    assert not state.planning.plans
    assert not state.planning.reports
