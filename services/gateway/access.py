"""Who is asking, and what they may see. Pure: the state of the system log and the time come in."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime

from services.gateway.sessions import Session, Signer, read
from services.gateway.state import ApiKey, SystemState, User, Workspace

_KEY = re.compile(r"([0-9a-f]{16})\.([0-9a-f]{64})")
_NO_DIGEST = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks."""

    user_id: str
    is_admin: bool

    @property
    def auth_id(self) -> str:
        """The name under which what they do is recorded."""
        return f"user:{self.user_id}"


def credential(api_key: str | None, authorization: str | None) -> str | None:
    """The credential that a request carries; None when it carries none at all. A header that is no bearer gives ''."""
    if api_key is not None:
        return api_key.strip()
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def identify(state: SystemState, presented: str, now: datetime) -> Identity | None:
    """The owner of a key; None when it is malformed, unknown, wrong, expired, or its user is gone.

    The digest of the secret is compared in constant time, with an unknown prefix too.
    """
    key = key_of(state, presented, now)
    return _owner(state, key) if key is not None else None


def key_of(state: SystemState, presented: str, now: datetime) -> ApiKey | None:
    """The key that was presented; None as `identify`."""
    match = _KEY.fullmatch(presented)
    if match is None:
        return None
    key = state.keys.get(match[1])
    digest = hashlib.sha256(match[2].encode()).hexdigest()
    holds = hmac.compare_digest(digest, key.secret_sha256 if key is not None else _NO_DIGEST)
    if key is None or not holds or _is_over(key, now) or key.user_id not in state.users:
        return None
    return key


def identify_session(state: SystemState, signer: Signer, token: str, now: datetime) -> tuple[Identity, Session] | None:
    """Whose session a cookie's token is; None when it is malformed, not signed by us, over, or its key is gone or over."""
    claimed = read(token)
    if claimed is None:
        return None
    session, signature = claimed
    key = state.keys.get(session.key_prefix)
    if not signer.genuine(session, signature, key) or key is None or session.is_over(now) or _is_over(key, now):
        return None
    who = _owner(state, key)
    return (who, session) if who is not None else None


def _is_over(key: ApiKey, now: datetime) -> bool:
    return key.expires_at is not None and key.expires_at <= now


def _owner(state: SystemState, key: ApiKey) -> Identity | None:
    user = state.users.get(key.user_id)
    return Identity(user.id, user.is_admin) if user is not None else None


def may_see(state: SystemState, who: Identity, workspace_id: str) -> bool:
    """Whether a workspace exists for this identity; no access looks like absence."""
    if workspace_id not in state.workspaces:
        return False
    return who.is_admin or workspace_id in state.members.get(who.user_id, frozenset())


def may_write(state: SystemState, who: Identity, workspace_id: str) -> bool:
    """Whether this identity may change what is in a workspace, and so read back what was sent there in confidence.

    Whoever sees a workspace may write in it; a role that only reads would be told apart here.
    """
    return may_see(state, who, workspace_id)


def visible(state: SystemState, who: Identity) -> list[Workspace]:
    """The workspaces that exist for this identity, oldest first."""
    seen = (one for one in state.workspaces.values() if may_see(state, who, one.id))
    return sorted(seen, key=lambda one: (one.created_at, one.id))


def roles_of(state: SystemState, who: Identity, workspace_id: str) -> tuple[str, ...]:
    """What an identity is in a workspace, sorted; an admin of the system is an admin everywhere."""
    granted = state.roles.get(f"{who.user_id}/{workspace_id}", frozenset())
    return tuple(sorted(granted | {"admin"} if who.is_admin else granted))


def people_of(state: SystemState, workspace_id: str) -> list[User]:
    """Everybody who can be named by a fact of a workspace, by name: its members, and the admins of the system, who are members everywhere.

    Nothing ends a membership or takes a user away, so that nobody is missing who ever did something there.
    """
    found = (one for one in state.users.values() if one.is_admin or workspace_id in state.members.get(one.id, frozenset()))
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


def name_of(state: SystemState, who: Identity) -> str:
    """How to call an identity; empty when it is not known."""
    user = state.users.get(who.user_id)
    return user.name if user is not None else ""
