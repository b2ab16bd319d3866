"""Server-sent events, for both streams: from where a client goes on, and how what it is sent is served."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

from services.gateway.http.moments import position_in


def resumes_after(request: Request) -> int | None:
    """The position that a client which was cut off has heard last; None when it begins. Raises: Unprocessable."""
    return position_in(request, "last-event-id")


def streamed(frames: AsyncIterator[bytes]) -> StreamingResponse:
    """The answer that goes on with these frames; nobody on the way keeps it or holds it back."""
    return StreamingResponse(
        frames, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
