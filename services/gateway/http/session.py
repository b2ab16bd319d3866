"""Signing in with an API key, for pages: `/api/session`. What a session is stands in `services.gateway.sessions`."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from contracts.documents import stamp
from contracts.shapes import Json
from services.gateway.access import Identity, key_of, name_of, visible
from services.gateway.http.browser import check_origin, check_page, clear_cookie, keep_alive, session_of, set_cookie
from services.gateway.http.deps import Deps
from services.gateway.http.intake import is_json
from services.gateway.http.operation import answer_of, patient
from services.gateway.http.problem import Problem, Unprocessable, finding
from services.gateway.json_text import dump
from services.gateway.sessions import ID_BYTES, Session, opened, renewed

TAG = "session"
_NOBODY = Problem(401, "Nobody is signed in here, or the session is over: sign in with an API key.", "UNAUTHORIZED")
_WRONG = "This is no API key that works here: a key has 16 hex digits, a dot and 64 hex digits. It may have been revoked or have expired."

Endpoint = Callable[[Request], Awaitable[Response]]


def shown(deps: Deps, who: Identity, session: Session) -> Json:
    """A session as pages know it: `{user, workspaces, csrfToken, expiresAt}`."""
    key = deps.system.state.keys.get(session.key_prefix)
    ends = session.expires_at if key is None or key.expires_at is None else min(session.expires_at, key.expires_at)
    workspaces = [{"id": one.id, "name": one.name, "slug": one.slug} for one in visible(deps.system.state, who)]
    return {
        "user": {"id": who.user_id, "name": name_of(deps.system.state, who), "isAdmin": who.is_admin},
        "workspaces": workspaces,
        "csrfToken": deps.signer.csrf(session),
        "expiresAt": stamp(ends),
    }


def serve(app: FastAPI, deps: Deps) -> None:
    """Put the endpoints under `/api`."""

    async def sign_in(request: Request) -> Response:
        """Open a session with an API key."""
        check_origin(request, deps)
        presented = _api_key(request)
        now, address = deps.clock(), request.client.host if request.client is not None else ""
        key = key_of(deps.system.state, presented, now)
        if key is None and (wait_s := deps.wrong_keys.wait_s(address, now)):
            # A right one is not kept waiting: behind one proxy everybody may have the same address.
            problem = Problem(429, f"too many wrong keys came from {address}: try again in {wait_s} s", "TOO_MANY_WRONG_KEYS")
            limited = answer_of(problem)
            limited.headers["Retry-After"] = str(wait_s)
            return limited
        if key is None:
            # One that has just been made is not turned away by a gateway that has not heard of it yet.
            await patient(deps.system.catch_up_with_log, deps.patience_s)
            key = key_of(deps.system.state, presented, now)
        if key is None:
            deps.wrong_keys.add(address, now)
            raise Problem(401, _WRONG, "UNAUTHORIZED")
        who = Identity(key.user_id, deps.system.state.users[key.user_id].is_admin)
        request.state.auth_id = who.auth_id
        session = opened(key.prefix, secrets.token_bytes(ID_BYTES), now)
        answer = _answer(shown(deps, who, session))
        set_cookie(request, deps, answer, session)
        return answer

    async def read_session(request: Request) -> Response:
        """Who is signed in."""
        found = await _signed_in(request, deps)
        request.state.session = found[1]
        now = deps.clock()
        answer = _answer(shown(deps, found[0], renewed(found[1], now) if found[1].is_due(now) else found[1]))
        keep_alive(request, deps, answer)
        return answer

    async def sign_out(request: Request) -> Response:
        """End the session."""
        found = session_of(request, deps)
        if found is not None:
            check_page(request, deps, found[1])
            deps.signed_out.add(found[1], deps.clock())
        answer = Response(status_code=204)
        clear_cookie(request, deps, answer)
        return answer

    for method, endpoint, described in (
        ("POST", sign_in, _SIGNING_IN),
        ("GET", read_session, _READING),
        ("DELETE", sign_out, _SIGNING_OUT),
    ):
        app.add_api_route(
            "/api/session",
            _guarded(endpoint),
            methods=[method],
            response_model=None,
            operation_id=endpoint.__name__,
            status_code=204 if method == "DELETE" else 200,
            summary=(endpoint.__doc__ or "").strip(),
            tags=[TAG],
            openapi_extra=described,
        )


async def _signed_in(request: Request, deps: Deps) -> tuple[Identity, Session]:
    found = session_of(request, deps)
    if found is None and not deps.system.loaded:
        await patient(deps.system.catch_up_with_log, deps.patience_s)
        found = session_of(request, deps)
    if found is None:
        raise _NOBODY
    request.state.auth_id = found[0].auth_id
    return found


def _guarded(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Problem as problem:
            return answer_of(problem)

    return guarded


def _api_key(request: Request) -> str:
    """The key in the body. Raises: Problem."""
    if not is_json(request.headers.get("content-type", "")):
        # A form of another page can not send JSON without asking us first.
        raise Problem(415, 'send JSON: {"apiKey": "…"}', "Unsupported Media Type")
    value: Any = (getattr(request.state, "json", None) or (None, b""))[0]
    if not isinstance(value, dict):
        raise Unprocessable([finding("/body", "must be object", "type")])
    if not isinstance(value.get("apiKey"), str):
        raise Unprocessable([finding("/body/apiKey", "must be string", "type")])
    return str(value["apiKey"]).strip()


def _answer(body: Json) -> Response:
    return Response(dump(body), media_type="application/json", headers={"Cache-Control": "no-store"})


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_TEXT: Json = {"type": "string"}
_SESSION = _object(
    user=_object(id=_TEXT, name=_TEXT, isAdmin={"type": "boolean"}),
    workspaces={"type": "array", "items": _object(id=_TEXT, name=_TEXT, slug=_TEXT)},
    csrfToken=_TEXT,
    expiresAt=_TEXT,
)
_OPEN: Json = {"description": "Signed in.", "content": {"application/json": {"schema": _SESSION}}}


def _refusals(*statuses: str) -> Json:
    return {status: {"$ref": "#/components/responses/Refused"} for status in statuses}


_SIGNING_IN: Json = {
    "security": [],
    "requestBody": {"required": True, "content": {"application/json": {"schema": _object(apiKey=_TEXT)}}},
    "responses": {"200": _OPEN, **_refusals("400", "401", "403", "415", "429", "503")},
}
_READING: Json = {"security": [{"Session": []}], "responses": {"200": _OPEN, **_refusals("401", "503")}}
_SIGNING_OUT: Json = {
    "security": [{"Session": []}],
    "responses": {"204": {"description": "Nobody is signed in any more."}, **_refusals("403")},
}
