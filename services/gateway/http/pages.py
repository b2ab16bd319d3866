"""The dashboard at `/`: its files, and for every other page that a browser asks for one and the same page, with what it shows first in it.

The page runs nothing but its own files: a strict Content-Security-Policy forbids the rest. What it is to show first is in a block of JSON,
so that it needs no further request before it paints; the block is data, which no browser runs.
"""

from __future__ import annotations

import gzip
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.shapes import Json
from libs.eventlog.port import LogUnavailable
from services.gateway.access import Identity, may_see
from services.gateway.http.browser import cookie_of, keep_alive, session_of
from services.gateway.http.deps import Deps
from services.gateway.http.files import ASSETS, Folder, codings_of, tag_of
from services.gateway.http.problem import Problem
from services.gateway.http.session import shown
from services.gateway.json_text import dump
from services.gateway.state import Workspace

THEME_COOKIE: Final = "signalbox_theme"
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""What a page may do. Its workers are held to what comes with their own files, which therefore have it too."""
_ALWAYS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_BOOT: Final = re.compile(r'(<script type="application/json" id="boot">)[^<]*(</script>)')
_THEME: Final = re.compile(r'(<html\b[^>]*?\bdata-theme=")[^"]*(")')
_WORKSPACE: Final = re.compile(r"/w/([^/]+)(/.*)?")
_END_OF_HEAD: Final = "</head>"
_GZIP_FROM: Final = 1024
_NOT_MADE: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Signalbox</title></head>
<body>
<h1>The dashboard was not built</h1>
<p>The API answers at <code>/api</code>. To make the dashboard, run this in the checkout and load the page again:</p>
<pre>.venv/bin/python -m infra.ui</pre>
<p><code>infra/dev up</code> does the same at its start. It needs the package indexes of Python and of npm.</p>
</body>
</html>
"""

FirstShown = Callable[[Deps, str], Awaitable[Json]]
"""What a workspace's first page shows, `{position, …}`, by the id of the workspace. Raises: Problem, LogUnavailable."""

log_ = logging.getLogger("signalbox.http")


class Pages:
    """ASGI middleware: answers what is no question to the API; the rest goes on.

    Args:
        first: what the first page of a workspace shows; None for nothing, so that the page asks.
    """

    def __init__(self, app: ASGIApp, deps: Deps, folder: Folder | None = None, first: FirstShown | None = None) -> None:
        self._app = app
        self._deps = deps
        self._folder = folder or Folder()
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and not _is_api(scope["path"]):
            answer = await self._answer(Request(scope, receive))
            if answer is not None:
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        """What is served there; None for what no page is and nobody takes for one."""
        path = request.scope["path"]
        files = self._folder.files()
        found = files.at(path)
        if found is not None:
            coding, content = found.best(request.headers.get("accept-encoding", ""))
            kept = _FOR_EVER if path.startswith(ASSETS) else _ASK_AGAIN
            headers = {"ETag": found.tag, "Cache-Control": kept, "Vary": "Accept-Encoding"}
            return _response(request, content, found.media_type, headers, coding)
        if path.startswith(ASSETS):
            # Never the page in the place of a script that an older page still asks for.
            return Response(
                "There is no such file; load the page again.\n",
                404,
                {**_ALWAYS, "Cache-Control": "no-store"},
                "text/plain; charset=utf-8",
            )
        if not _takes_html(request):
            return None
        if files.index is None:
            return Response(_NOT_MADE, 503, {**_ALWAYS, "Cache-Control": "no-store"}, "text/html; charset=utf-8")
        # As it was sent: an escaped slash is part of a name, no end of one.
        links = files.head(request.scope.get("raw_path", path.encode()).decode("ascii", "replace"))
        return await self._page(request, files.index.replace(_END_OF_HEAD, f"{links}{_END_OF_HEAD}", 1))

    async def _page(self, request: Request, index: str) -> Response:
        boot = dump(await self._boot(request)).decode()
        text = _BOOT.sub(lambda found: f"{found[1]}{as_data(boot)}{found[2]}", index, count=1)
        theme = request.cookies.get(THEME_COOKIE, "")
        if theme in ("light", "dark"):
            text = _THEME.sub(lambda found: f"{found[1]}{theme}{found[2]}", text, count=1)
        content, coding = text.encode(), "identity"
        headers = {"ETag": tag_of(content), "Cache-Control": f"private, {_ASK_AGAIN}", "Vary": "Accept-Encoding, Cookie"}
        if len(content) >= _GZIP_FROM and "gzip" in codings_of(request.headers.get("accept-encoding", "")):
            content, coding = gzip.compress(content, 5, mtime=0), "gzip"
        answer = _response(request, content, "text/html; charset=utf-8", headers, coding)
        keep_alive(request, self._deps, answer)
        return answer

    async def _boot(self, request: Request) -> Json | None:
        """What the page shows first: `{version, session, workspace, position, board}`, each null where there is none.

        None as a whole when nothing can be told now, so that the page has to ask.
        """
        deps = self._deps
        boot: Json = {"version": deps.version, "session": None, "workspace": None, "position": None, "board": None}
        try:
            if cookie_of(request) is not None and session_of(request, deps) is None:
                await deps.system.catch_up_with_log()
            found = session_of(request, deps)
            if found is None:
                return boot
            request.state.session, request.state.auth_id = found[1], found[0].auth_id
            boot["session"] = shown(deps, *found)
            place = self._place(request, found[0])
            if place is not None:
                boot.update(await self._of_workspace(request, *place))
        except LogUnavailable:
            return None
        return boot

    def _place(self, request: Request, who: Identity) -> tuple[Workspace, bool] | None:
        """The workspace that the path names, and whether its first page is asked for; None when there is none for this identity."""
        match = _WORKSPACE.fullmatch(request.scope["path"])
        if match is None:
            return None
        system = self._deps.system.state
        workspace_id = system.slugs.get(unquote(match[1]))
        if workspace_id is None or not may_see(system, who, workspace_id):
            return None
        return system.workspaces[workspace_id], match[2] in (None, "/")

    async def _of_workspace(self, request: Request, workspace: Workspace, is_first_page: bool) -> Json:
        told: Json = {"workspace": {"id": workspace.id, "name": workspace.name, "slug": workspace.slug}}
        if self._first is not None and is_first_page and "at" not in request.query_params:
            try:
                board: dict[str, Any] = await self._first(self._deps, workspace.id)
                return {**told, "position": board["position"], "board": board}
            except Problem as problem:
                # The page asks for itself, and shows what is wrong.
                log_.info("a page goes without its first data", extra={"reason": problem.message})
        return {**told, "position": await self._deps.log.head(workspace.id)}


def as_data(text: str) -> str:
    """JSON that can stand in a block of HTML: nothing in it ends the block or opens a comment, and it means the same."""
    for one in "<>&\u2028\u2029":
        text = text.replace(one, f"\\u{ord(one):04x}")
    return text


def _is_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


def _takes_html(request: Request) -> bool:
    """Whether who asks is a browser that goes to a page; at `/`, whoever takes anything."""
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted or (request.scope["path"] == "/" and ("*/*" in accepted or not accepted))


def _response(request: Request, content: bytes, media_type: str, headers: dict[str, str], coding: str) -> Response:
    """The content, or that it has not changed."""
    known = {one.strip() for one in request.headers.get("if-none-match", "").split(",")}
    if headers["ETag"] in known or "*" in known:
        return Response(status_code=304, headers={**_ALWAYS, **headers})
    if coding != "identity":
        headers = {**headers, "Content-Encoding": coding}
    answer = Response(b"" if request.method == "HEAD" else content, 200, {**_ALWAYS, **headers}, media_type)
    answer.headers["Content-Length"] = str(len(content))
    return answer
