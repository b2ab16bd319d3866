"""Operations on job agents, and on jobs as those see them who execute, stop and complete them."""

from __future__ import annotations

from tests.integration.api import forms_of_jobs as forms
from tests.integration.api.forms import ACCEPTED
from tests.integration.api.row import PAGING, Row
from tests.integration.api.shapes import page

_AGENT = "/job-agents/{jobAgentId}"
_JOB = f"{_AGENT}/jobs/{{jobId}}"
_BOTH = ("jobAgentId", "jobId")

AGENTS = (
    Row("agent.list", "GET", "/job-agents", 200, page(forms.JOB_AGENT), query=PAGING),
    Row("agent.get", "GET", _AGENT, 200, forms.JOB_AGENT, absent=("jobAgentId",)),
    Row("agent.put", "PUT", _AGENT, 202, ACCEPTED, body=forms.AGENT_BODY, conflict=True),
    Row("agent.delete", "DELETE", _AGENT, 202, ACCEPTED, absent=("jobAgentId",)),
    Row(
        "agent.jobs",
        "GET",
        f"{_AGENT}/jobs",
        200,
        page(forms.RUN_BY),
        query=(*PAGING, "status", "includeDispatchContext"),
        absent=("jobAgentId",),
    ),
    Row(
        "job.claim",
        "POST",
        f"{_JOB}/claim",
        200,
        forms.CLAIMED,
        body=forms.CLAIM_BODY,
        may_be_bare=True,
        absent=_BOTH,
        conflict=True,
        note="the body is ours: who takes the job, and for how long",
    ),
    Row(
        "job.heartbeat",
        "POST",
        f"{_JOB}/heartbeat",
        200,
        forms.HEARTBEAT,
        body=forms.HEARTBEAT_BODY,
        absent=_BOTH,
        conflict=True,
        note="ours; 409: the claim holds no longer",
    ),
)

ENDS = (
    Row(
        "job.cancel",
        "POST",
        "/jobs/{jobId}/cancel",
        202,
        ACCEPTED,
        body=forms.CANCEL_BODY,
        may_be_bare=True,
        absent=("jobId",),
        conflict=True,
        note="ours; 409: the job has ended",
    ),
    Row(
        "job.complete",
        "POST",
        "/jobs/{jobId}/complete",
        202,
        ACCEPTED,
        body=forms.COMPLETE_BODY,
        may_be_bare=True,
        absent=("jobId",),
        conflict=True,
        note="ours; 409: the job waits for nobody",
    ),
)
