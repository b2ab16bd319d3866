"""Workspaces."""

from __future__ import annotations

from services.gateway.http.answers.form import AnswerModel, Timestamp


class Workspace(AnswerModel):
    """A tenant."""

    id: str
    name: str
    slug: str
    created_at: Timestamp


class WorkspaceList(AnswerModel):
    """All workspaces that the caller may see."""

    workspaces: list[Workspace]
    total: int
