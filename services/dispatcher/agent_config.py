"""What a job's configuration is: three levels merged, and checked for the agent types that we know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import to_json

from contracts.shapes import Json
from libs.eventlog.port import MAX_FACT_BYTES

DEFAULT_TIMEOUT: Final = timedelta(hours=1)
MAX_SECONDS: Final = 31 * 24 * 3600
"""The longest delay or timeout that a configuration may name; more is a mistake in the unit."""


MAX_CONFIG_BYTES: Final = MAX_FACT_BYTES - 16 * 1024
"""The largest merged configuration, as JSON: it is part of the job's fact, whose other parts need room as well."""


class AgentConfig(BaseModel):
    """What every agent type understands: `timeoutSeconds`, after which a job that has not ended is a failure (default 1 h)."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", strict=True, alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False
    )
    timeout_seconds: float | None = Field(None, gt=0, le=MAX_SECONDS)


class HttpPullConfig(AgentConfig):
    """`http-pull`: an agent that asks for its queued jobs needs nothing."""


class TestRunnerConfig(AgentConfig):
    """`test-runner`: ends each job by itself after a delay.

    Attributes:
        delay_seconds: how long the job runs.
        status: `failure` lets it fail, anything else succeed.
        message: told before our own message.
    """

    __test__ = False  # its name makes pytest look at it
    delay_seconds: float = Field(5, ge=0, le=MAX_SECONDS)
    status: str | None = None
    message: str | None = None


KNOWN_TYPES: Final[Mapping[str, type[AgentConfig]]] = {"http-pull": HttpPullConfig, "test-runner": TestRunnerConfig}
"""Agent types with a checked configuration; any other text is accepted as a type and fails when a job is dispatched."""


def config_problems(agent_type: str, config: Json) -> list[dict[str, str]]:
    """Return what is wrong with an agent's configuration as `{path, message, errorCode}`; nothing for a type that is not known."""
    model = KNOWN_TYPES.get(agent_type)
    if model is None:
        return []
    try:
        model.model_validate(config)
    except ValidationError as error:
        return [
            {"path": "/".join(map(str, one["loc"])), "message": one["msg"], "errorCode": one["type"]}
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    return []


def merged(*levels: Mapping[str, Any]) -> Json:
    """Merge configurations: maps key by key, anything else is replaced; later levels win. The levels are not changed."""
    result: Json = {}
    for level in levels:
        for key, value in level.items():
            known = result.get(key)
            result[key] = merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return result


def too_large(config: Json) -> str:
    """Why a merged configuration can not be recorded with a job; empty when it can. Each of its levels is small enough by itself."""
    size = len(to_json(config))
    if size <= MAX_CONFIG_BYTES:
        return ""
    return (
        f"The merged configuration of agent, deployment and version has {size} bytes of JSON, at most {MAX_CONFIG_BYTES} can be "
        "recorded: shorten one of them."
    )


def timeout_of(config: Json) -> timedelta:
    """How long a job with this configuration may take. What can not be read counts as not given: the dispatch will tell."""
    value = config.get("timeoutSeconds")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_SECONDS:
        return DEFAULT_TIMEOUT
    return timedelta(seconds=value)
