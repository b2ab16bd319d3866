"""Resources and their variables, providers, variable sets, relationship rules."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from contracts.shapes import Json
from services.gateway.http.answers.form import AnswerModel, Timestamp


class Resource(AnswerModel):
    """Something that can be deployed to."""

    id: str
    workspace_id: str
    identifier: str
    name: str
    kind: str
    version: str
    config: Json
    metadata: dict[str, str]
    provider_id: str = ""
    created_at: Timestamp
    updated_at: Timestamp


class ResourceList(AnswerModel):
    """All resources of a provider."""

    items: list[Resource]
    total: int
    limit: int
    offset: int


class Provider(AnswerModel):
    """Who tells of resources."""

    id: str
    workspace_id: str
    name: str
    metadata: dict[str, str]
    created_at: Timestamp


class SetAccepted(AnswerModel):
    """A provider's resources were set; the counts are additive."""

    ok: bool
    method: str
    saved: int = 0
    deleted: int = 0
    skipped: int = 0


class ResourceVariable(AnswerModel):
    """A variable of a resource."""

    resource_id: str
    key: str
    value: Any


class VariableSet(AnswerModel):
    """Variables for the targets that a selector picks."""

    id: str
    workspace_id: str
    name: str
    description: str
    selector: str
    priority: int
    metadata: dict[str, str]
    created_at: Timestamp
    updated_at: Timestamp


class VariableSetVariable(AnswerModel):
    """One variable of a set."""

    id: str
    variable_set_id: str
    key: str
    value: Any


class VariableSetWithVariables(VariableSet):
    """A variable set with its variables, in the client's order."""

    variables: list[VariableSetVariable]


class RelationshipRule(AnswerModel):
    """Which entities are related to which; `suspended` says why it relates none at the moment."""

    id: str
    workspace_id: str
    name: str
    description: str = ""
    reference: str
    cel: str
    metadata: dict[str, str]
    suspended: str = ""


class RelatedEntity(AnswerModel):
    """One end of a relation."""

    type: Literal["resource", "deployment", "environment"]
    id: str


class Relation(AnswerModel):
    """A pair that a rule relates."""

    from_: RelatedEntity = Field(alias="from")
    to: RelatedEntity


class Relations(AnswerModel):
    """A part of what a rule relates."""

    items: list[Relation]
    total: int
    limit: int
    offset: int
    suspended: str = ""


class ResourceThen(Resource):
    """What a resource was like; `position` is where in the log it became so, absent where that was not kept yet."""

    position: int | None = None


class FacetValue(AnswerModel):
    """A value, and how many resources have it."""

    value: str
    count: int


class FacetProvider(AnswerModel):
    """A provider, and how many resources it told of."""

    id: str
    name: str
    count: int


class FacetKey(AnswerModel):
    """A metadata key with its most frequent values; `more` says that there are others."""

    key: str
    count: int
    values: list[FacetValue]
    more: bool


class ResourceFacets(AnswerModel):
    """What resources can be filtered by, the most frequent first; `paths` are those that their configurations have."""

    total: int
    kinds: list[FacetValue]
    versions: list[FacetValue]
    providers: list[FacetProvider]
    metadata: list[FacetKey]
    paths: list[str]


class RelatingRule(AnswerModel):
    """The rule that relates."""

    id: str
    name: str
    reference: str


class NamedEntity(AnswerModel):
    """One end of a relation, as people call it."""

    type: Literal["resource", "deployment", "environment"]
    id: str
    name: str
    identifier: str = ""
    kind: str = ""


class ResourceRelation(AnswerModel):
    """What a resource is related to; `direction` is `to` where the resource refers to it."""

    direction: Literal["to", "from"]
    rule: RelatingRule
    entity: NamedEntity
