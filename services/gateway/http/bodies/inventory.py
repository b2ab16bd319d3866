"""Resources and their variables, providers, variable sets, relationship rules."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field, RootModel, field_validator

from contracts.commands.inventory import ResourceInput
from contracts.shapes import Json
from services.gateway.http.bodies.form import INT64, MAX_OFFSET, Body, Something, Value


class ResourceBody(Body):
    """A resource, without its identifier.

    Attributes:
        variables: all that it has; left out they stay as they are.
    """

    name: str
    version: str
    kind: str
    config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)
    variables: dict[str, Something] | None = None


class ProviderBody(Body):
    """A resource provider; the one with this id gets the name, else the one of this name is meant."""

    id: str
    name: str
    metadata: dict[str, str] | None = None


class ProvidedResource(Body, ResourceInput):
    """One resource of a provider's set; times are accepted and ignored."""

    # It is what the command takes, so that a hundred thousand of them need not be made twice.

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


class ResourceVariables(RootModel[dict[str, Something]]):
    """All variables of a resource, by key. Objects and lists are wrapped, unless they are a reference or wrapped already."""

    model_config = ConfigDict(frozen=True)


class PreviewBody(Body):
    """A resource that may not be there."""

    identifier: str
    name: str
    kind: str
    version: str
    config: Json
    metadata: dict[str, str]


class SetVariable(Body):
    """One variable of a set."""

    key: str
    value: Value


class CreateVariableSet(Body):
    """A variable set."""

    name: str
    description: str = ""
    selector: str
    priority: int = Field(0, ge=-INT64, le=INT64)
    metadata: dict[str, str] = Field(default_factory=dict)
    variables: tuple[SetVariable, ...]


class UpdateVariableSet(Body):
    """Changes of a variable set; what is left out stays, variables are replaced together."""

    name: str | None = None
    description: str | None = None
    selector: str | None = None
    priority: int | None = Field(None, ge=-INT64, le=INT64)
    metadata: dict[str, str] | None = None
    variables: tuple[SetVariable, ...] | None = None


class RelationshipRuleBody(Body):
    """Which entities are related to which, under a name for references."""

    name: str
    description: str | None = None
    reference: str
    cel: str
    metadata: dict[str, str]
