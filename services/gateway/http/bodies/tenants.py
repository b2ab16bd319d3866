"""Workspaces and API keys."""

from __future__ import annotations

from pydantic import Field

from services.gateway.http.bodies.form import Body, Instant


class CreateWorkspace(Body):
    """A new workspace."""

    name: str = Field(min_length=3, max_length=30)
    slug: str = Field(min_length=3, max_length=50, pattern=r"^[a-z0-9-]+$")


class UpdateWorkspace(Body):
    """Changes of a workspace."""

    name: str | None = Field(None, min_length=3, max_length=30)
    slug: str | None = Field(None, min_length=3, max_length=50, pattern=r"^[a-z0-9-]+$")


class CreateApiKeyBody(Body):
    """A new API key of the caller; without `expiresAt` it is good until it is revoked."""

    name: str = Field(min_length=1, max_length=100)
    expires_at: Instant | None = None
