"""How many jobs may run at once, at an agent and of a deployment, and who waits for a free place: first come, first served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from immutables import Map

from contracts.facts.dispatcher import DispatchHeld
from services.dispatcher.state import Job, State, Waiting

LIMIT = "maxConcurrentJobs"


def agent_key(agent_id: str) -> str:
    """Names the places at an agent."""
    return f"agent/{agent_id}"


def deployment_key(deployment_id: str) -> str:
    """Names the places of a deployment."""
    return f"deployment/{deployment_id}"


def limit_in(config: Mapping[str, Any]) -> int | None:
    """So many jobs may run at once by a configuration; None for any number. What can not be read counts as not given."""
    value = config.get(LIMIT)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 7:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None


def limit_of(state: State, key: str) -> int | None:
    """So many jobs may run at once at an agent or of a deployment, as it is configured today."""
    kind, _, id_ = key.partition("/")
    if kind == "agent":
        position = state.agents.get(id_)
        return limit_in(state.agent(position).config) if position is not None else None
    position = state.deployments.get(id_)
    return limit_in(state.deployment(position).job_agent_config) if position is not None else None


class Full(NamedTuple):
    """Where no place is free, and how many there are."""

    key: str
    limit: int


class Places:
    """The free places during one decision: what it takes is taken."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._free: dict[str, int | None] = {}
        self._limits: dict[str, int | None] = {}

    def full(self, keys: tuple[str, ...]) -> Full | None:
        """The first of these at which no place is free; None when there is one at each."""
        for key in keys:
            free = self.free(key)
            if free is not None and free <= 0:
                return Full(key, self._limits[key] or 0)
        return None

    def take(self, keys: tuple[str, ...], number: int = 1) -> None:
        """A job takes a place at each of these, or with -1 gives it back."""
        for key in keys:
            free = self.free(key)
            if free is not None:
                self._free[key] = free - number

    def free(self, key: str) -> int | None:
        """How many places are free; None for any number."""
        if key not in self._free:
            limit = self._limits[key] = limit_of(self._state, key)
            self._free[key] = None if limit is None else limit - self._state.running.get(key, 0)
        return self._free[key]


# --- how facts change it -----------------------------------------------------------------------------------------------------------


def keys_of(job: Job) -> tuple[str, ...]:
    """The places that an active job takes."""
    agent = (agent_key(job.agent_id),) if job.agent_id else ()
    return (*agent, deployment_key(job.target[74:])) if job.target else agent


def counted(running: Map[str, int], job: Job, by: int) -> Map[str, int]:
    """The numbers of active jobs with one more or one less."""
    for key in keys_of(job):
        now = running.get(key, 0) + by
        running = running.set(key, now) if now else running.delete(key)
    return running


def held(state: State, fact: DispatchHeld, position: int) -> State:
    """Targets wait at the end of a queue; one that waits already keeps its place."""
    key = agent_key(fact.agent_id) if fact.agent_id else deployment_key(fact.deployment_id)
    suffix = f"-{fact.environment_id}-{fact.deployment_id}"
    waiting, queue = state.held.mutate(), state.queues.get(key, _NOBODY).mutate()
    queues = state.queues
    for place, item in enumerate(fact.items):
        target = item.resource_id + suffix
        known = waiting.get(target)
        if known is not None and known.key == key:
            waiting[target] = known._replace(release_id=item.release_id)
            continue
        if known is not None:
            queues = _left(queues, known)
        number = position * 1_000 + place - (_FIRST if _goes_first(state, target) else 0)
        waiting[target] = Waiting(key, number, item.release_id)
        queue[number] = target
    return state._replace(held=waiting.finish(), queues=queues.set(key, queue.finish()))


def let_go(state: State, target: str) -> State:
    """A target waits no longer."""
    known = state.held.get(target)
    if known is None:
        return state
    return state._replace(held=state.held.delete(target), queues=_left(state.queues, known))


def in_line(state: State, key: str) -> Iterator[str]:
    """The targets that wait for a place, those that came first before the others."""
    queue = state.queues.get(key, _NOBODY)
    return (queue[number] for number in sorted(queue))


_NOBODY: Map[int, str] = Map()
_FIRST = 10**18
"""More than any number of a queue."""


def _goes_first(state: State, target: str) -> bool:
    """Whether the target goes back, or a person wants its release again."""
    standing = state.targets.get(target)
    return standing is not None and (standing.again or (standing.desired is not None and standing.desired.rollback))


def _left(queues: Map[str, Map[int, str]], known: Waiting) -> Map[str, Map[int, str]]:
    queue = queues[known.key].delete(known.number)
    return queues.set(known.key, queue) if queue else queues.delete(known.key)
