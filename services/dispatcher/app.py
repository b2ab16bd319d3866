"""Wires dispatcher: state, reaction, commands, deadlines and the calls to agents."""

from __future__ import annotations

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
    SaveJobAgent,
    SaveWorkflow,
    SetJobStatus,
    TellRun,
)
from libs.runtime.outside import Outside
from libs.runtime.service import Command, Performer, Service
from services.dispatcher.adapters.performing import built_in_agents, performing
from services.dispatcher.calls import Calls
from services.dispatcher.claims import claim_job, extend_lease, target_of
from services.dispatcher.commands import delete_job_agent, save_job_agent
from services.dispatcher.fold import READS, evolve
from services.dispatcher.plans import create_plan
from services.dispatcher.reaction import react
from services.dispatcher.state import State
from services.dispatcher.telling import cancel_job, complete_job, set_job_status, tell_run
from services.dispatcher.timers import Timers
from services.dispatcher.workflows import cancel_run, delete_workflow, run_workflow, save_workflow

service: Service[State] = Service(
    name="dispatcher",
    state_version=9,
    reads=READS,
    initial=State,
    evolve=evolve,
    react=react,
    commands={
        SaveJobAgent.NAME: Command(SaveJobAgent, save_job_agent),
        DeleteJobAgent.NAME: Command(DeleteJobAgent, delete_job_agent),
        ClaimJob.NAME: Command(ClaimJob, claim_job, target_of),
        ExtendLease.NAME: Command(ExtendLease, extend_lease, target_of),
        SetJobStatus.NAME: Command(SetJobStatus, set_job_status, target_of),
        CancelJob.NAME: Command(CancelJob, cancel_job),
        CompleteJob.NAME: Command(CompleteJob, complete_job),
        TellRun.NAME: Command(TellRun, tell_run),
        SaveWorkflow.NAME: Command(SaveWorkflow, save_workflow),
        DeleteWorkflow.NAME: Command(DeleteWorkflow, delete_workflow),
        RunWorkflow.NAME: Command(RunWorkflow, run_workflow),
        CancelRun.NAME: Command(CancelRun, cancel_run),
        CreatePlan.NAME: Command(CreatePlan, create_plan),
    },
    timers=Timers(),
    effects=Calls(),
)
"""Dispatcher, ready to be hosted."""


def performer(outside: Outside | None = None) -> Performer:
    """Return what calls the agents; without an outside only those that call nobody."""
    return performing(built_in_agents(outside), outside)
