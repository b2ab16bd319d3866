"""The steps of a workflow run: which are due, what jobs they get, and when the run has ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from contracts.documents import agent_document, resource_document
from contracts.envelope import Recorded
from contracts.facts.dispatcher import WorkflowJobCreated, WorkflowJobStatusChanged, WorkflowRunEnded, WorkflowSaved
from contracts.shapes import ACTIVE, JobStatus, Json, WorkflowStep
from libs.cel import CelProblems, contexts
from libs.runtime.ids import derived
from libs.runtime.service import Draft
from services.dispatcher.agent_config import merged, timeout_of, too_large
from services.dispatcher.places import Places, agent_key
from services.dispatcher.state import Run, State
from services.dispatcher.status import MAX_MESSAGE, WAITS

MAX_JOBS: Final = 10_000
"""Jobs that a run may begin with. A later step may have as many as the run has resources."""


def jobs_of_step(
    state: State, run_id: str, run: Run, workflow: WorkflowSaved, step: WorkflowStep, places: Places, now: datetime
) -> list[WorkflowJobCreated]:
    """The jobs of a step: one for each resource of the run that its selector picks, or one without a resource.

    They take what places are free; those that find none wait.

    Raises: CelProblems: the selector can not be read.
    """
    position = state.agents.get(step.ref)
    if position is None or step.selector.strip() in ("", "false"):
        return []
    agent = state.agent(position)
    config = merged(agent.config, step.config)
    document = {**agent_document(state.workspace_id, agent), "config": config}
    program = contexts.WORKFLOW.compile(step.selector)
    about = {"id": workflow.workflow_id, "name": workflow.name, "slug": workflow.slug}
    problem = too_large(config)
    places_needed = (agent_key(agent.agent_id),)
    made = []
    for resource_id in run.resources if run.resources is not None else (None,):
        known = state.resources.get(resource_id) if resource_id is not None else None
        if resource_id is not None and known is None:
            continue  # it is gone since the run began
        resource: Json = resource_document(state.workspace_id, known.fact) if known is not None else {}
        if not program.matches(jobAgent=document, resource=resource, inputs=run.inputs, workflow=about):
            continue
        full = None if problem else places.full(places_needed)
        if not problem and full is None:
            places.take(places_needed)
        made.append(
            WorkflowJobCreated(
                run_id=run_id,
                workflow_id=workflow.workflow_id,
                job_id=derived(run_id, f"{step.name}/{resource_id or ''}"),
                agent_id=agent.agent_id,
                step=step.name,
                resource_id=resource_id,
                status="failure" if problem else "pending",
                message=problem or (_waits_said(agent.name, full.limit) if full is not None else None),
                waits=full is not None,
                job_agent_config={} if problem else config,
                workflow=run.workflow,
                agent=position,
                resource=known.position if known is not None else 0,
                created_at=now,
                deadline_at=now + timeout_of(config, agent.type),
            )
        )
    return made


def _waits_said(agent: str, limit: int) -> str:
    jobs = "1 job" if limit == 1 else f"{limit} jobs"
    return f"{WAITS}job agent '{agent[: MAX_MESSAGE // 2]}' runs {jobs} at once, at most."


def go_on(state: State, recorded: Sequence[Recorded], places: Places, now: datetime) -> Iterator[Draft]:
    """What follows in the runs of jobs that ended: the next steps, which take what places are free, or the end of the run."""
    causes: dict[str, Recorded] = {}
    for one in recorded:
        match one.fact:
            case (WorkflowJobStatusChanged() | WorkflowJobCreated()) as fact if fact.status not in ACTIVE:
                causes[fact.run_id] = one
            case _:
                continue
    for run_id, cause in causes.items():
        run = state.runs.get(run_id)
        if run is not None:
            yield from (Draft(fact, cause) for fact in following(state, run_id, run, places, now))


def following(state: State, run_id: str, run: Run, places: Places, now: datetime) -> list[WorkflowJobCreated | WorkflowRunEnded]:
    """The jobs of every step that is due now; if there is nothing more to come, the end of the run."""
    workflow = state.workflow(run.workflow)
    through: dict[str, bool] = {}
    left_out: list[str] = []
    made: list[WorkflowJobCreated] = []
    waits = False
    for step in in_order(workflow.job_agents):
        begun = run.jobs.get(step.name)
        if begun is not None:
            if begun.active:
                waits = True
            else:
                through[step.name] = not begun.bad
            continue
        if any(through.get(need) is False for need in step.needs):
            through[step.name] = False
            left_out.append(step.name)
        elif all(need in through for need in step.needs):
            jobs = _jobs_or_none(state, run_id, run, workflow, step, places, now)
            if jobs is None:
                through[step.name] = False
                left_out.append(step.name)
            elif jobs:
                made += jobs
                waits = True
            else:
                through[step.name] = True  # nobody it concerns: whatever needs it may go
    if made or waits:
        return [*made]
    return [_end(state, run_id, run, tuple(left_out), now)]


def would_go_on(state: State, run_id: str, run: Run, now: datetime) -> bool:
    """Whether steps would begin all the same once every active job of the run was cancelled: what they need is through already."""
    over = run.jobs.mutate()
    for step, jobs in run.jobs.items():
        over[step] = jobs._replace(active=0, bad=jobs.bad + jobs.active)
    followed = following(state, run_id, run._replace(jobs=over.finish()), Places(state), now)
    return any(isinstance(one, WorkflowJobCreated) for one in followed)


def in_order(steps: Sequence[WorkflowStep]) -> list[WorkflowStep]:
    """The steps, each after those it needs; what needs itself in a circle comes last."""
    ordered: list[WorkflowStep] = []
    done: set[str] = set()
    left = list(steps)
    while left:
        ready = [one for one in left if done.issuperset(one.needs)] or left
        ordered += ready
        done |= {one.name for one in ready}
        left = [one for one in left if one.name not in done]
    return ordered


def _jobs_or_none(
    state: State, run_id: str, run: Run, workflow: WorkflowSaved, step: WorkflowStep, places: Places, now: datetime
) -> list[WorkflowJobCreated] | None:
    """The jobs of a step; None where its agent is gone or its selector can not be read."""
    if step.ref not in state.agents:
        return None
    try:
        return jobs_of_step(state, run_id, run, workflow, step, places, now)
    except CelProblems:
        return None


def cancelled_end(state: State, run_id: str, run: Run, said: str, now: datetime) -> WorkflowRunEnded:
    """The end of a run that is stopped before its next steps begin."""
    left_out = tuple(step.name for step in in_order(state.workflow(run.workflow).job_agents) if step.name not in run.jobs)
    return WorkflowRunEnded(
        run_id=run_id,
        workflow_id=run.workflow_id,
        status="cancelled",
        message=said[:MAX_MESSAGE],
        left_out=left_out,
        ended_at=now,
    )


def _end(state: State, run_id: str, run: Run, left_out: tuple[str, ...], now: datetime) -> WorkflowRunEnded:
    statuses = {state.jobs[job_id].status for jobs in run.jobs.values() for job_id in jobs.ids} - {"successful"}
    status: JobStatus = "successful"
    if statuses or left_out:
        status = "cancelled" if statuses == {"cancelled"} else "failure"
    said = f"Left out: {', '.join(left_out)}."[:MAX_MESSAGE] if left_out else None
    return WorkflowRunEnded(
        run_id=run_id, workflow_id=run.workflow_id, status=status, message=said, left_out=left_out, ended_at=now
    )
