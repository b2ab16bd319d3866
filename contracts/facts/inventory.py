"""Facts that only inventory appends: what exists, and what matches whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from contracts.fact import Fact, fact
from contracts.shapes import Json


@fact
class ProviderSaved(Fact):
    """A resource provider was created or renamed."""

    TYPE: ClassVar[str] = "inventory.provider_saved.v1"
    provider_id: str
    name: str
    metadata: dict[str, str] = Field(default_factory=dict)
    created_at: datetime

    @property
    def stream(self) -> str:
        return f"provider/{self.provider_id}"


@fact
class ProviderDeleted(Fact):
    """A resource provider is gone; it owned nothing."""

    TYPE: ClassVar[str] = "inventory.provider_deleted.v1"
    provider_id: str
    name: str

    @property
    def stream(self) -> str:
        return f"provider/{self.provider_id}"


@fact
class ResourceSaved(Fact):
    """A resource was created or changed; the whole document."""

    TYPE: ClassVar[str] = "inventory.resource_saved.v1"
    resource_id: str
    identifier: str
    name: str
    kind: str
    version: str
    config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)
    provider_id: str | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def stream(self) -> str:
        return f"resource/{self.resource_id}"


@fact
class ResourceDeleted(Fact):
    """A resource is gone."""

    TYPE: ClassVar[str] = "inventory.resource_deleted.v1"
    resource_id: str
    identifier: str

    @property
    def stream(self) -> str:
        return f"resource/{self.resource_id}"


@fact
class ResourceVariablesSaved(Fact):
    """The variables of a resource are these now, all of them; a value is as `contracts.values` describes it."""

    TYPE: ClassVar[str] = "inventory.resource_variables_saved.v1"
    resource_id: str
    variables: dict[str, Any]

    @property
    def stream(self) -> str:
        return f"resource/{self.resource_id}"


class VariableSetItem(BaseModel):
    """One variable of a set; a value is as `contracts.values` describes it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str
    key: str
    value: Any


@fact
class VariableSetSaved(Fact):
    """A variable set was created or changed; the whole document, variables in the client's order, keys unique."""

    TYPE: ClassVar[str] = "inventory.variable_set_saved.v1"
    set_id: str
    name: str
    description: str = ""
    selector: str
    priority: int = 0
    metadata: dict[str, str] = Field(default_factory=dict)
    variables: tuple[VariableSetItem, ...] = ()
    created_at: datetime
    updated_at: datetime

    @property
    def stream(self) -> str:
        return f"variable-set/{self.set_id}"


@fact
class VariableSetDeleted(Fact):
    """A variable set is gone."""

    TYPE: ClassVar[str] = "inventory.variable_set_deleted.v1"
    set_id: str

    @property
    def stream(self) -> str:
        return f"variable-set/{self.set_id}"


class _RelationshipRule(Fact):
    rule_id: str

    @property
    def stream(self) -> str:
        return f"relationship-rule/{self.rule_id}"


@fact
class RelationshipRuleSaved(_RelationshipRule):
    """A relationship rule was created or changed; the whole document. It is no longer suspended."""

    TYPE: ClassVar[str] = "inventory.relationship_rule_saved.v1"
    name: str
    description: str | None = None
    reference: str
    cel: str
    metadata: dict[str, str] = Field(default_factory=dict)
    created_at: datetime


@fact
class RelationshipRuleDeleted(_RelationshipRule):
    """A relationship rule and its relations are gone."""

    TYPE: ClassVar[str] = "inventory.relationship_rule_deleted.v1"


@fact
class RelationshipRuleSuspended(_RelationshipRule):
    """A relationship rule would relate, or compare, more than is allowed. Its relations are gone until it is saved again."""

    TYPE: ClassVar[str] = "inventory.relationship_rule_suspended.v1"
    reason: str


class Relation(NamedTuple):
    """One directed relation between two entities, each `resource/<id>`, `deployment/<id>` or `environment/<id>`."""

    from_entity: str
    to_entity: str


@fact
class RelationsChanged(_RelationshipRule):
    """The pairs of entities that a relationship rule relates changed. At most 1,000 in one fact.

    The deletion of an entity ends its relations by itself and is not told again here.
    """

    TYPE: ClassVar[str] = "inventory.relations_changed.v1"
    added: tuple[Relation, ...] = ()
    removed: tuple[Relation, ...] = ()


@fact
class MatchesChanged(Fact):
    """The resources that an environment's or a deployment's selector matches changed. At most 2,000 ids in one fact."""

    TYPE: ClassVar[str] = "inventory.matches_changed.v1"
    entity: Literal["deployment", "environment"]
    entity_id: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def stream(self) -> str:
        return f"{self.entity}/{self.entity_id}"
