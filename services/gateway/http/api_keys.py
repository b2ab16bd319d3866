"""The caller's own API keys. A secret is told once, when its key is made; afterwards nobody knows it but its owner."""

from __future__ import annotations

import hashlib
import secrets

from contracts.commands.gateway import CreateApiKey, RevokeApiKey
from contracts.documents import stamp
from contracts.envelope import NIL_WORKSPACE
from contracts.shapes import Json
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound, Problem, Unprocessable, finding
from services.gateway.state import ApiKey

routes = Routes("api-keys")


def _shown(key: ApiKey) -> Json:
    ends = {"expiresAt": stamp(key.expires_at)} if key.expires_at is not None else {}
    return {"id": key.id, "name": key.name, "prefix": key.prefix, "createdAt": stamp(key.created_at), **ends}


def _new_key() -> tuple[str, str]:
    return secrets.token_hex(8), secrets.token_hex(32)


def _own(call: Call) -> list[ApiKey]:
    return [one for one in call.deps.system.state.keys.values() if one.user_id == call.who.user_id]


@routes.add("GET", "/api-keys", answers={200: answers.ApiKeyList}, workspace=False)
async def list_api_keys(call: Call) -> Reply:
    """The caller's keys, newest first, with those that have expired."""
    found = sorted(_own(call), key=lambda one: (one.created_at, one.id), reverse=True)
    return Reply(200, {"apiKeys": [_shown(one) for one in found], "total": len(found)})


@routes.add("POST", "/api-keys", answers={201: answers.NewApiKey}, body=bodies.CreateApiKeyBody, workspace=False)
async def create_api_key(call: Call) -> Reply:
    """Make a key for the caller. The answer is the only one that holds the secret."""
    body: bodies.CreateApiKeyBody = call.body
    if body.expires_at is not None and body.expires_at <= call.deps.clock():
        raise Unprocessable([finding("/body/expiresAt", "must lie in the future", "minimum")])
    # Made once for a request, which is tried again while the database is away.
    prefix, secret = call.request.state.new_key = getattr(call.request.state, "new_key", None) or _new_key()
    wish = CreateApiKey(
        user_id=call.who.user_id,
        name=body.name,
        key_prefix=prefix,
        key_secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
        expires_at=body.expires_at,
    )
    made = await call.ask(wish, NIL_WORKSPACE)
    key = call.deps.system.state.keys.get(prefix)
    if key is None:
        raise Problem(
            409,
            "A request with this Idempotency-Key made an API key already, and its secret is told only once. "
            f"When that answer was lost, revoke the key {made['id']} and make another.",
            "SECRET_TOLD",
        )
    return Reply(201, {**_shown(key), "apiKey": f"{prefix}.{secret}"})


@routes.add("DELETE", "/api-keys/{apiKeyId}", answers={204: None}, workspace=False)
async def revoke_api_key(call: Call) -> Reply:
    """Revoke one of the caller's keys; it and the sessions that were opened with it end at once."""
    key_id = call.id("apiKeyId", "API key")
    if all(one.id != key_id for one in _own(call)):
        raise NotFound("API key")
    await call.ask(RevokeApiKey(key_id=key_id), NIL_WORKSPACE)
    return Reply(204)
