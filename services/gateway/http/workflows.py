"""Workflows, and their runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from contracts.commands.dispatcher import CancelRun, DeleteWorkflow, RunWorkflow, SaveWorkflow
from contracts.shapes import Json, WorkflowInput, WorkflowStep
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.lists import page_of
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.store import NEWEST_FIRST
from services.gateway.views import shown

routes = Routes("workflows")

_WORKFLOW = "Workflow"
_RUN = "Workflow run"
_PUBLIC = ("id", "workflowId", "inputs", "status", "message", "startedAt", "endedAt")


def _wish(body: bodies.WorkflowBody, workflow_id: str | None) -> SaveWorkflow:
    return SaveWorkflow(
        workflow_id=workflow_id,
        name=body.name,
        slug=body.slug,
        inputs=tuple(WorkflowInput.model_validate(one.model_dump(by_alias=True)) for one in body.inputs),
        job_agents=tuple(WorkflowStep.model_validate(one.model_dump(by_alias=True)) for one in body.job_agents),
    )


async def _saved(call: Call, status: int, workflow_id: str | None) -> Reply:
    saved = await call.ask(_wish(call.body, workflow_id))
    return await _one(call, await call.row("workflow", saved["id"], _WORKFLOW), status)


async def _one(call: Call, workflow: Json, status: int = 200) -> Reply:
    (found,) = await _as_sent(call, [workflow])
    return Reply(status, found)


async def _as_sent(call: Call, workflows: Sequence[Json]) -> list[Json]:
    """Workflows as they were sent (clients compare): what their steps keep secret in clear for whoever may write them."""
    steps = iter(await call.as_sent([step for one in workflows for step in one["jobAgents"]], "config"))
    return [{**one, "jobAgents": list(islice(steps, len(one["jobAgents"])))} for one in workflows]


@routes.add("GET", "/workflows", answers={200: answers.Page[answers.Workflow]}, query=bodies.Paging)
async def list_workflows(call: Call) -> Reply:
    """Workflows, newest first."""
    paging: bodies.Paging = call.query
    page = await call.store.find(call.workspace_id, "workflow", order=NEWEST_FIRST, limit=paging.limit, offset=paging.offset)
    return page_of(await _as_sent(call, [shown(one) for one in page.items]), page.total, paging)


@routes.add("POST", "/workflows", answers={201: answers.Workflow}, body=bodies.WorkflowBody)
async def create_workflow(call: Call) -> Reply:
    """Create a workflow."""
    return await _saved(call, 201, None)


@routes.add("GET", "/workflows/slug/{slug}", answers={200: answers.Workflow})
async def get_workflow_by_slug(call: Call) -> Reply:
    """A workflow by its slug."""
    return await _one(call, await call.row_named("workflow", call.path["slug"], _WORKFLOW, field="slug"))


@routes.add("GET", "/workflows/{workflowId}", answers={200: answers.Workflow})
async def get_workflow(call: Call) -> Reply:
    """A workflow."""
    return await _one(call, await call.row("workflow", call.id("workflowId", _WORKFLOW), _WORKFLOW))


@routes.add("PUT", "/workflows/{workflowId}", answers={202: answers.Workflow}, body=bodies.WorkflowBody)
async def update_workflow(call: Call) -> Reply:
    """Replace a workflow; runs that have begun go on as it was."""
    workflow_id = call.id("workflowId", _WORKFLOW)
    await call.row("workflow", workflow_id, _WORKFLOW)
    return await _saved(call, 202, workflow_id)


@routes.add("DELETE", "/workflows/{workflowId}", answers={202: answers.Workflow})
async def delete_workflow(call: Call) -> Reply:
    """Delete a workflow; runs that have begun go on."""
    gone = await call.ask(DeleteWorkflow(workflow_id=call.id("workflowId", _WORKFLOW)))
    deleted = await call.last_known("workflow", gone["id"])
    if deleted is None:
        raise NotFound(_WORKFLOW)
    return Reply(202, deleted)


# --- runs --------------------------------------------------------------------------------------------------------------------------


@routes.add("POST", "/workflows/slug/{slug}/runs", answers={201: answers.StartedRun}, body=bodies.RunBody)
async def run_workflow_by_slug(call: Call) -> Reply:
    """Run a workflow, named by its slug."""
    body: bodies.RunBody = call.body
    return Reply(201, await call.ask(RunWorkflow(slug=call.path["slug"], inputs=body.inputs)))


@routes.add("POST", "/workflows/{workflowId}/runs", answers={201: answers.StartedRun}, body=bodies.RunBody)
async def run_workflow(call: Call) -> Reply:
    """Run a workflow: its first steps begin at once."""
    body: bodies.RunBody = call.body
    return Reply(201, await call.ask(RunWorkflow(workflow_id=call.id("workflowId", _WORKFLOW), inputs=body.inputs)))


@routes.add("GET", "/workflows/{workflowId}/runs", answers={200: answers.Page[answers.Run]}, query=bodies.Paging)
async def list_runs(call: Call) -> Reply:
    """Runs of a workflow, newest first."""
    workflow_id = call.id("workflowId", _WORKFLOW)
    await call.row("workflow", workflow_id, _WORKFLOW)
    paging: bodies.Paging = call.query
    page = await call.store.find(
        call.workspace_id,
        "workflow_run",
        where={"workflowId": workflow_id},
        order=NEWEST_FIRST,
        limit=paging.limit,
        offset=paging.offset,
    )
    return page_of([_run(one) for one in page.items], page.total, paging)


@routes.add("GET", "/workflow-runs/{runId}", answers={200: answers.RunWithSteps})
async def get_run(call: Call) -> Reply:
    """A run, step by step."""
    run_id = call.id("runId", _RUN)
    row = await call.store.get(call.workspace_id, "workflow_run", run_id)
    if row is None:
        raise NotFound(_RUN)
    history = await call.store.many(call.workspace_id, "history", [str(row["$workflow"])])
    jobs = await call.store.among(call.workspace_id, "job", "$run", [run_id])
    resources = await call.store.many(
        call.workspace_id, "history", sorted({str(one["$snapshot"]["resource"]) for one in jobs if one["$snapshot"]["resource"]})
    )
    workflow = shown(history[str(row["$workflow"])])
    left_out = set(row.get("leftOut", ()))
    steps = [
        {
            "name": step["name"],
            "needs": step.get("needs", []),
            "leftOut": step["name"] in left_out,
            "jobs": [_job(one, resources) for one in jobs if one["$step"] == step["name"]],
        }
        for step in workflow["jobAgents"]
    ]
    return Reply(200, {**_run(row), "steps": steps})


@routes.add("POST", "/workflow-runs/{runId}/cancel", answers={202: answers.Accepted}, body=bodies.CancelRunBody)
async def cancel_run(call: Call) -> Reply:
    """Stop a run: its active jobs are cancelled, what has not begun does not begin."""
    body: bodies.CancelRunBody = call.body
    gone = await call.ask(CancelRun(run_id=call.id("runId", _RUN), reason=body.reason))
    return accepted(gone["id"], "Workflow run cancellation requested")


def _run(row: Json) -> Json:
    return {name: row[name] for name in _PUBLIC if name in row}


def _job(row: Json, resources: dict[str, Json]) -> Json:
    doc = {"jobId": row["id"], "jobAgentId": row["jobAgentId"], "status": row["status"]}
    resource = resources.get(str(row["$snapshot"]["resource"]))
    if resource is not None:
        doc["resourceId"] = resource["id"]
    if row.get("message"):
        doc["message"] = row["message"]
    return doc
