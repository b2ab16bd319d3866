"""The calls to agents: which are to be made, and what follows from their answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobDispatched, JobStatusChanged, WorkflowJobCreated, WorkflowJobStatusChanged
from contracts.shapes import Json
from libs.runtime.service import Draft, Intent, Outcome
from services.dispatcher.adapters.port import AgentAnswer
from services.dispatcher.agent_config import merged
from services.dispatcher.state import Job, State
from services.dispatcher.status import MAX_MESSAGE, moved


class AgentCalls:
    """Two kinds of calls, named `<job>/dispatch` and `<job>/observe/<n>`.

    A job is handed over while its recorded dispatch has no answer and it is still pending: one that was cancelled meanwhile is not
    sent. It is observed when its last answer asked for it. `n` counts the answers before.
    """

    def keys(self, state: State) -> Iterable[str]:
        """Every call that is to be made."""
        for job_id in sorted(state.jobs):
            job = state.jobs[job_id]
            if _is_to_be_sent(job):
                yield _dispatch_key(job_id)
            elif job.look_again_at is not None:
                yield _observe_key(job_id, job.observation)

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The calls of the job that moved."""
        match recorded.fact:
            case (JobDispatched() | WorkflowJobCreated()) as fact:
                return (_dispatch_key(fact.job_id),)
            case (JobStatusChanged() | WorkflowJobStatusChanged()) as fact:
                questions = (_observe_key(fact.job_id, n) for n in (fact.observation - 1, fact.observation))
                return (_dispatch_key(fact.job_id), *questions)
            case _:
                return ()

    def intent(self, state: State, key: str) -> Intent | None:
        """The call behind a key; None when it was made or became pointless."""
        job = _waiting(state, key)
        if job is None:
            return None
        job_id, call, *_ = key.split("/")
        return Intent(key, _request(state, job_id, job, call), not_before=job.look_again_at)

    def settle(self, state: State, outcomes: Sequence[Outcome], now: datetime) -> Sequence[Draft]:
        """Move each job as its agent answered."""
        drafts: list[Draft] = []
        for outcome in outcomes:
            job = _waiting(state, outcome.key)
            if job is None:
                continue
            job_id = outcome.key.split("/")[0]
            answer = AgentAnswer.model_validate(outcome.result)
            look_again = None if answer.look_again_s is None else now + timedelta(seconds=answer.look_again_s)
            fact = moved(
                job_id,
                job,
                answer.status,
                now,
                message=answer.message[:MAX_MESSAGE] if answer.message is not None else None,
                external_id=answer.external_id,
                metadata=answer.metadata,
                look_again_at=look_again,
                observation=job.observation + 1,
            )
            drafts.append(Draft(fact))
        return drafts


def _waiting(state: State, key: str) -> Job | None:
    """The job that waits for the answer to a call; None when the call was made or became pointless."""
    job_id, call, *number = key.split("/")
    job = state.jobs.get(job_id)
    if job is None:
        return None
    if call == "dispatch":
        return job if _is_to_be_sent(job) else None
    return job if job.look_again_at is not None and number == [str(job.observation)] else None


def _is_to_be_sent(job: Job) -> bool:
    return job.dispatched and job.observation == 0 and job.status == "pending"


def _dispatch_key(job_id: str) -> str:
    return f"{job_id}/dispatch"


def _observe_key(job_id: str, number: int) -> str:
    return f"{job_id}/observe/{number}"


def _request(state: State, job_id: str, job: Job, call: str) -> dict[str, object]:
    agent = state.agent(job.documents.agent)
    config = merged(agent.config, *_levels(state, job))
    return {"call": call, "job_id": job_id, "type": agent.type, "config": config, "external_id": job.external_id}


def _levels(state: State, job: Job) -> Iterator[Json]:
    """The configurations that come after the agent's, the last one winning."""
    if job.run is None:
        yield state.deployment(job.documents.deployment).job_agent_config
        yield state.version(job.documents.version).job_agent_config
    else:
        steps = state.workflow(job.run.workflow).job_agents
        yield from (one.config for one in steps if one.name == job.run.step)
