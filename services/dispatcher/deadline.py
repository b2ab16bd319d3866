"""Lost jobs: every job has a deadline, which ends it as a failure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from contracts.envelope import Recorded
from contracts.facts.dispatcher import (
    JobCreated,
    JobStatusChanged,
    WorkflowJobCreated,
    WorkflowJobDispatched,
    WorkflowJobStatusChanged,
)
from libs.runtime.service import Draft
from services.dispatcher.agent_config import may_run_on
from services.dispatcher.state import Job, State
from services.dispatcher.status import MAX_MESSAGE, moved

_MOVES = frozenset(
    one.TYPE for one in (JobCreated, JobStatusChanged, WorkflowJobCreated, WorkflowJobDispatched, WorkflowJobStatusChanged)
)


class Deadlines:
    """One timer per active job, named by the job's id."""

    def keys(self, state: State) -> Iterable[str]:
        """Every active job."""
        return (job_id for job_id in sorted(state.jobs) if state.jobs[job_id].is_active)

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The job that was created or moved."""
        match recorded.fact if recorded.type in _MOVES else None:
            case (
                JobCreated() | JobStatusChanged() | WorkflowJobCreated() | WorkflowJobDispatched() | WorkflowJobStatusChanged()
            ) as fact:
                return (fact.job_id,)
            case _:
                return ()

    def at(self, state: State, key: str) -> datetime | None:
        """When the job fails; None when it has ended, or waits for a place: those who have one end, and then it is its turn."""
        job = state.jobs.get(key)
        return job.deadline_at if job is not None and job.is_active and key not in state.held else None

    def fire(self, state: State, keys: Sequence[str], now: datetime) -> Sequence[Draft]:
        """Fail the jobs whose time is over."""
        due = ((key, state.jobs[key]) for key in keys)
        return [
            Draft(moved(key, job, "failure", now, message=_said(state, job)[:MAX_MESSAGE], cancel=may_run_on(state, job)))
            for key, job in due
            if job.is_active
        ]


def _said(state: State, job: Job) -> str:
    allowed = duration_text(job.deadline_at - (job.counts_from or job.started_at or job.created_at))
    waited_for = {
        "pending": "it was never taken over",
        "queued": "nobody claimed it",
        "actionRequired": "nobody took the action it waits for",
    }.get(job.status, "it never reported an end")
    if not job.documents.agent:  # no agent was found, and a person set the job going by hand
        return (
            f"No answer within {allowed}: no job agent has the job, and nobody told its end. Set its status, or add a job agent."
        )
    agent = state.agent(job.documents.agent)
    return (
        f"No answer within {allowed}: job agent '{agent.name}' ({agent.type}) had the job, but {waited_for}. "
        "Look at the agent; `timeoutSeconds` in its configuration or the deployment's allows more time."
    )


def duration_text(duration: timedelta) -> str:
    """A duration for people: `45 s`, `12 min`, `1 h`, `3 h 5 min`."""
    seconds = round(duration.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    rest = f" {seconds % 60} s" if seconds % 60 and not hours else ""
    if not hours:
        return f"{minutes} min{rest}"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
