"""What the gateway remembers of the system log: workspaces, users, roles and keys. A pure fold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from immutables import Map

from contracts.envelope import Recorded
from contracts.facts.gateway import (
    ApiKeyCreated,
    ApiKeyRevoked,
    RoleGranted,
    UserCreated,
    WorkspaceCreated,
    WorkspaceDeleted,
    WorkspaceUpdated,
)

READS: frozenset[str] = frozenset(
    one.TYPE
    for one in (ApiKeyCreated, ApiKeyRevoked, RoleGranted, UserCreated, WorkspaceCreated, WorkspaceDeleted, WorkspaceUpdated)
)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant. `slug` is unique among the workspaces that exist."""

    id: str
    name: str
    slug: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class User:
    """A person or a machine account. `is_admin` sees every workspace."""

    id: str
    name: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that authenticates until it is revoked or expires. Only the SHA-256 of its secret is known."""

    id: str
    user_id: str
    prefix: str
    secret_sha256: str
    expires_at: datetime | None
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SystemState:
    """The system log, folded.

    Attributes:
        workspaces: by id, without deleted ones.
        slugs: workspace id by slug.
        users: by id.
        members: workspace ids by user id.
        roles: by `user/workspace`, what the user may be called there.
        keys: by prefix, which is unique; revoked ones are gone.
        prefixes: prefix by key id.
    """

    workspaces: Map[str, Workspace] = field(default_factory=Map)
    slugs: Map[str, str] = field(default_factory=Map)
    users: Map[str, User] = field(default_factory=Map)
    members: Map[str, frozenset[str]] = field(default_factory=Map)
    keys: Map[str, ApiKey] = field(default_factory=Map)
    prefixes: Map[str, str] = field(default_factory=Map)
    roles: Map[str, frozenset[str]] = field(default_factory=Map)


def initial(workspace_id: str) -> SystemState:
    """The empty system log."""
    return SystemState()


def evolve(state: SystemState, recorded: Recorded) -> SystemState:
    """Fold one fact of the system log; total, never refuses."""
    match recorded.fact:
        case WorkspaceCreated() as fact:
            made = Workspace(id=fact.workspace_id, name=fact.name, slug=fact.slug, created_at=fact.created_at)
            return replace(state, workspaces=state.workspaces.set(made.id, made), slugs=state.slugs.set(made.slug, made.id))
        case WorkspaceUpdated() as fact:
            return _workspace_updated(state, fact)
        case WorkspaceDeleted() as fact:
            gone = state.workspaces.get(fact.workspace_id)
            if gone is None:
                return state
            return replace(state, workspaces=state.workspaces.delete(gone.id), slugs=state.slugs.delete(gone.slug))
        case UserCreated() as fact:
            user = User(id=fact.user_id, name=fact.name, is_admin=fact.system_role == "admin")
            return replace(state, users=state.users.set(user.id, user))
        case RoleGranted() as fact:
            joined = state.members.get(fact.user_id, frozenset()) | {fact.workspace_id}
            key_of = f"{fact.user_id}/{fact.workspace_id}"
            roles = state.roles.set(key_of, state.roles.get(key_of, frozenset()) | {fact.role})
            return replace(state, members=state.members.set(fact.user_id, joined), roles=roles)
        case ApiKeyCreated() as fact:
            key = ApiKey(
                id=fact.key_id,
                user_id=fact.user_id,
                prefix=fact.prefix,
                secret_sha256=fact.secret_sha256,
                expires_at=fact.expires_at,
                name=fact.name,
                created_at=fact.created_at,
            )
            return replace(state, keys=state.keys.set(key.prefix, key), prefixes=state.prefixes.set(key.id, key.prefix))
        case ApiKeyRevoked() as fact:
            prefix = state.prefixes.get(fact.key_id)
            if prefix is None:
                return state
            return replace(state, keys=state.keys.delete(prefix), prefixes=state.prefixes.delete(fact.key_id))
        case _:
            return state


def _workspace_updated(state: SystemState, fact: WorkspaceUpdated) -> SystemState:
    known = state.workspaces.get(fact.workspace_id)
    if known is None:
        return state
    changed = replace(known, name=fact.name, slug=fact.slug)
    slugs = state.slugs.delete(known.slug).set(changed.slug, changed.id)
    return replace(state, workspaces=state.workspaces.set(changed.id, changed), slugs=slugs)
