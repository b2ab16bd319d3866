"""Server-sent events, for both streams: from where a client goes on, and how what it is sent is served."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

from services.gateway.http.problem import Unprocessable, finding


def resumes_after(request: Request) -> int | None:
    """The position that a client which was cut off has heard last; None when it begins. Raises: Unprocessable."""
    told = request.headers.get("last-event-id")
    if told is None:
        return None
    if not (told.isascii() and told.isdigit() and len(told) <= 15):
        raise Unprocessable([finding("/headers/last-event-id", "must be a position", "type")])
    return int(told)


def streamed(frames: AsyncIterator[bytes]) -> StreamingResponse:
    """The answer that goes on with these frames; nobody on the way keeps it or holds it back."""
    return StreamingResponse(
        frames, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
