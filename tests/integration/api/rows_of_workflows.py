"""Operations on workflows and their runs."""

from __future__ import annotations

from tests.integration.api import forms
from tests.integration.api.row import PAGING, Row
from tests.integration.api.shapes import CONFIG, FLAG, ID, INSTANT, TEXT, Anything, Many, Maybe, One, obj, page

_WORKFLOW = "/workflows/{workflowId}"
_SLUG = "/workflows/slug/{slug}"
_RUN = "/workflow-runs/{runId}"

INPUT = obj(
    key=TEXT,
    type=One(("string", "number", "boolean", "object", "array")),
    default=Maybe(Anything()),
    selector=Maybe(obj(entityType=One(("resource", "environment", "deployment")), default=Maybe(TEXT))),
    required=Maybe(FLAG),
)
STEP = obj(name=TEXT, ref=TEXT, config=CONFIG, selector=TEXT, needs=Maybe(Many(TEXT)))
WORKFLOW = obj(id=ID, name=TEXT, slug=TEXT, inputs=Many(INPUT), jobAgents=Many(STEP))
BODY = obj(name=TEXT, inputs=Many(INPUT), jobAgents=Many(STEP), slug=Maybe(TEXT))
STARTED = obj(id=ID, workflowId=ID, inputs=CONFIG, jobs=Many(obj(jobId=ID, jobAgentId=TEXT)))
RUN = obj(
    id=ID,
    workflowId=ID,
    inputs=CONFIG,
    status=forms.JOB_STATUS,
    message=Maybe(TEXT),
    startedAt=INSTANT,
    endedAt=Maybe(INSTANT),
)
RUN_JOB = obj(jobId=ID, jobAgentId=TEXT, status=forms.JOB_STATUS, resourceId=Maybe(ID), message=Maybe(TEXT))
RUN_WHOLE = RUN.plus(steps=Many(obj(name=TEXT, needs=Many(TEXT), leftOut=FLAG, jobs=Many(RUN_JOB))))
RUN_BODY = obj(inputs=CONFIG)

WORKFLOWS = (
    Row("workflow.list", "GET", "/workflows", 200, page(WORKFLOW), query=PAGING),
    Row(
        "workflow.create", "POST", "/workflows", 201, WORKFLOW, body=BODY, conflict=True,
        note="required of an input and needs of a step are ours",
    ),
    Row("workflow.by_slug", "GET", _SLUG, 200, WORKFLOW, absent=("slug",)),
    Row("workflow.get", "GET", _WORKFLOW, 200, WORKFLOW, absent=("workflowId",)),
    Row("workflow.put", "PUT", _WORKFLOW, 202, WORKFLOW, body=BODY, absent=("workflowId",), conflict=True),
    Row("workflow.delete", "DELETE", _WORKFLOW, 202, WORKFLOW, absent=("workflowId",)),
    Row("workflow.run_by_slug", "POST", f"{_SLUG}/runs", 201, STARTED, body=RUN_BODY, absent=("slug",)),
    Row("workflow.run", "POST", f"{_WORKFLOW}/runs", 201, STARTED, body=RUN_BODY, absent=("workflowId",)),
    Row("workflow.runs", "GET", f"{_WORKFLOW}/runs", 200, page(RUN), query=PAGING, absent=("workflowId",), note="ours"),
    Row("run.get", "GET", _RUN, 200, RUN_WHOLE, absent=("runId",), note="ours"),
    Row(
        "run.cancel", "POST", f"{_RUN}/cancel", 202, forms.ACCEPTED, body=obj(reason=Maybe(TEXT)), may_be_bare=True,
        absent=("runId",), note="ours",
    ),
)  # fmt: skip
