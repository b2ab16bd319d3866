"""What clients send: one model per body or query. Properties that are not declared are ignored, declared ones are not coerced."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
)
from pydantic.alias_generators import to_camel

from contracts.shapes import (
    AnyApproval,
    EnvironmentProgression,
    GradualRollout,
    JobStatus,
    Json,
    Rollback,
    Verification,
)

_INTEGER = re.compile(r"-?\d{1,18}")
INT32 = 2**31 - 1


def _by_wire_names() -> ConfigDict:
    # Only the names of the API count: what a client sends under another name is a property that is not declared.
    return ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class Body(BaseModel):
    """A JSON object with camelCase names.

    Attributes:
        NULL_IS_ABSENT: wire names for which null is taken as absence, because clients in use send it.
    """

    model_config = _by_wire_names()
    NULL_IS_ABSENT: ClassVar[frozenset[str]] = frozenset()


def _integer(value: object) -> object:
    if isinstance(value, str):
        if _INTEGER.fullmatch(value) is None:
            raise ValueError("must be integer")
        return int(value)
    return value


def _boolean(value: object) -> object:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("must be boolean")
        return value == "true"
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
QueryInt = Annotated[int, BeforeValidator(_integer)]
QueryBool = Annotated[bool, BeforeValidator(_boolean)]
MAX_OFFSET = 2**53


class NoQuery(Body):
    """No parameters."""


class Paging(Body):
    """Which part of a list."""

    limit: QueryInt = Field(50, ge=1, le=1000)
    offset: QueryInt = Field(0, ge=0, le=MAX_OFFSET)


class CelPaging(Paging):
    """Which part of a list that a CEL expression picks."""

    cel: str | None = None


class VersionPaging(CelPaging):
    """Which versions, in which order of age."""

    order: Literal["asc", "desc"] = "desc"


class AgentJobs(Paging):
    """Which jobs of an agent, and whether with what they were made from."""

    status: JobStatus | None = None
    include_dispatch_context: QueryBool = False


class StateQuery(Body):
    """`bypassCache` is accepted for older clients; there is no cache."""

    bypass_cache: QueryBool = False


class EventsQuery(Body):
    """Which facts: after and before a position, of these types (comma-separated)."""

    after: QueryInt = Field(0, ge=0, le=MAX_OFFSET)
    before: QueryInt | None = Field(None, ge=0, le=MAX_OFFSET)
    limit: QueryInt = Field(50, ge=1, le=1000)
    types: str | None = None
    order: Literal["asc", "desc"] = "asc"


class StreamQuery(Body):
    """From where the stream of facts goes on: after a position, else after the newest."""

    after: QueryInt | None = Field(None, ge=0, le=MAX_OFFSET)
    types: str | None = None


# --- workspaces --------------------------------------------------------------------------------------------------------------------


class CreateWorkspace(Body):
    """A new workspace."""

    name: str = Field(min_length=3, max_length=30)
    slug: str = Field(min_length=3, max_length=50, pattern=r"^[a-z0-9-]+$")


class UpdateWorkspace(Body):
    """Changes of a workspace."""

    name: str | None = Field(None, min_length=3, max_length=30)
    slug: str | None = Field(None, min_length=3, max_length=50, pattern=r"^[a-z0-9-]+$")


# --- systems, deployments, environments, versions --------------------------------------------------------------------------------------


class SystemBody(Body):
    """A system; a slug is accepted and ignored."""

    name: str
    slug: str = ""
    description: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)


class DeploymentBody(Body):
    """A deployment; a slug is required and ignored."""

    name: str
    slug: str
    description: str = ""
    resource_selector: str = "false"
    job_agent_selector: str | None = None
    job_agent_config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)


class EnvironmentBody(Body):
    """An environment."""

    name: str
    description: str = ""
    resource_selector: str = "false"
    metadata: dict[str, str] = Field(default_factory=dict)


PublicVersionStatus = Literal["unspecified", "building", "ready", "failed", "rejected"]


def _unavailable(what: str) -> Any:
    def refuse(value: object) -> object:
        if value:
            raise ValueError(f"{what} can not be used here yet")
        return value

    return BeforeValidator(refuse)


class CreateVersion(Body):
    """A version from CI; an empty name stands for the tag. `createdAt` is accepted and ignored."""

    name: str
    tag: str
    status: PublicVersionStatus
    message: str | None = None
    config: Json = Field(default_factory=dict)
    job_agent_config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)
    created_at: Instant | None = None
    dependencies: Annotated[Json, _unavailable("dependencies")] = Field(default_factory=dict)


class UpdateVersion(Body):
    """Changes of a version; what is left out stays. `id` and `createdAt` are accepted and ignored."""

    id: str | None = None
    tag: str | None = None
    name: str | None = None
    status: PublicVersionStatus | None = None
    message: str | None = None
    config: Json | None = None
    job_agent_config: Json | None = None
    metadata: dict[str, str] | None = None
    created_at: Instant | None = None


class ApprovalBody(Body):
    """A person's word on a version for some environments, or for all when the list is empty."""

    status: Literal["approved", "rejected"]
    environment_ids: tuple[str, ...]
    reason: str | None = None


# --- inventory -------------------------------------------------------------------------------------------------------------------------


class ResourceBody(Body):
    """A resource, without its identifier."""

    name: str
    version: str
    kind: str
    config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)
    variables: Annotated[Json, _unavailable("variables")] = Field(default_factory=dict)


class ProviderBody(Body):
    """A resource provider; providers are known by name, an id is accepted and ignored."""

    id: str
    name: str
    metadata: dict[str, str] = Field(default_factory=dict)


class ProvidedResource(Body):
    """One resource of a provider's set; times are accepted and ignored."""

    NULL_IS_ABSENT: ClassVar[frozenset[str]] = frozenset({"config", "metadata"})

    identifier: str
    name: str
    kind: str
    version: str
    config: Json
    metadata: dict[str, str]
    created_at: str

    @field_validator("config", "metadata", mode="before")
    @classmethod
    def _null_is_empty(cls, value: object) -> object:
        return {} if value is None else value


class ProviderSet(Body):
    """All resources that a provider has."""

    resources: tuple[ProvidedResource, ...]


class ResourceSearch(Body):
    """Filters that must all hold; an empty list is no filter."""

    provider_ids: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    query: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    sort_by: Literal["createdAt", "updatedAt", "name", "kind"] = "createdAt"
    order: Literal["asc", "desc"] = "asc"
    limit: int = Field(500, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=MAX_OFFSET)


# --- jobs ------------------------------------------------------------------------------------------------------------------------------


class AgentBody(Body):
    """A job agent."""

    name: str
    type: str
    config: Json
    metadata: dict[str, str] = Field(default_factory=dict)


class JobStatusBody(Body):
    """How a job stands."""

    status: JobStatus
    message: str | None = None
    external_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    started_at: Instant | None = None
    completed_at: Instant | None = None


class PairBody(Body):
    """A deployment in an environment."""

    deployment_id: str
    environment_id: str


# --- policies --------------------------------------------------------------------------------------------------------------------------

Unsupported = Annotated[Any, _unavailable("this kind of rule")]


class RuleBody(Body):
    """One rule. A kind that is not supported is refused: a rule that is stored but never asked would open what it should close."""

    id: str | None = None
    any_approval: AnyApproval | None = None
    environment_progression: EnvironmentProgression | None = None
    gradual_rollout: GradualRollout | None = None
    verification: Verification | None = None
    rollback: Rollback | None = None
    deployment_dependency: Unsupported = None
    deployment_window: Unsupported = None
    plan_validation_opa: Unsupported = None
    retry: Unsupported = None
    version_cooldown: Unsupported = None
    version_selector: Unsupported = None


class CreatePolicy(Body):
    """A new policy; ids of its rules are made, whatever is sent."""

    name: str
    description: str | None = None
    selector: str = "true"
    priority: int = Field(0, ge=-INT32, le=INT32)
    enabled: bool = True
    metadata: dict[str, str] = Field(default_factory=dict)
    rules: tuple[RuleBody, ...] = ()


class UpsertPolicy(Body):
    """A whole policy under the caller's id."""

    name: str
    description: str | None = None
    selector: str
    priority: int = Field(ge=-INT32, le=INT32)
    enabled: bool
    metadata: dict[str, str]
    rules: tuple[RuleBody, ...]
