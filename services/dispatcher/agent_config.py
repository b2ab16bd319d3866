"""What a job's configuration is: three levels merged, small enough to be recorded, with the time that the job may take."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from pydantic_core import to_json

from contracts.agents import MAX_SECONDS, as_number, iso_seconds
from contracts.shapes import Json
from libs.eventlog.port import MAX_FACT_BYTES
from services.dispatcher.state import Documents, Job, State

DEFAULT_TIMEOUT: Final = timedelta(hours=1)
CAN_STOP: Final = frozenset({"argo-workflow", "github-app", "kubernetes", "tfe", "webhook"})
"""Types of agents that can be told to stop what they run; the others run nothing outside, or look by themselves."""


MAX_CONFIG_BYTES: Final = MAX_FACT_BYTES - 16 * 1024
"""The largest merged configuration, as JSON: it is part of the job's fact, whose other parts need room as well."""


def merged(*levels: Mapping[str, Any]) -> Json:
    """Merge configurations: maps key by key, anything else is replaced; later levels win. The levels are not changed."""
    result: Json = {}
    for level in levels:
        for key, value in level.items():
            known = result.get(key)
            result[key] = merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return result


def release_config(state: State, documents: Documents) -> Json:
    """What the jobs of a release run with that are made of these documents."""
    return merged(
        state.agent(documents.agent).config if documents.agent else {},
        state.deployment(documents.deployment).job_agent_config,
        state.version(documents.version).job_agent_config,
    )


def config_of(state: State, job: Job) -> Json:
    """What a job runs with: merged as it was when the job was made."""
    if job.run is None:
        return release_config(state, job.documents)
    agent = state.agent(job.documents.agent).config if job.documents.agent else {}
    steps = state.workflow(job.run.workflow).job_agents
    return merged(agent, *(one.config for one in steps if one.name == job.run.step))


def seconds_in(config: Mapping[str, Any], name: str, most: float) -> float | None:
    """Seconds as a configuration names them, above 0 and at most so many. What can not be read counts as not given."""
    value = as_number(config.get(name))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        return None
    return value


def may_run_on(state: State, job: Job) -> bool:
    """Whether something may still run outside once the job ended on our side, and its agent can be told to stop it."""
    return job.dispatched and bool(job.documents.agent) and state.agent(job.documents.agent).type in CAN_STOP


def gives_way(state: State, job: Job) -> bool:
    """Whether a queued job is given up for one of a newer release. One that waits outside may begin while we decide, so it does not."""
    if not job.documents.agent or state.agent(job.documents.agent).type in CAN_STOP:
        return False
    return config_of(state, job).get("supersedeQueued") in (True, "true")


def too_large(config: Json) -> str:
    """Why a merged configuration can not be recorded with a job; empty when it can. Each of its levels is small enough by itself."""
    size = len(to_json(config))
    if size <= MAX_CONFIG_BYTES:
        return ""
    return (
        f"The merged configuration of agent, deployment and version has {size} bytes of JSON, at most {MAX_CONFIG_BYTES} can be "
        "recorded: shorten one of them."
    )


def timeout_of(config: Json, agent_type: str = "") -> timedelta:
    """How long a job with this configuration may take. What can not be read counts as not given: the dispatch will tell.

    The `timeout` of a `manual` agent goes before `timeoutSeconds`, which all agents know.
    """
    text = config.get("timeout") if agent_type == "manual" else None
    if isinstance(text, str):
        with contextlib.suppress(ValueError):
            return timedelta(seconds=iso_seconds(text))
    seconds = seconds_in(config, "timeoutSeconds", MAX_SECONDS)
    return DEFAULT_TIMEOUT if seconds is None else timedelta(seconds=seconds)
