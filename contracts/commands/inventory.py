"""What inventory can be asked."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.command import Query, Wish, wish
from contracts.shapes import Json


class _Inventory(Wish):
    SERVICE: ClassVar[str] = "inventory"


@wish
class SaveProvider(_Inventory):
    """Create a provider, or find it: the one with this id takes the new name, else the one of this name keeps its id. Answers `{id}`.

    `metadata` None leaves that of a provider that is there as it is.
    """

    NAME: ClassVar[str] = "save_provider"
    provider_id: str | None = None
    name: str
    metadata: dict[str, str] | None = None


@wish
class DeleteProvider(_Inventory):
    """Delete a provider that owns no resource. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_provider"
    name: str


class ResourceInput(BaseModel):
    """A resource as a client describes it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    identifier: str
    name: str
    kind: str
    version: str
    config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)


@wish
class SetProviderResources(_Inventory):
    """Make these the provider's resources: save them, adopt unowned ones, skip those of other providers, delete the rest.

    A second identical set appends nothing. Answers `{saved, deleted, skipped}` (counts).
    """

    NAME: ClassVar[str] = "set_provider_resources"
    provider_id: str
    resources: tuple[ResourceInput, ...]


@wish
class SaveResource(_Inventory):
    """Create or replace one resource by its identifier; `variables` None leaves these as they are. Answers `{id}`."""

    NAME: ClassVar[str] = "save_resource"
    resource: ResourceInput
    variables: dict[str, Any] | None = None


@wish
class DeleteResource(_Inventory):
    """Delete one resource by its identifier. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_resource"
    identifier: str


@wish
class SetResourceVariables(_Inventory):
    """Make these the variables of a resource, all of them. Answers `{id}` (the resource's).

    A value is as `contracts.values` describes it, or any other JSON object or list, which is wrapped as `{"object": …}`; null is refused.
    """

    NAME: ClassVar[str] = "set_resource_variables"
    identifier: str
    variables: dict[str, Any]


class VariableInput(BaseModel):
    """A variable of a set as a client describes it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    key: str
    value: Any


@wish
class SaveVariableSet(_Inventory):
    """Create a variable set (no id), or change the one with this id: None leaves a field as it is. Answers `{id}`."""

    NAME: ClassVar[str] = "save_variable_set"
    set_id: str | None = None
    name: str | None = None
    description: str | None = None
    selector: str | None = None
    priority: int | None = None
    metadata: dict[str, str] | None = None
    variables: tuple[VariableInput, ...] | None = None


@wish
class DeleteVariableSet(_Inventory):
    """Delete a variable set. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_variable_set"
    set_id: str


@wish
class SaveRelationshipRule(_Inventory):
    """Create a relationship rule (no id), or create or replace the one with this id. Answers `{id}`."""

    NAME: ClassVar[str] = "save_relationship_rule"
    rule_id: str | None = None
    name: str
    description: str | None = None
    reference: str
    cel: str
    metadata: dict[str, str] = Field(default_factory=dict)


@wish
class DeleteRelationshipRule(_Inventory):
    """Delete a relationship rule and its relations. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_relationship_rule"
    rule_id: str


@wish
class ListRelations(Query):
    """The pairs that a rule relates, in order of their entities. Answers `{items: [{from, to}], total, suspended?}`, entities as
    `{type, id}`; refused with not_found for an unknown rule."""

    SERVICE: ClassVar[str] = "inventory"
    NAME: ClassVar[str] = "list_relations"
    rule_id: str
    limit: int = 50
    offset: int = 0


@wish
class ListRelationsOf(Query):
    """What an entity is related to, by all rules: first what it refers to, then what refers to it.

    Answers `{items: [{ruleId, direction, entity}], total}`, `direction` being `to` or `from` and the entity the other end as `{type, id}`.
    An entity that is not there is related to nothing.
    """

    SERVICE: ClassVar[str] = "inventory"
    NAME: ClassVar[str] = "list_relations_of"
    type: Literal["resource", "deployment", "environment"]
    id: str
    limit: int = 50
    offset: int = 0
