"""Whether a target gets jobs now, and which: at most one dispatch at a time, each release once, only what is cleared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from contracts.envelope import Recorded
from contracts.facts.dispatcher import DispatchHeld, DispatchSnapshot, HeldItem, JobCreated, JobDispatched
from contracts.shapes import Json, Target
from contracts.tags import GATE, clearance
from libs.eventlog.port import Condition
from libs.runtime.ids import derived
from libs.runtime.service import Draft
from services.dispatcher.agent_config import gives_way, release_config, timeout_of, too_large
from services.dispatcher.freezes import is_held
from services.dispatcher.line import goes_first, in_line, line_of
from services.dispatcher.places import Full, Places, agent_key, deployment_key, keys_of
from services.dispatcher.selection import Selector
from services.dispatcher.state import Desired, Documents, Job, KnownResource, Standing, State, pair_key
from services.dispatcher.status import MAX_MESSAGE, JobMoved, handed_over, moved


@dataclass(frozen=True, slots=True)
class _Plan:
    """Who executes a release with what: one job per entry; if there is none, `why_none` becomes the message of a failed job."""

    jobs: tuple[tuple[str, Documents], ...]
    why_none: str = ""


HELD_PER_FACT = 1_000


@dataclass(slots=True)
class _Hold:
    """Targets of a pair that begin to wait for the same places."""

    deployment_id: str
    environment_id: str
    full: Full
    agents: tuple[str, ...]
    cause: Recorded | None
    items: list[HeldItem] = field(default_factory=list)


class JobMaker:
    """Creates jobs during one decision; shares what targets have in common. They take the free ones of `places`."""

    def __init__(self, state: State, now: datetime, places: Places | None = None) -> None:
        self._state = state
        self._now = now
        self._selector = Selector(state)
        self._configs: dict[Documents, tuple[Json, str]] = {}
        self._conditions: dict[tuple[str, str, int], Condition] = {}
        self._places = places or Places(state)
        self._holds: dict[tuple[str, str, str, tuple[str, ...]], _Hold] = {}
        self._served: set[str] = set()

    def create(self, key: str, cause: Recorded | None) -> list[Draft]:
        """Return the jobs that a target gets now, dispatched; none when it needs none or has to wait. No cause: time let it go.

        It does not stand back for others: whoever is to go before it must have had his turn. One that waits for a free place only is
        noted, for `holds`. One that got its jobs in this decision gets no more. A job of a workflow run that waits under its own id
        needs no more than a place.
        """
        state = self._state
        if key in state.jobs:
            return self._of_run(key, state.jobs[key], cause)
        standing = state.targets.get(key)
        if standing is None or not standing.exists or key in self._served:
            return []
        superseded = self._superseded(standing)
        if superseded is None:
            return []
        desired = standing.desired
        if desired is None or not self._is_due(standing, desired):
            return []
        target = Target.parse(key)
        assert target is not None, f"a target is named {key}"
        conditions = self._conditions_of(key, target, standing, desired)
        if conditions is None:
            return []
        resource = state.resources.get(target.resource_id)
        environment = state.environments.get(target.environment_id)
        deployment = state.deployments.get(target.deployment_id)
        version = state.versions.get(desired.version_id)
        if resource is None or environment is None or deployment is None or version is None:
            return []  # deleted: the target is about to vanish
        plan = self._plan(desired, resource, Documents(0, deployment, version))
        if not plan.jobs and cause is not None and key not in state.held and self._found_no_agent_before(standing, desired):
            return []  # one that waits for an agent that is gone again is told so: its wait is over
        if plan.jobs:
            given_back = tuple(dict.fromkeys(key for fact in superseded for key in keys_of(state.jobs[fact.job_id])))
            self._places.take(given_back, -1)
            if not self._has_place(key, target, standing, desired, plan, cause):
                self._places.take(given_back)
                return []
        jobs = plan.jobs or (("", Documents(0, deployment, version)),)
        self._served.add(key)
        return [Draft(fact, cause, conditions) for fact in superseded] + [
            Draft(fact, cause, conditions)
            for agent_id, documents in jobs
            for fact in self._facts(target, desired, agent_id, documents, resource, environment, plan.why_none)
        ]

    def _of_run(self, job_id: str, job: Job, cause: Recorded | None) -> list[Draft]:
        keys = keys_of(job)
        if job.run is None or job_id not in self._state.held or job_id in self._served or self._places.full(keys) is not None:
            return []
        self._places.take(keys)
        self._served.add(job_id)
        return [Draft(handed_over(job_id, job, job.run, self._now), cause)]

    def holds(self) -> Iterator[Draft]:
        """What is to be recorded of those that wait for a free place, since they began to."""
        for hold in self._holds.values():
            kind, _, id_ = hold.full.key.partition("/")
            position = self._state.agents.get(id_) if kind == "agent" else None
            for start in range(0, len(hold.items), HELD_PER_FACT):
                fact = DispatchHeld(
                    deployment_id=hold.deployment_id,
                    environment_id=hold.environment_id,
                    items=tuple(hold.items[start : start + HELD_PER_FACT]),
                    agent_id=id_ if kind == "agent" else "",
                    agent_name=self._state.agent(position).name[:MAX_MESSAGE] if position is not None else "",
                    agents=hold.agents,
                    limit=hold.full.limit,
                    held_at=self._now,
                )
                yield Draft(fact, hold.cause)

    def in_line(self, lines: Iterable[str]) -> Iterator[str]:
        """The targets of these lines whose turn it is, as long as there are places after what was created."""
        return in_line(self._state, lines, self._places, self._now)

    def _superseded(self, standing: Standing) -> list[JobMoved] | None:
        """The ends of jobs that nobody took over and whose release is no longer desired; None where a job is to be waited for."""
        ends: list[JobMoved] = []
        desired = standing.desired
        for job_id in standing.active:
            job = self._state.jobs[job_id]
            if (
                desired is None
                or job.status != "queued"
                or job.release_id == desired.release_id
                or not gives_way(self._state, job)
            ):
                return None
            tag = (
                self._state.version(self._state.versions[desired.version_id]).tag
                if desired.version_id in self._state.versions
                else ""
            )
            said = f"Superseded by {tag or 'another release'} before anybody took it."
            ends.append(moved(job_id, job, "cancelled", self._now, message=said[:MAX_MESSAGE]))
        return ends

    def _has_place(
        self, key: str, target: Target, standing: Standing, desired: Desired, plan: _Plan, cause: Recorded | None
    ) -> bool:
        """Whether there is a free place wherever the jobs need one, which is then taken; else the target is noted as waiting."""
        agents = tuple(sorted(agent_id for agent_id, _ in plan.jobs))
        keys = (*map(agent_key, agents), deployment_key(target.deployment_id))
        full = self._places.full(keys)
        if full is None:
            self._places.take(keys)
            return True
        waiting = self._state.held.get(key)
        pair = pair_key(target.deployment_id, target.environment_id)
        line = line_of(pair, agents, first=goes_first(standing))
        # What time let go is noted in any case, so that time is done with it.
        if waiting is None or waiting.line != line or waiting.release_id != desired.release_id or cause is None:
            alike = (target.deployment_id, target.environment_id, full.key, agents)
            hold = self._holds.get(alike)
            if hold is None:
                hold = self._holds[alike] = _Hold(target.deployment_id, target.environment_id, full, agents, cause)
            hold.items.append(HeldItem(resource_id=target.resource_id, release_id=desired.release_id))
        return False

    def _is_due(self, standing: Standing, desired: Desired) -> bool:
        """Whether the desired release was not tried yet since it became desired, a person wants it once more, or policy does."""
        if standing.newest_job is None or standing.again:
            return True
        newest = self._state.jobs[standing.newest_job]
        if newest.release_id != desired.release_id:
            return True
        if self._found_no_agent_before(standing, desired):
            return True
        if desired.rollback and desired.position > newest.position:
            # What is gone back from may never have been dispatched: then nothing needs to be undone.
            return newest.status != "successful"
        return self._is_retry(standing, desired, newest)

    def _is_retry(self, standing: Standing, desired: Desired, newest: Job) -> bool:
        """Whether policy cleared the release's version again, knowing that its newest attempt ended without success.

        A clearance of before the release was desired is not meant for a second try of it.
        """
        if desired.rollback:
            return False
        since = max(newest.moved_at, desired.position)
        if not any(one.version_id == desired.version_id and one.at >= since for one in standing.cleared):
            return False
        agents = {newest.agent_id, *self._state.agents}  # only asked "does any?", so that no order reaches a fact
        together = (self._state.jobs.get(derived(newest.release_id, f"{one}/{newest.attempt}")) for one in agents)
        return any(job is not None and job.status != "successful" for job in together)

    def _found_no_agent_before(self, standing: Standing, desired: Desired) -> bool:
        if standing.newest_job is None:
            return False
        newest = self._state.jobs[standing.newest_job]
        return newest.release_id == desired.release_id and newest.status == "invalidJobAgent" and not newest.agent_id

    def _conditions_of(self, key: str, target: Target, standing: Standing, desired: Desired) -> tuple[Condition, ...] | None:
        """What the dispatch rests on; None when the clearance went stale, so that policy has to issue it again."""
        # What was never dispatched is let through by policy alone.
        if desired.rollback or (standing.again and desired.release_id in self._state.attempts):
            if is_held(self._state, key, desired, self._now):
                return None
            return (Condition((GATE,), self._state.gate),)  # a freeze that is saved meanwhile holds it
        deployment_id, environment_id = target.deployment_id, target.environment_id
        cleared = next((one for one in standing.cleared if one.version_id == desired.version_id), None)
        if cleared is None or (cleared.valid_until is not None and self._now >= cleared.valid_until):
            return None
        newest = max(self._state.gate, self._state.withdrawn.get(pair_key(deployment_id, environment_id), 0))
        if cleared.at < newest:
            return None
        of_pair = (deployment_id, environment_id, cleared.at)
        condition = self._conditions.get(of_pair)
        if condition is None:
            condition = self._conditions[of_pair] = Condition((clearance(deployment_id, environment_id), GATE), cleared.at)
        return (condition,)

    def _plan(self, desired: Desired, resource: KnownResource, today: Documents) -> _Plan:
        if desired.rollback and (again := self._as_it_worked(desired.release_id)):
            return _Plan(again)
        selection = self._selector.select(self._state.deployment(today.deployment), resource.fact)
        jobs = tuple((self._state.agent(position).agent_id, today._replace(agent=position)) for position in selection.agents)
        return _Plan(jobs, selection.why_none)

    def _as_it_worked(self, release_id: str) -> tuple[tuple[str, Documents], ...]:
        """The agents that a release succeeded with, and its configuration then; without those that are gone."""
        jobs = (self._state.jobs[job_id] for job_id in self._state.succeeded.get(release_id, ()))
        return tuple((job.agent_id, job.documents) for job in jobs if job.agent_id in self._state.agents)

    def _config(self, documents: Documents) -> tuple[Json, str]:
        """The merged configuration, and why it can not be used; then it is empty."""
        known = self._configs.get(documents)
        if known is None:
            config = release_config(self._state, documents)
            problem = too_large(config)
            known = self._configs[documents] = ({} if problem else config, problem)
        return known

    def _facts(
        self,
        target: Target,
        desired: Desired,
        agent_id: str,
        documents: Documents,
        resource: KnownResource,
        environment: int,
        why_none: str,
    ) -> tuple[JobCreated] | tuple[JobCreated, JobDispatched]:
        attempt = self._state.attempts.get(desired.release_id, 0) + 1
        job_id = derived(desired.release_id, f"{agent_id}/{attempt}")
        config, problem = self._config(documents)
        agent_type = self._state.agent(documents.agent).type if documents.agent else ""
        snapshot = DispatchSnapshot(
            resource=resource.position,
            environment=environment,
            deployment=documents.deployment,
            version=documents.version,
            agent=documents.agent,
            release=self._state.releases.get(desired.release_id, desired.position),
        )
        created = JobCreated(
            job_id=job_id,
            release_id=desired.release_id,
            resource_id=target.resource_id,
            environment_id=target.environment_id,
            deployment_id=target.deployment_id,
            version_id=desired.version_id,
            agent_id=agent_id,
            status=("failure" if problem else "pending") if agent_id else "invalidJobAgent",
            message=(problem or None) if agent_id else why_none[:MAX_MESSAGE],
            job_agent_config=config,
            snapshot=snapshot,
            attempt=attempt,
            rollback=desired.rollback,
            created_at=self._now,
            deadline_at=self._now + timeout_of(config, agent_type),
        )
        if not agent_id or problem:
            return (created,)
        dispatched = JobDispatched(
            job_id=job_id,
            release_id=desired.release_id,
            resource_id=target.resource_id,
            environment_id=target.environment_id,
            deployment_id=target.deployment_id,
            version_id=desired.version_id,
            agent_id=agent_id,
            idempotency_key=job_id,
            dispatched_at=self._now,
        )
        return (created, dispatched)
