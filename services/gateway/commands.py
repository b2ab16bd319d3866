"""What may be asked of the system log: wishes about workspaces, users and keys → facts or `Refused`. Pure."""

from __future__ import annotations

import re
from uuid import UUID, uuid5

from contracts.command import Asked, Refused
from contracts.commands.gateway import (
    Bootstrap,
    CreateApiKey,
    CreateWorkspace,
    DeleteWorkspace,
    RevokeApiKey,
    UpdateWorkspace,
)
from contracts.facts.gateway import (
    ApiKeyCreated,
    ApiKeyRevoked,
    RoleGranted,
    UserCreated,
    WorkspaceCreated,
    WorkspaceDeleted,
    WorkspaceUpdated,
)
from libs.runtime.service import Command, Decided, Draft
from services.gateway.state import SystemState, Workspace

SLUG = re.compile(r"[a-z0-9-]{3,50}")
PREFIX = re.compile(r"[0-9a-f]{16}")
DIGEST = re.compile(r"[0-9a-f]{64}")
DEFAULT_SLUG = "default"


def _made(asked: Asked, what: str) -> str:
    """An id that follows from the command, so that the same command makes the same things."""
    return str(uuid5(UUID(asked.id), what))


def _check_name(name: str) -> None:
    if not 3 <= len(name) <= 30:
        raise Refused("invalid", f"a workspace name has 3 to 30 characters, this one has {len(name)}")


def _check_slug(slug: str, state: SystemState, own_id: str = "") -> None:
    if SLUG.fullmatch(slug) is None:
        raise Refused("invalid", "a slug has 3 to 50 characters out of a-z, 0-9 and '-'", code="INVALID_SLUG")
    holder = state.slugs.get(slug)
    if holder is not None and holder != own_id:
        raise Refused("conflict", f"the slug {slug!r} is taken by another workspace", code="DUPLICATE_SLUG")


def _workspace(state: SystemState, workspace_id: str) -> Workspace:
    found = state.workspaces.get(workspace_id)
    if found is None:
        raise Refused("not_found", "Workspace not found", code="NOT_FOUND")
    return found


def _check_key(prefix: str, secret_sha256: str) -> None:
    if PREFIX.fullmatch(prefix) is None or DIGEST.fullmatch(secret_sha256) is None:
        raise Refused("invalid", "a key is told by a prefix of 16 and a SHA-256 of 64 lower-case hex digits")


def bootstrap(wish: Bootstrap, state: SystemState, asked: Asked) -> Decided:
    """See to it that a first workspace, an admin and the key exist; what exists is left alone.

    Raises: Refused: `invalid` for a malformed key, `conflict` when the prefix belongs to another secret.
    """
    _check_key(wish.key_prefix, wish.key_secret_sha256)
    known = state.keys.get(wish.key_prefix)
    if known is not None and known.secret_sha256 != wish.key_secret_sha256:
        raise Refused("conflict", f"the key prefix {wish.key_prefix} belongs to another secret")
    drafts: list[Draft] = []
    workspace_id = state.slugs.get(DEFAULT_SLUG)
    if workspace_id is None:
        workspace_id = _made(asked, "workspace")
        opened = WorkspaceCreated(workspace_id=workspace_id, name="Default", slug=DEFAULT_SLUG, created_at=asked.now)
        drafts.append(Draft(opened))
    if known is None:
        admins = sorted(user.id for user in state.users.values() if user.is_admin)
        user_id = admins[0] if admins else _made(asked, "user")
        if not admins:
            drafts.append(Draft(UserCreated(user_id=user_id, name="admin", system_role="admin", created_at=asked.now)))
        drafts.append(
            Draft(
                ApiKeyCreated(
                    key_id=_made(asked, "key"),
                    user_id=user_id,
                    name="bootstrap",
                    prefix=wish.key_prefix,
                    secret_sha256=wish.key_secret_sha256,
                    created_at=asked.now,
                )
            )
        )
    else:
        user_id = known.user_id
    if workspace_id not in state.members.get(user_id, frozenset()):
        drafts.append(Draft(RoleGranted(user_id=user_id, workspace_id=workspace_id, role="admin", granted_at=asked.now)))
    return Decided(tuple(drafts), {"workspace_id": workspace_id})


def create_workspace(wish: CreateWorkspace, state: SystemState, asked: Asked) -> Decided:
    """Create a workspace with its creator as admin. Raises: Refused: `invalid`, `not_found` (user), `DUPLICATE_SLUG`."""
    _check_name(wish.name)
    _check_slug(wish.slug, state)
    if wish.user_id not in state.users:
        raise Refused("not_found", f"there is no user {wish.user_id}")
    made = _made(asked, "workspace")
    created = WorkspaceCreated(workspace_id=made, name=wish.name, slug=wish.slug, created_at=asked.now)
    granted = RoleGranted(user_id=wish.user_id, workspace_id=made, role="admin", granted_at=asked.now)
    return Decided((Draft(created), Draft(granted)), {"id": made})


def update_workspace(wish: UpdateWorkspace, state: SystemState, asked: Asked) -> Decided:
    """Change name or slug; nothing is recorded when nothing changes. Raises: Refused."""
    known = _workspace(state, wish.workspace_id)
    name = known.name if wish.name is None else wish.name
    slug = known.slug if wish.slug is None else wish.slug
    _check_name(name)
    _check_slug(slug, state, own_id=known.id)
    if (name, slug) == (known.name, known.slug):
        return Decided((), {"id": known.id})
    return Decided((Draft(WorkspaceUpdated(workspace_id=known.id, name=name, slug=slug)),), {"id": known.id})


def delete_workspace(wish: DeleteWorkspace, state: SystemState, asked: Asked) -> Decided:
    """Delete a workspace; its log stays, out of reach. Raises: Refused: `not_found`."""
    known = _workspace(state, wish.workspace_id)
    return Decided((Draft(WorkspaceDeleted(workspace_id=known.id)),), {"id": known.id})


def create_api_key(wish: CreateApiKey, state: SystemState, asked: Asked) -> Decided:
    """Create a key for a user. Raises: Refused: `invalid`, `not_found` (user), `conflict` (prefix taken)."""
    _check_key(wish.key_prefix, wish.key_secret_sha256)
    if wish.user_id not in state.users:
        raise Refused("not_found", f"there is no user {wish.user_id}")
    if wish.key_prefix in state.keys:
        raise Refused("conflict", f"the key prefix {wish.key_prefix} is taken")
    made = ApiKeyCreated(
        key_id=_made(asked, "key"),
        user_id=wish.user_id,
        name=wish.name,
        prefix=wish.key_prefix,
        secret_sha256=wish.key_secret_sha256,
        created_at=asked.now,
        expires_at=wish.expires_at,
    )
    return Decided((Draft(made),), {"id": made.key_id})


def revoke_api_key(wish: RevokeApiKey, state: SystemState, asked: Asked) -> Decided:
    """Revoke a key. Raises: Refused: `not_found`."""
    if wish.key_id not in state.prefixes:
        raise Refused("not_found", f"there is no API key {wish.key_id}")
    return Decided((Draft(ApiKeyRevoked(key_id=wish.key_id, revoked_at=asked.now)),), {"id": wish.key_id})


COMMANDS = {
    command.wish.NAME: command
    for command in (
        Command(Bootstrap, bootstrap),
        Command(CreateWorkspace, create_workspace),
        Command(UpdateWorkspace, update_workspace),
        Command(DeleteWorkspace, delete_workspace),
        Command(CreateApiKey, create_api_key),
        Command(RevokeApiKey, revoke_api_key),
    )
}
"""The commands of the system log, by name."""
