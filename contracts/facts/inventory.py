"""Facts that only inventory appends: what exists, and what matches whom."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

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
