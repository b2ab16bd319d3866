"""Workspaces."""

from __future__ import annotations

from pydantic import Field

from services.gateway.http.bodies.form import Body


class CreateWorkspace(Body):
    """A new workspace."""

    name: str = Field(min_length=3, max_length=30)
    slug: str = Field(min_length=3, max_length=50, pattern=r"^[a-z0-9-]+$")


class UpdateWorkspace(Body):
    """Changes of a workspace."""

    name: str | None = Field(None, min_length=3, max_length=30)
    slug: str | None = Field(None, min_length=3, max_length=50, pattern=r"^[a-z0-9-]+$")
