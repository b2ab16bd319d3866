"""Whether the process lives, what it is, and whether it can serve. Needs no credential."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from libs.eventlog.port import LogUnavailable
from services.gateway.http.deps import Deps
from services.gateway.json_text import dump

_LOG_TIMEOUT_S = 2.0


def serve(app: FastAPI, deps: Deps) -> None:
    """Put the three endpoints under `/api`."""

    async def healthz(request: Request) -> Response:
        """The process lives."""
        return Response(dump({"status": "ok"}), media_type="application/json")

    async def version(request: Request) -> Response:
        """Which program this is."""
        return Response(dump({"api": deps.version, "workspaceEngine": deps.version}), media_type="application/json")

    async def readyz(request: Request) -> Response:
        """Whether the log can be read, keys are known and every service of this process is well."""
        try:
            async with asyncio.timeout(_LOG_TIMEOUT_S):
                await deps.log.heads()
            reachable = True
        except (LogUnavailable, TimeoutError):
            reachable = False
        ready = reachable and deps.system.loaded
        body = {
            "status": "ready" if ready else "waiting",
            "log": reachable,
            "keys": deps.system.loaded,
            "services": deps.health(),
        }
        return Response(dump(body), status_code=200 if ready else 503, media_type="application/json")

    for path, endpoint in (("/healthz", healthz), ("/version", version), ("/readyz", readyz)):
        app.add_api_route(
            "/api" + path, endpoint, methods=["GET"], response_model=None, operation_id=endpoint.__name__, tags=["health"]
        )
