"""Facts that only gateway appends, into the system log: who may ask. `WorkspaceOpened` is the first fact of a workspace's own log."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from contracts.fact import Fact, fact


@fact
class WorkspaceCreated(Fact):
    """A workspace was created."""

    TYPE: ClassVar[str] = "gateway.workspace_created.v1"
    workspace_id: str
    name: str
    slug: str
    created_at: datetime

    @property
    def stream(self) -> str:
        return f"workspace/{self.workspace_id}"


@fact
class WorkspaceUpdated(Fact):
    """A workspace got another name or slug."""

    TYPE: ClassVar[str] = "gateway.workspace_updated.v1"
    workspace_id: str
    name: str
    slug: str

    @property
    def stream(self) -> str:
        return f"workspace/{self.workspace_id}"


@fact
class WorkspaceDeleted(Fact):
    """A workspace is gone; its log stays, nobody may read it."""

    TYPE: ClassVar[str] = "gateway.workspace_deleted.v1"
    workspace_id: str

    @property
    def stream(self) -> str:
        return f"workspace/{self.workspace_id}"


@fact
class UserCreated(Fact):
    """A user was created. A system role of `admin` sees all workspaces."""

    TYPE: ClassVar[str] = "gateway.user_created.v1"
    user_id: str
    name: str
    system_role: Literal["admin", "user"] = "user"
    created_at: datetime

    @property
    def stream(self) -> str:
        return f"user/{self.user_id}"


@fact
class RoleGranted(Fact):
    """A user got a role in a workspace."""

    TYPE: ClassVar[str] = "gateway.role_granted.v1"
    user_id: str
    workspace_id: str
    role: Literal["admin", "member"]
    granted_at: datetime

    @property
    def stream(self) -> str:
        return f"user/{self.user_id}"


@fact
class ApiKeyCreated(Fact):
    """An API key was created. The log holds its prefix and the SHA-256 of its secret, never the secret."""

    TYPE: ClassVar[str] = "gateway.api_key_created.v1"
    key_id: str
    user_id: str
    name: str
    prefix: str
    secret_sha256: str
    created_at: datetime
    expires_at: datetime | None = None

    @property
    def stream(self) -> str:
        return f"key/{self.key_id}"


@fact
class ApiKeyRevoked(Fact):
    """An API key no longer authenticates."""

    TYPE: ClassVar[str] = "gateway.api_key_revoked.v1"
    key_id: str
    revoked_at: datetime

    @property
    def stream(self) -> str:
        return f"key/{self.key_id}"
