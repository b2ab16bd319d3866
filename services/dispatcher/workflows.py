"""What dispatcher is asked about workflows: to save, delete, run and stop them."""

from __future__ import annotations

import re
from typing import Final

from contracts.command import Asked, Refused
from contracts.commands.dispatcher import CancelRun, DeleteWorkflow, RunWorkflow, SaveWorkflow
from contracts.facts.dispatcher import WorkflowDeleted, WorkflowJobCreated, WorkflowRunStarted, WorkflowSaved
from contracts.shapes import Json
from libs.cel import contexts
from libs.cel.saving import check_selector
from libs.eventlog.port import MAX_FACT_BYTES
from libs.runtime.ids import derived
from libs.runtime.service import Decided, Draft
from services.dispatcher.agent_config import may_run_on
from services.dispatcher.line import left_by_line
from services.dispatcher.state import Run, State
from services.dispatcher.status import MAX_MESSAGE, moved
from services.dispatcher.workflow_inputs import RESOURCE_SELECTOR, resolved, resources_of, type_problem
from services.dispatcher.workflow_steps import MAX_JOBS, cancelled_end, following, would_go_on

SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_SLUG: Final = 100
MAX_STEP_NAME: Final = 1_000
"""Characters of a step's name: it is part of facts that hold a configuration as well."""


def save_workflow(wish: SaveWorkflow, state: State, asked: Asked) -> Decided:
    """Create or replace a workflow; one that is the same already appends nothing.

    Raises:
        Refused: `INVALID_SLUG`, `DUPLICATE_SLUG`, `INVALID_CEL`, two steps of one name, a step that needs none of the others or itself, or
            it is too large.
    """
    workflow_id = wish.workflow_id or derived(asked.id, "workflow")
    position = state.workflows.get(workflow_id)
    known = state.workflow(position) if position is not None else None
    slug = _slug(wish, known)
    for other in state.workflows:
        if other != workflow_id and state.workflow(state.workflows[other]).slug == slug:
            raise Refused(
                "conflict",
                f"A workflow with the slug '{slug}' exists already.",
                code="DUPLICATE_SLUG",
                details={"slug": slug, "existingWorkflowId": other},
            )
    _check_inputs(wish)
    _check_steps(wish)
    fact = WorkflowSaved(
        workflow_id=workflow_id,
        name=wish.name,
        slug=slug,
        inputs=wish.inputs,
        job_agents=wish.job_agents,
        created_at=known.created_at if known is not None else asked.now,
    )
    if (size := len(fact.to_json())) > MAX_FACT_BYTES:
        raise Refused("invalid", f"The workflow is too large: {size} bytes of JSON, at most {MAX_FACT_BYTES}; shorten its steps.")
    answer = {"id": workflow_id}
    return Decided(answer=answer) if fact == known else Decided((Draft(fact),), answer)


def delete_workflow(wish: DeleteWorkflow, state: State, asked: Asked) -> Decided:
    """Delete a workflow; runs that have not ended go on.

    Raises:
        Refused: there is no such workflow.
    """
    if wish.workflow_id not in state.workflows:
        raise Refused("not_found", f"There is no workflow {wish.workflow_id}.")
    return Decided((Draft(WorkflowDeleted(workflow_id=wish.workflow_id)),), {"id": wish.workflow_id})


def run_workflow(wish: RunWorkflow, state: State, asked: Asked) -> Decided:
    """Run a workflow: its first steps get their jobs at once.

    Raises:
        Refused: there is no such workflow (not_found), or `WORKFLOW_RUN_ERROR` with the reason.
    """
    workflow_id, position = _position_of(wish, state)
    workflow = state.workflow(position)
    inputs = resolved(workflow, wish.inputs, state)
    run = Run(workflow_id, position, inputs, resources_of(inputs, state))
    run_id = derived(asked.id, "run")
    for number, step in enumerate(workflow.job_agents):
        if step.ref not in state.agents:
            raise _run_error(
                f"Step '{step.name}' names the job agent {step.ref}, which does not exist.", f"jobAgents/{number}/ref"
            )
    started = WorkflowRunStarted(
        run_id=run_id,
        workflow_id=workflow_id,
        inputs=inputs,
        workflow=position,
        resource_ids=run.resources,
        started_at=asked.now,
    )
    if (size := len(started.to_json())) > MAX_FACT_BYTES:
        raise _run_error(
            f"The run is too large: {size} bytes of JSON, at most {MAX_FACT_BYTES}; give fewer or smaller inputs.", "inputs"
        )
    places = left_by_line(state, (step.ref for step in workflow.job_agents), asked.now)
    followed = following(state, run_id, run, places, asked.now)
    jobs = [one for one in followed if isinstance(one, WorkflowJobCreated)]
    if len(jobs) > MAX_JOBS:
        raise _run_error(
            f"The run would begin with {len(jobs)} jobs, at most {MAX_JOBS} are allowed: narrow its selectors.", "inputs"
        )
    answer = {
        "id": run_id,
        "workflowId": workflow_id,
        "inputs": inputs,
        "jobs": [{"jobId": one.job_id, "jobAgentId": one.agent_id} for one in jobs],
    }
    return Decided((Draft(started), *(Draft(fact) for fact in followed)), answer)


def cancel_run(wish: CancelRun, state: State, asked: Asked) -> Decided:
    """Stop a run: its active jobs end, and what has not begun is left out. One that is through is not stopped any more.

    Raises:
        Refused: there is no such run, or it has ended.
    """
    run = state.runs.get(wish.run_id)
    if run is None:
        raise Refused("not_found", f"There is no run {wish.run_id}, or it has ended.")
    said = f"Cancelled with its run: {wish.reason}" if wish.reason else "Cancelled with its run."
    # By name: the order of a map is another one in each process, and would be that of the facts.
    made = [job_id for step in sorted(run.jobs) for job_id in run.jobs[step].ids]
    active = [(job_id, job) for job_id in made if (job := state.jobs[job_id]).is_active]
    ends = tuple(
        Draft(moved(job_id, job, "cancelled", asked.now, message=said[:MAX_MESSAGE], cancel=may_run_on(state, job)))
        for job_id, job in active
    )
    answer = {"id": wish.run_id}
    if would_go_on(state, wish.run_id, run, asked.now):
        # The next steps are about to begin, and no end of a job would keep them from it.
        return Decided((*ends, Draft(cancelled_end(state, wish.run_id, run, said, asked.now))), answer)
    if not ends:  # all of it is through, and its end is about to be recorded as it went
        raise Refused("not_found", f"There is no run {wish.run_id}, or it has ended.")
    return Decided(ends, answer)


def _position_of(wish: RunWorkflow, state: State) -> tuple[str, int]:
    if wish.workflow_id is not None:
        position = state.workflows.get(wish.workflow_id)
        if position is None:
            raise Refused("not_found", f"There is no workflow {wish.workflow_id}.")
        return wish.workflow_id, position
    for workflow_id in sorted(state.workflows):
        position = state.workflows[workflow_id]
        if state.workflow(position).slug == wish.slug:
            return workflow_id, position
    raise Refused("not_found", f"There is no workflow with the slug '{wish.slug}'.")


def _slug(wish: SaveWorkflow, known: WorkflowSaved | None) -> str:
    """The slug that was given, the one it has, or one of its name."""
    if wish.slug is None and known is not None:
        return known.slug
    slug = wish.slug if wish.slug is not None else re.sub(r"[^a-z0-9]+", "-", wish.name.lower()).strip("-")[:MAX_SLUG].strip("-")
    if len(slug) > MAX_SLUG or not SLUG.fullmatch(slug):
        raise Refused(
            "invalid",
            f"'{slug[:MAX_SLUG]}' can not be a slug: write lower-case letters and digits with single hyphens between, 1 to {MAX_SLUG} in all.",
            code="INVALID_SLUG",
            details=[{"path": "/body/slug", "message": "must be like nightly-backup", "errorCode": "pattern"}],
        )
    return slug


def _check_inputs(wish: SaveWorkflow) -> None:
    seen: set[str] = set()
    for number, one in enumerate(wish.inputs):
        path = f"/body/inputs/{number}"
        if one.key in seen:
            raise _invalid(f"Two inputs have the key '{one.key}'.", f"{path}/key")
        seen.add(one.key)
        if one.default is not None and (wrong := type_problem(one, one.default)):
            raise _invalid(f"The default of {wrong}", f"{path}/default")
        if one.key == RESOURCE_SELECTOR and isinstance(one.default, str) and one.default:
            check_selector(contexts.SELECTOR, one.default, path=f"{path}/default", what="resource selector")
        source = (one.selector or {}).get("default")
        if source:
            kind = (one.selector or {}).get("entityType")
            environment = {"environment": contexts.ENVIRONMENT, "deployment": contexts.TARGET}.get(str(kind), contexts.SELECTOR)
            check_selector(environment, str(source), path=f"{path}/selector/default", what=f"selector of input '{one.key}'")


def _check_steps(wish: SaveWorkflow) -> None:
    names = [one.name for one in wish.job_agents]
    for number, step in enumerate(wish.job_agents):
        path = f"/body/jobAgents/{number}"
        if len(step.name) > MAX_STEP_NAME:
            raise _invalid(
                f"The name of a step has {len(step.name)} characters; at most {MAX_STEP_NAME} are allowed.", f"{path}/name"
            )
        if names.index(step.name) != number:
            raise _invalid(f"Two steps have the name '{step.name}': what needs it would not know which.", f"{path}/name")
        if step.selector.strip():
            check_selector(contexts.WORKFLOW, step.selector, path=f"{path}/selector", what=f"selector of step '{step.name}'")
        for need in step.needs:
            if need not in names:
                raise _invalid(f"Step '{step.name}' needs '{need}', which is no step of the workflow.", f"{path}/needs")
    done: set[str] = set()
    left = list(wish.job_agents)
    while ready := [one for one in left if done.issuperset(one.needs)]:
        done |= {one.name for one in ready}
        left = [one for one in left if one.name not in done]
    if left:
        circle = ", ".join(one.name for one in left)
        raise _invalid(f"These steps need each other in a circle, so that none could begin: {circle}.", "/body/jobAgents")


def _invalid(message: str, path: str) -> Refused:
    return Refused("invalid", message, details=[{"path": path, "message": message, "errorCode": "workflow"}])


def _run_error(message: str, path: str) -> Refused:
    details: list[Json] = [{"path": path, "message": message, "errorCode": "run"}]
    return Refused("invalid", message, code="WORKFLOW_RUN_ERROR", details=details)
