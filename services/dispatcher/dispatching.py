"""The calls to agents: which are to be made, and what follows from their answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from contracts.envelope import Recorded
from contracts.facts.dispatcher import (
    JobCancelAnswered,
    JobDelayed,
    JobDispatched,
    JobStatusChanged,
    WorkflowJobCreated,
    WorkflowJobDispatched,
    WorkflowJobStatusChanged,
)
from contracts.shapes import ACTIVE, Json
from libs.runtime.service import Draft, Intent, Outcome
from services.dispatcher.adapters.port import AgentAnswer, CancelAnswer, Delayed
from services.dispatcher.agent_config import config_of
from services.dispatcher.state import Job, State
from services.dispatcher.status import MAX_MESSAGE, MAX_TOLD_BYTES, about, moved

MAX_PAUSE_S: Final = 60.0
"""The longest that we wait by ourselves before a call is made again; an agent may want more."""
MAX_STOPS: Final = 10
"""So often is it tried to stop a job."""


class AgentCalls:
    """Three kinds of calls, named `<job>/dispatch/<n>`, `<job>/observe/<n>` and `<job>/cancel/<n>`; the calls of one agent are a lane.

    A job is handed over while its recorded dispatch has no answer and it is still pending: one that was cancelled meanwhile is not
    sent. It is observed when its last answer asked for it, and stopped when it ended on our side. `n` counts the calls of the kind before.
    """

    def keys(self, state: State) -> Iterable[str]:
        """Every call that is to be made."""
        for job_id in sorted(state.jobs):
            job = state.jobs[job_id]
            if _is_to_be_sent(job):
                yield f"{job_id}/dispatch/{job.calls}"
            elif job.look_again_at is not None:
                yield f"{job_id}/observe/{job.observation}"
            if job.stops is not None:
                yield f"{job_id}/cancel/{job.stops}"

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The calls of the job that moved."""
        match recorded.fact:
            case (JobDispatched() | WorkflowJobCreated() | WorkflowJobDispatched()) as fact:
                return (f"{fact.job_id}/dispatch/0",)
            case (JobStatusChanged() | WorkflowJobStatusChanged()) as fact:
                questions = (f"{fact.job_id}/observe/{n}" for n in (fact.observation - 1, fact.observation))
                reopened = fact.status in ACTIVE and fact.previous not in ACTIVE
                stops = (f"{fact.job_id}/cancel/{n}" for n in range(MAX_STOPS if reopened else 1))
                return (f"{fact.job_id}/dispatch/{fact.calls}", *questions, *stops)
            case JobDelayed() as fact:
                return tuple(f"{fact.job_id}/{fact.call}/{n}" for n in (fact.calls - 1, fact.calls))
            case JobCancelAnswered() as fact:
                return (f"{fact.job_id}/cancel/{fact.calls}",)
            case _:
                return ()

    def intent(self, state: State, key: str) -> Intent | None:
        """The call behind a key; None when it was made or became pointless."""
        job = _waiting(state, key)
        if job is None:
            return None
        job_id, call, _ = key.split("/")
        not_before = {"dispatch": job.call_at, "observe": job.look_again_at, "cancel": job.stop_at}[call]
        again = call == "dispatch" and job.unsettled
        return Intent(key, _request(state, job_id, job, call), not_before, lane=job.agent_id, again=again)

    def settle(self, state: State, outcomes: Sequence[Outcome], now: datetime) -> Sequence[Draft]:
        """Move each job as its agent answered."""
        drafts: list[Draft] = []
        for outcome in outcomes:
            job = _waiting(state, outcome.key)
            if job is None:
                continue
            job_id, call, number = outcome.key.split("/")
            if "delayed" in outcome.result:
                delayed = Delayed.model_validate(outcome.result["delayed"])
                drafts.append(Draft(_made_again(state, job_id, job, call, int(number), delayed, now)))
            elif call == "cancel":
                stop = CancelAnswer.model_validate(outcome.result)
                drafts.append(Draft(_stopped(job_id, job, stop.stopped, stop.message, now)))
            else:
                drafts.append(Draft(_answered(job_id, job, AgentAnswer.model_validate(outcome.result), now)))
        return drafts


def _answered(job_id: str, job: Job, answer: AgentAnswer, now: datetime) -> JobStatusChanged | WorkflowJobStatusChanged:
    fact = _moved_by(job_id, job, answer, now)
    if len(fact.to_json()) <= MAX_TOLD_BYTES:
        return fact
    said = f"{(answer.message or '')[: MAX_MESSAGE // 2]} What the agent told beside this is too large to be kept.".lstrip()
    bounded = answer.model_copy(update={"message": said, "external_id": None, "metadata": {}, "metrics": ()})
    return _moved_by(job_id, job, bounded, now)


def _moved_by(job_id: str, job: Job, answer: AgentAnswer, now: datetime) -> JobStatusChanged | WorkflowJobStatusChanged:
    return moved(
        job_id,
        job,
        answer.status,
        now,
        message=answer.message[:MAX_MESSAGE] if answer.message is not None else None,
        external_id=answer.external_id,
        metadata=answer.metadata,
        look_again_at=None if answer.look_again_s is None else now + timedelta(seconds=answer.look_again_s),
        observation=job.observation + 1,
        metrics=answer.metrics,
    )


def _made_again(
    state: State, job_id: str, job: Job, call: str, calls: int, delayed: Delayed, now: datetime
) -> JobDelayed | JobCancelAnswered:
    """The call is made again later; to stop a job is given up at some time."""
    if call == "cancel" and calls + 1 >= MAX_STOPS:
        said = f"It was tried {MAX_STOPS} times to stop it: {delayed.message}"
        return JobCancelAnswered(
            job_id=job_id, **about(job), calls=calls, stopped=False, message=said[:MAX_MESSAGE], answered_at=now
        )
    pause_s = max(delayed.retry_after_s or 0.0, min(2.0 ** min(calls, 10), MAX_PAUSE_S))
    return JobDelayed(
        job_id=job_id,
        **about(job),
        agent_name=state.agent(job.documents.agent).name[:MAX_MESSAGE],
        call="cancel" if call == "cancel" else "dispatch",
        calls=calls + 1,
        message=delayed.message[:MAX_MESSAGE],
        delayed_at=now,
        next_at=now + timedelta(seconds=pause_s),
    )


def _stopped(job_id: str, job: Job, stopped: bool, message: str | None, now: datetime) -> JobCancelAnswered:
    said = message[:MAX_MESSAGE] if message is not None else None
    return JobCancelAnswered(job_id=job_id, **about(job), calls=job.stops or 0, stopped=stopped, message=said, answered_at=now)


def _waiting(state: State, key: str) -> Job | None:
    """The job that waits for the answer to a call; None when the call was made or became pointless."""
    job_id, call, number = key.split("/")
    job = state.jobs.get(job_id)
    if job is None:
        return None
    match call:
        case "dispatch":
            waits = _is_to_be_sent(job) and number == str(job.calls)
        case "observe":
            waits = job.look_again_at is not None and number == str(job.observation)
        case _:
            waits = number == str(job.stops)
    return job if waits else None


def _is_to_be_sent(job: Job) -> bool:
    return job.dispatched and job.observation == 0 and job.status == "pending"


def _request(state: State, job_id: str, job: Job, call: str) -> Json:
    agent = state.agent(job.documents.agent)
    return {
        "call": call,
        "workspace_id": state.workspace_id,
        "job_id": job_id,
        "position": job.position,
        "agent_id": job.agent_id,
        "type": agent.type,
        "config": config_of(state, job),
        "known": {
            "status": job.status,
            "message": job.message,
            "external_id": job.external_id,
            "metadata": dict(job.metadata),
        },
    }
