"""What gateway can be asked about the system log: workspaces, users, keys."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from contracts.command import Wish, wish


class _Gateway(Wish):
    SERVICE: ClassVar[str] = "gateway"


@wish
class Bootstrap(_Gateway):
    """See to it that the workspace `default`, an admin and this API key exist; again changes nothing. Answers `{workspace_id}`."""

    NAME: ClassVar[str] = "bootstrap"
    key_prefix: str
    key_secret_sha256: str


@wish
class CreateWorkspace(_Gateway):
    """Create a workspace; its creator becomes admin of it. Answers `{id}`."""

    NAME: ClassVar[str] = "create_workspace"
    name: str
    slug: str
    user_id: str


@wish
class UpdateWorkspace(_Gateway):
    """Change name or slug; None leaves a field as it is. Answers `{id}`."""

    NAME: ClassVar[str] = "update_workspace"
    workspace_id: str
    name: str | None = None
    slug: str | None = None


@wish
class DeleteWorkspace(_Gateway):
    """Delete a workspace. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_workspace"
    workspace_id: str


@wish
class CreateApiKey(_Gateway):
    """Create an API key of a user. Only the hash of its secret is told. Answers `{id}`."""

    NAME: ClassVar[str] = "create_api_key"
    user_id: str
    name: str
    key_prefix: str
    key_secret_sha256: str
    expires_at: datetime | None = None


@wish
class RevokeApiKey(_Gateway):
    """Revoke an API key. Answers `{id}`."""

    NAME: ClassVar[str] = "revoke_api_key"
    key_id: str
