"""Who sends a request, and whether it comes from a page of ours, for somebody who signed in: the cookie, and what keeps other pages from using
it.

A browser sends the cookie along whatever page made it ask. So a request that changes something also shows the session's second token, which
only pages of ours can read, and where its `Origin` is told, it is us. An API key in a header needs none of this: no browser adds one by itself.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.access import Identity, credential, identify, identify_session
from services.gateway.http.deps import Deps
from services.gateway.http.problem import Problem
from services.gateway.sessions import LIFE, Session, renewed

COOKIE: Final = "signalbox_session"
CSRF_HEADER: Final = "X-Signalbox-Csrf"
_READS: Final = frozenset({"GET", "HEAD"})


def cookie_of(request: Request) -> str | None:
    """The session's token as the browser sent it; None when it sent none."""
    return request.cookies.get(COOKIE) or None


def session_of(request: Request, deps: Deps) -> tuple[Identity, Session] | None:
    """Who signed in, in the browser that sends the request; None when nobody did, or the session is over."""
    token = cookie_of(request)
    found = identify_session(deps.system.state, deps.signer, token, deps.clock()) if token is not None else None
    return None if found is None or found[1] in deps.signed_out else found


def presented_by(request: Request) -> str | None:
    """The credential that is in the headers; None when there is none at all."""
    return credential(request.headers.get("x-api-key"), request.headers.get("authorization"))


def who_asks(request: Request, deps: Deps) -> tuple[Identity, Session | None] | None:
    """Whose credential the request has, or, where it has none, who signed in in the browser and the session; None when that is nobody (any
    more).
    """
    presented = presented_by(request)
    if presented is None:
        return session_of(request, deps)
    who = identify(deps.system.state, presented, deps.clock())
    return (who, None) if who is not None else None


def check_page(request: Request, deps: Deps, session: Session) -> None:
    """Raises: Problem (403): the request would change something, and does not show that a page of ours sent it."""
    if request.method in _READS:
        return
    check_origin(request, deps)
    if not deps.signer.is_csrf(session, request.headers.get(CSRF_HEADER, "")):
        raise Problem(
            403,
            f"the header {CSRF_HEADER} is missing or is not this session's: send the csrfToken of GET /api/session, or an API key",
            "CSRF",
        )


def check_origin(request: Request, deps: Deps) -> None:
    """Raises: Problem (403): the browser says that a page of somebody else sent this."""
    told = request.headers.get("origin")
    if told is None:
        return
    ours = {request.headers.get("host", "").lower(), urlsplit(deps.public_url).netloc.lower()} - {""}
    # The scheme is left alone: whatever ends TLS before us need not tell that it does.
    if _place_of(told) not in ours:
        raise Problem(403, f"a page of {told} may not do this here", "FOREIGN_ORIGIN")


def _place_of(origin: str) -> str:
    """Host and port of whose pages have this origin; '' for one that is not of the web, and for what is none."""
    try:
        place = urlsplit(origin)
    except ValueError:
        return ""
    return place.netloc.lower() if place.scheme in ("http", "https") else ""


def keep_alive(request: Request, deps: Deps, response: Response) -> None:
    """Have a session that is used go on, where half of its life is over."""
    session: Session | None = getattr(request.state, "session", None)
    now = deps.clock()
    if session is None or session in deps.signed_out or not session.is_due(now):
        return
    set_cookie(request, deps, response, renewed(session, now))


def set_cookie(request: Request, deps: Deps, response: Response, session: Session) -> None:
    """Give the browser the session. Nothing is set when its key has gone meanwhile."""
    key = deps.system.state.keys.get(session.key_prefix)
    if key is None:
        return
    response.set_cookie(
        COOKIE,
        deps.signer.token(session, key),
        max_age=int(LIFE.total_seconds()),
        path="/",
        secure=is_secure(request, deps),
        httponly=True,
        samesite="strict",
    )


def is_secure(request: Request, deps: Deps) -> bool:
    """Whether the browser came over TLS, also where that ends at a proxy which says nothing of it."""
    outside = urlsplit(deps.public_url)
    by_proxy = outside.scheme == "https" and outside.netloc.lower() == request.headers.get("host", "").lower()
    return request.url.scheme == "https" or by_proxy


def clear_cookie(request: Request, deps: Deps, response: Response) -> None:
    """Take the session away from the browser."""
    response.delete_cookie(COOKIE, path="/", secure=is_secure(request, deps), httponly=True, samesite="strict")
