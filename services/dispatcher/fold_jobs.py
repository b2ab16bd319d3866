"""Folds what becomes of jobs, those of releases and those of workflow runs."""

from __future__ import annotations

from immutables import Map

from contracts.facts.dispatcher import (
    JobCancelAnswered,
    JobCreated,
    JobDelayed,
    JobDispatched,
    JobLeased,
    JobStatusChanged,
    WorkflowJobCreated,
    WorkflowJobDispatched,
    WorkflowJobStatusChanged,
)
from services.dispatcher import line, pairs, places
from services.dispatcher.state import NOWHERE, Documents, Job, Lease, OfRun, Standing, State, outside_key


def created(state: State, fact: JobCreated, position: int) -> State:
    """A job of a release, on its target."""
    key = f"{fact.resource_id}-{fact.environment_id}-{fact.deployment_id}"
    job = Job(
        target=key,
        position=position,
        release_id=fact.release_id,
        version_id=fact.version_id,
        agent_id=fact.agent_id,
        documents=Documents(fact.snapshot.agent, fact.snapshot.deployment, fact.snapshot.version),
        attempt=fact.attempt,
        rollback=fact.rollback,
        status=fact.status,
        message=fact.message,
        external_id=None,
        metadata=(),
        created_at=fact.created_at,
        started_at=None,
        completed_at=None if fact.status == "pending" else fact.created_at,
        deadline_at=fact.deadline_at,
        dispatched=False,
        look_again_at=None,
        observation=0,
        moved_at=position,
    )
    known = state.targets.get(key, NOWHERE)
    active = (*known.active, fact.job_id) if job.is_active else known.active
    cleared = known.cleared
    of_desired = known.desired is not None and known.desired.release_id == fact.release_id
    if fact.agent_id and cleared and of_desired:
        # Whatever is dispatched after this one is judged anew; one that found no agent goes on with what it has. Where another release
        # took the place of this one while it was being dispatched, the clearance is that one's: policy saw nobody use it.
        cleared = tuple(one for one in cleared if one.version_id != fact.version_id)
    is_new = key not in state.targets
    state = line.let_go(state, key)
    state = state._replace(
        running=places.counted_job(state.running, job, 1, alone=not known.active) if job.is_active else state.running,
        jobs=state.jobs.set(fact.job_id, job),
        targets=state.targets.set(
            key, Standing(known.exists, known.desired, cleared, fact.job_id, active, known.again and not fact.agent_id)
        ),
        attempts=state.attempts.set(fact.release_id, max(fact.attempt, state.attempts.get(fact.release_id, 0))),
        without_agent=index_without_agent(state.without_agent, fact.resource_id, key, waits=not fact.agent_id),
    )
    return pairs.noted(state, key) if is_new else state


def index_without_agent(
    index: Map[str, tuple[str, ...]], resource_id: str, target: str, *, waits: bool
) -> Map[str, tuple[str, ...]]:
    """The index with a target that waits for an agent, or without it."""
    known = index.get(resource_id, ())
    if (target in known) == waits:
        return index
    if waits:
        return index.set(resource_id, (*known, target))
    rest = tuple(one for one in known if one != target)
    return index.set(resource_id, rest) if rest else index.delete(resource_id)


def dispatched(state: State, fact: JobDispatched, position: int) -> State:
    """The job is to be handed to its agent."""
    return state._replace(jobs=state.jobs.set(fact.job_id, state.jobs[fact.job_id]._replace(dispatched=True)))


def created_for_run(state: State, fact: WorkflowJobCreated, position: int) -> State:
    """A job of a workflow run: it belongs to no target, and its creation is the intent to hand it over unless it waits for a place."""
    job = Job(
        target="",
        position=position,
        release_id="",
        version_id="",
        agent_id=fact.agent_id,
        documents=Documents(fact.agent, 0, 0),
        attempt=1,
        rollback=False,
        status=fact.status,
        message=fact.message,
        external_id=None,
        metadata=(),
        created_at=fact.created_at,
        started_at=None,
        completed_at=None if fact.status == "pending" else fact.created_at,
        deadline_at=fact.deadline_at,
        dispatched=fact.status == "pending" and not fact.waits,
        look_again_at=None,
        observation=0,
        moved_at=position,
        run=OfRun(fact.run_id, fact.workflow_id, fact.step, fact.resource_id, fact.workflow, fact.resource),
    )
    if fact.waits:
        return line.waits(state._replace(jobs=state.jobs.set(fact.job_id, job)), fact.job_id, fact.agent_id)
    running = places.counted_job(state.running, job, 1, alone=True) if job.is_active else state.running
    return state._replace(jobs=state.jobs.set(fact.job_id, job), running=running)


def dispatched_of_run(state: State, fact: WorkflowJobDispatched, position: int) -> State:
    """A job of a workflow run that waited has its place."""
    job = state.jobs[fact.job_id]._replace(
        dispatched=True, message=None, deadline_at=fact.deadline_at, counts_from=fact.dispatched_at
    )
    running = places.counted_job(state.running, job, 1, alone=True)
    return line.let_go(state._replace(jobs=state.jobs.set(fact.job_id, job), running=running), fact.job_id)


def moved_of_run(state: State, fact: WorkflowJobStatusChanged, position: int) -> State:
    """A job of a workflow run moved on; one that waits for a place takes none, until it is dispatched."""
    before = state.jobs[fact.job_id]
    job = _after(before, fact, position)
    if fact.job_id in state.held:
        if not job.is_active:
            # It needs no place any more. Should it be reopened, it is handed over like any other.
            state, job = line.let_go(state, fact.job_id), job._replace(dispatched=True)
        return state._replace(jobs=state.jobs.set(fact.job_id, job), outside=_named(state, fact))
    return state._replace(
        jobs=state.jobs.set(fact.job_id, job), outside=_named(state, fact), running=_counted(state, fact.job_id, before, job)
    )


def moved(state: State, fact: JobStatusChanged, position: int) -> State:
    """A release's job moved on: it may free its target, and be a success of its release."""
    before = state.jobs[fact.job_id]
    job = _after(before, fact, position)
    targets = state.targets
    if job.is_active != before.is_active:
        known = targets.get(job.target, NOWHERE)
        known = known._replace(active=_with_active(known, fact.job_id, active=job.is_active))
        forgotten = not known.exists and known.newest_job is None and not known.active
        if not forgotten:
            targets = targets.set(job.target, known)
        elif job.target in targets:
            targets = targets.delete(job.target)
    jobs = state.jobs.set(fact.job_id, job)
    newest_id = state.targets.get(job.target, NOWHERE).newest_job
    if newest_id is not None and newest_id != fact.job_id:
        newest = jobs[newest_id]
        if (newest.release_id, newest.attempt) == (job.release_id, job.attempt):
            jobs = jobs.set(newest_id, newest._replace(moved_at=position))
    came_or_went = (job.target in targets) != (job.target in state.targets)
    state = state._replace(
        jobs=jobs,
        targets=targets,
        succeeded=_with_success(state, fact.job_id, job),
        outside=_named(state, fact),
        running=_counted(state, fact.job_id, before, job),
    )
    return pairs.noted(state, job.target) if came_or_went else state


def _counted(state: State, job_id: str, before: Job, job: Job) -> Map[str, int]:
    if before.is_active == job.is_active:
        return state.running
    alone = all(one == job_id for one in state.targets.get(job.target, NOWHERE).active)
    return places.counted_job(state.running, job, 1 if job.is_active else -1, alone=alone)


def _named(state: State, fact: JobStatusChanged | WorkflowJobStatusChanged) -> Map[str, str]:
    if fact.external_id is None or fact.external_id == state.jobs[fact.job_id].external_id:
        return state.outside
    return state.outside.set(outside_key(fact.agent_id, fact.external_id), fact.job_id)


def _after(before: Job, fact: JobStatusChanged | WorkflowJobStatusChanged, position: int) -> Job:
    job = before._replace(
        status=fact.status,
        message=fact.message,
        external_id=fact.external_id,
        metadata=tuple(sorted(fact.metadata.items())),
        started_at=fact.started_at,
        completed_at=fact.completed_at,
        look_again_at=fact.look_again_at,
        observation=fact.observation,
        moved_at=position,
        stops=0 if fact.cancel else before.stops,
        lease=before.lease if fact.status == "inProgress" else None,
        told_at=fact.told_at,
        unsettled=before.unsettled or (before.dispatched and not before.observation and fact.status != "pending"),
    )
    if job.is_active and not before.is_active:
        # It gets as much time as it had at first, else it would end at once.
        deadline_at = fact.changed_at + before.time_allowed
        return job._replace(deadline_at=deadline_at, counts_from=fact.changed_at, stops=None, stop_at=None)
    return job


def delayed(state: State, fact: JobDelayed, position: int) -> State:
    """A call to the job's agent is made again."""
    job = state.jobs[fact.job_id]
    if fact.call == "dispatch":
        job = job._replace(calls=fact.calls, call_at=fact.next_at)
    else:
        job = job._replace(stops=fact.calls, stop_at=fact.next_at)
    return state._replace(jobs=state.jobs.set(fact.job_id, job))


def cancel_answered(state: State, fact: JobCancelAnswered, position: int) -> State:
    """The job's agent was told to stop it; nothing more is to be done about that."""
    job = state.jobs[fact.job_id]._replace(stops=None, stop_at=None)
    return state._replace(jobs=state.jobs.set(fact.job_id, job))


def leased(state: State, fact: JobLeased, position: int) -> State:
    """A pull agent has the job for a time."""
    lease = Lease(fact.claim_id, fact.instance, (fact.expires_at - fact.leased_at).total_seconds(), fact.expires_at)
    return state._replace(jobs=state.jobs.set(fact.job_id, state.jobs[fact.job_id]._replace(lease=lease, claims=fact.claims)))


def _with_active(known: Standing, job_id: str, *, active: bool) -> tuple[str, ...]:
    return (*known.active, job_id) if active else tuple(one for one in known.active if one != job_id)


def _with_success(state: State, job_id: str, job: Job) -> Map[str, tuple[str, ...]]:
    if job.status != "successful":
        return state.succeeded
    known = state.succeeded.get(job.release_id, ())
    if job_id in known:
        return state.succeeded
    if known and state.jobs[known[0]].attempt == job.attempt:
        return state.succeeded.set(job.release_id, (*known, job_id))
    return state.succeeded.set(job.release_id, (job_id,))
