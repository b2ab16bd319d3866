"""How an endpoint is declared, and the one pipeline that every request goes through before its handler: form, credential, workspace."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import orjson
from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.responses import Response

from contracts.command import Refused
from contracts.envelope import NIL_WORKSPACE
from libs.eventlog.port import LogUnavailable
from libs.secrets.keys import KeysUnavailable
from services.gateway.access import Identity, may_see
from services.gateway.http.bodies import NoQuery
from services.gateway.http.browser import check_page, cookie_of, keep_alive, presented_by, who_asks
from services.gateway.http.call import Call, Reply, command_id_of, is_named
from services.gateway.http.deps import Deps
from services.gateway.http.intake import is_json
from services.gateway.http.moments import POSITION_HEADER, as_of, shows_at_least, told_of_writes, with_at
from services.gateway.http.problem import NotFound, Problem, Unprocessable, finding, of_refusal, unavailable
from services.gateway.http.validation import Large, body_of, canonical_uuid, decoded_segment, large_body_of, query_of
from services.gateway.json_text import dump
from services.gateway.masking import masked
from services.gateway.store import StoreUnavailable

T = TypeVar("T")
Handler = Callable[[Call], Awaitable[Reply | Response]]

_RETRY_S = 0.1

log_ = logging.getLogger("signalbox.http")


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint.

    Attributes:
        name: unique among all endpoints.
        answers: the JSON of each success status, None for no body.
        body: the declared body, None when the operation takes none (one that is sent is passed over).
        workspace: whether it lives inside a workspace.
        large: how a large body is checked; None for as any other.
        past: whether it can be asked as of the past (`at`).
    """

    name: str
    method: str
    path: str
    handler: Handler
    answers: dict[int, type[BaseModel] | None]
    body: type[BaseModel] | None
    query: type[BaseModel]
    workspace: bool
    large: Large | None = None
    past: bool = False


class Routes:
    """Collects the endpoints of one noun."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.operations: list[Operation] = []

    def add(
        self,
        method: str,
        path: str,
        *,
        name: str | None = None,
        answers: dict[int, type[BaseModel] | None],
        body: type[BaseModel] | None = None,
        query: type[BaseModel] = NoQuery,
        workspace: bool = True,
        large: Large | None = None,
        past: bool | None = None,
    ) -> Callable[[Handler], Handler]:
        """Declare an endpoint under `/v1/workspaces/{workspaceId}`, or under `/v1` when it is above workspaces.

        Args:
            name: that of the handler, unless it serves several.
            past: whether it can be asked as of the past; what is got from a workspace can, unless it says otherwise.
        """
        looks_back = past if past is not None else method == "GET" and workspace

        def register(handler: Handler) -> Handler:
            root = "/v1/workspaces/{workspaceId}" if workspace else "/v1"
            told = name or handler.__name__
            asked = with_at(query) if looks_back else query
            self.operations.append(
                Operation(told, method, root + path, handler, answers, body, asked, workspace, large, looks_back)
            )
            return handler

        return register

    def serve(self, app: FastAPI, deps: Deps) -> None:
        """Put the endpoints under `/api`, bound to what they work with. They describe themselves in `openapi`."""
        for operation in self.operations:
            app.add_api_route(
                "/api" + operation.path,
                _endpoint(operation, deps),
                methods=[operation.method],
                operation_id=operation.name,
                response_model=None,
                tags=[self.tag],
            )


def _endpoint(operation: Operation, deps: Deps) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            call = await _checked(operation, deps, request)
            answer = await answered(call)
            if call.as_of is not None:
                answer.headers[POSITION_HEADER] = str(call.as_of.position)
            return answer
        except Problem as problem:
            return answer_of(problem)
        except Exception:
            log_.exception("a request failed", extra={"operation": operation.name})
            return answer_of(Problem(500, "Internal server error", "INTERNAL_ERROR"))

    async def answered(call: Call) -> Response:
        try:
            reply = await patient(partial(operation.handler, call), deps.patience_s)
            answer = reply.response() if isinstance(reply, Reply) else reply
            keep_alive(call.request, deps, answer)
            return answer
        except Problem as problem:
            return answer_of(problem)
        except Refused as refused:
            return answer_of(of_refusal(refused.refusal))

    return endpoint


def answer_of(problem: Problem) -> Response:
    """A problem as HTTP."""
    return Response(
        masked(dump(problem.body())), status_code=problem.status, headers=problem.headers(), media_type="application/json"
    )


async def patient(attempt: Callable[[], Awaitable[T]], patience_s: float) -> T:
    """Try again and again while the database is away. What is tried keeps its command ids, so repeating is harmless."""
    end = asyncio.get_running_loop().time() + patience_s
    while True:
        try:
            return await attempt()
        except (LogUnavailable, StoreUnavailable, KeysUnavailable) as error:
            if asyncio.get_running_loop().time() >= end:
                raise unavailable("the database can not be reached now; send the same request again") from error
        await asyncio.sleep(_RETRY_S)


async def _checked(operation: Operation, deps: Deps, request: Request) -> Call:
    """The request, after every check, in the order that clients know. Raises: Problem."""
    if presented_by(request) is None and cookie_of(request) is None:
        detail = finding("/headers/x-api-key", "must have required property 'x-api-key'", "required")
        raise Problem(401, "'X-API-Key' header required", "Unauthorized", [detail])
    fingerprint = await _fingerprint(request) if operation.body is not None else ""
    workspace_id, query, body = await _form(operation, request)
    who = await _admitted(operation, deps, request, workspace_id)
    request.state.auth_id = who.auth_id
    path = _decoded_path(request)
    past = await patient(partial(as_of, deps.log, workspace_id, query, deps.clock()), deps.patience_s)
    if operation.past and past is None:
        await patient(partial(shows_at_least, deps, workspace_id, request), deps.patience_s)
    return Call(deps, request, who, workspace_id, path, query, body, _command_id(request, who), fingerprint, past)


async def _fingerprint(request: Request) -> str:
    """What tells the body from others; empty where no key names the request."""
    if not is_named(request.headers.get("idempotency-key")):
        return ""
    value, text = getattr(request.state, "json", None) or ({}, b"{}")
    if value is None:
        return (await asyncio.to_thread(hashlib.sha256, text)).hexdigest()
    # However its properties are ordered, it is the same.
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def _admitted(operation: Operation, deps: Deps, request: Request, workspace_id: str) -> Identity:
    """Who asks, when it may. Raises: Problem."""
    who = _who(deps, request)
    if who is None or (operation.workspace and not may_see(deps.system.state, who, workspace_id)):
        # A gateway that has just started, or where others write the log, does not turn away what it has not heard of yet.
        await patient(deps.system.catch_up_with_log, deps.patience_s)
        who = _who(deps, request)
    if who is None:
        raise Problem(401, "Authentication required", "UNAUTHORIZED")
    if operation.workspace and not may_see(deps.system.state, who, workspace_id):
        raise NotFound("Workspace")
    return who


def _who(deps: Deps, request: Request) -> Identity | None:
    """The owner of the key, or whoever signed in. Raises: Problem (403): the cookie is there, but another page may have sent it."""
    found = who_asks(request, deps)
    if found is None:
        return None
    who, session = found
    if session is not None:
        check_page(request, deps, session)
        request.state.session = session
    return who


async def _form(operation: Operation, request: Request) -> tuple[str, BaseModel | None, BaseModel | None]:
    state = request.state
    bodiless = not state.sent and getattr(operation.body, "MAY_BE_ABSENT", False)
    if operation.body is not None and not bodiless and not is_json(request.headers.get("content-type", "")):
        told = request.headers.get("content-type") or "none"
        raise Problem(415, f"unsupported media type {told}", "Unsupported Media Type")
    problems = []
    workspace_id = NIL_WORKSPACE
    if "workspaceId" in request.path_params:
        canonical = canonical_uuid(request.path_params["workspaceId"])
        if canonical is None:
            problems.append(finding("/params/workspaceId", 'must match format "uuid"', "format"))
        else:
            workspace_id = canonical
    query, found = query_of(request.scope.get("query_string", b""), operation.query)
    problems += found if operation.past else map(told_of_writes, found)
    body: BaseModel | None = None
    if operation.body is not None:
        parsed: tuple[Any, bytes] | None = ({}, b"{}") if bodiless else getattr(state, "json", None)
        if parsed is None:
            problems.append(finding("/body", "must have a request body", "required"))
        else:
            value, text = parsed
            if value is None:
                # A large one, whose check would keep everything else in this process waiting.
                body, found = await asyncio.to_thread(large_body_of, text, operation.body, operation.large)
            else:
                body, found = body_of(value, text, operation.body)
            state.json = None  # an answer may take a minute, and needs no more than the body
            problems += found
    if problems:
        raise Unprocessable(problems)
    return workspace_id, query, body


def _decoded_path(request: Request) -> dict[str, str]:
    decoded: dict[str, str] = {}
    for name, segment in request.path_params.items():
        plain = decoded_segment(segment)
        if plain is None:
            raise NotFound("Path")
        decoded[name] = plain
    return decoded


def _command_id(request: Request, who: Identity) -> str:
    key = request.headers.get("idempotency-key")
    return command_id_of(key, new_id(), who, request.method, request.scope["path"])


def new_id() -> str:
    """A UUIDv7: unique, and ascending in time, so that indexes over commands grow at one end."""
    bits = int(time.time() * 1000) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(UUID(int=bits))
