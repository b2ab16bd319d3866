"""What inventory can be asked."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from contracts.command import Wish, wish
from contracts.shapes import Json


class _Inventory(Wish):
    SERVICE: ClassVar[str] = "inventory"


@wish
class SaveProvider(_Inventory):
    """Create a provider, or find it by name. Answers `{id}`."""

    NAME: ClassVar[str] = "save_provider"
    name: str
    metadata: dict[str, str] = Field(default_factory=dict)


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
    """Create or replace one resource by its identifier. Answers `{id}`."""

    NAME: ClassVar[str] = "save_resource"
    resource: ResourceInput


@wish
class DeleteResource(_Inventory):
    """Delete one resource by its identifier. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_resource"
    identifier: str
