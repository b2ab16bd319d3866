"""Workspaces and API keys."""

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


class Person(AnswerModel):
    """Somebody by name."""

    id: str
    name: str


class People(AnswerModel):
    """Members of a workspace and admins of the system, by name."""

    items: list[Person]


class ApiKey(AnswerModel):
    """A key of the caller. `prefix` is the part before the dot; the secret behind it is not known here. `expiresAt` may have passed."""

    id: str
    name: str
    prefix: str
    created_at: Timestamp
    expires_at: Timestamp = ""


class NewApiKey(ApiKey):
    """A key that was just made, with its secret; it is not told again."""

    api_key: str


class ApiKeyList(AnswerModel):
    """All keys of the caller, newest first."""

    api_keys: list[ApiKey]
    total: int
