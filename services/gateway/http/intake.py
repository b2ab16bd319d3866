"""What happens to every request before it is routed, and when it was answered: its body is read and parsed, its path is kept as it was
sent, and a line is logged."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.http.problem import Problem
from services.gateway.json_text import BadJson, dump, normal, parse

MAX_BODY_BYTES = 100 * 1024 * 1024
MAX_WEBHOOK_BYTES = 5 * 1024 * 1024
LARGE_BYTES = 256 * 1024
"""Bodies from here on are checked beside the loop, and kept as text alone: their values would take several times as much memory."""

_WEBHOOK = re.compile(r"/api/(?:(?:github|tfe)/webhook|argo/[^/]+/webhook|webhook/[^/]+)")
"""Where others send what they signed: byte for byte, whatever it is."""

access_log = logging.getLogger("signalbox.access")


def is_json(content_type: str) -> bool:
    """Whether a Content-Type header names JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


class Intake:
    """ASGI middleware. A malformed body is refused first of all, also on paths that do not exist."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        # Identifiers are one segment, percent-encoded, and may hold `/`: the router must see the path before it is decoded.
        raw = scope.get("raw_path") or scope["path"].encode()
        scope["path"] = raw.partition(b"?")[0].decode("latin-1")
        state = scope.setdefault("state", {})
        try:
            if _WEBHOOK.fullmatch(scope["path"]):
                body = state["raw"] = await _read(scope, receive, MAX_WEBHOOK_BYTES)
            else:
                body = await _read(scope, receive, MAX_BODY_BYTES)
                state["sent"], state["json"] = bool(body), await _parsed(scope, body)
            del body  # an answer may take a minute, and needs no more than its text
        except Problem as problem:
            await _refuse(problem, watch)
        else:
            await self.app(scope, receive, watch)
        finally:
            access_log.info(
                "request",
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "ms": round((time.perf_counter() - began) * 1000, 1),
                    "auth_id": state.get("auth_id", ""),
                },
            )


def header(scope: Scope, name: bytes) -> str | None:
    """A request header; None when it is absent."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return None


async def _read(scope: Scope, receive: Receive, most: int) -> bytes:
    told = header(scope, b"content-length")
    if told is not None and told.isascii() and told.isdigit() and (len(told) > 15 or int(told) > most):
        raise Problem(413, f"the body is larger than {most} bytes", "Payload Too Large")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(chunks)  # the client went away; nobody will read the answer
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise Problem(413, f"the body is larger than {most} bytes", "Payload Too Large")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _parsed(scope: Scope, body: bytes) -> tuple[Any, bytes] | None:
    """The body's value and its text, of a large one only the text; None when it is no JSON. Raises: Problem: it is malformed."""
    if not body or not is_json(header(scope, b"content-type") or ""):
        return None
    try:
        return parse(body) if len(body) < LARGE_BYTES else (None, await asyncio.to_thread(normal, body))
    except BadJson as error:
        raise Problem(400, f"the body is not valid JSON: {error}", "SyntaxError") from error


async def _refuse(problem: Problem, send: Send) -> None:
    body = dump(problem.body())
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    if problem.status != 413:
        headers.pop()
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
