"""How many jobs may run at once, at an agent and of a deployment, and how many of these places are taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from immutables import Map

from contracts.agents import as_number
from services.dispatcher.state import Job, State

LIMIT = "maxConcurrentJobs"


def agent_key(agent_id: str) -> str:
    """Names the places at an agent."""
    return f"agent/{agent_id}"


def deployment_key(deployment_id: str) -> str:
    """Names the places of a deployment."""
    return f"deployment/{deployment_id}"


def number_in(config: Mapping[str, Any], name: str) -> int | None:
    """A limit as a configuration names it, 1 or more; None for any number. What can not be read counts as not given."""
    value = as_number(config.get(name))
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None


def limit_of(state: State, key: str) -> int | None:
    """So many jobs may run at once at an agent or of a deployment, as it is configured today."""
    kind, _, id_ = key.partition("/")
    if kind == "agent":
        position = state.agents.get(id_)
        return number_in(state.agent(position).config, LIMIT) if position is not None else None
    position = state.deployments.get(id_)
    return number_in(state.deployment(position).job_agent_config, LIMIT) if position is not None else None


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
    """The places that an active job takes; the jobs of one dispatch take one of their deployment together."""
    agent = (agent_key(job.agent_id),) if job.agent_id else ()
    return (*agent, deployment_key(job.target[74:])) if job.target else agent


def counted(running: Map[str, int], key: str, by: int) -> Map[str, int]:
    """The numbers of taken places with one more or one less."""
    now = running.get(key, 0) + by
    return running.set(key, now) if now else running.delete(key)


def counted_job(running: Map[str, int], job: Job, by: int, *, alone: bool) -> Map[str, int]:
    """The numbers of taken places with those of one more or one less job; `alone` on its target, where others may go on."""
    if job.agent_id:
        running = counted(running, agent_key(job.agent_id), by)
    return counted(running, deployment_key(job.target[74:]), by) if job.target and alone else running
