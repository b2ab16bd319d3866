"""What changes on the pages that a browser has open, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from starlette.responses import Response

from contracts.shapes import Json
from libs.eventlog.port import LogUnavailable
from services.gateway.board import frames
from services.gateway.board.acting import for_viewer, make_ready
from services.gateway.board.frames import SETTINGS, Finish, Topics, UnknownTopic, topics_of
from services.gateway.board.inbox import APPROVALS
from services.gateway.board.view import BoardView
from services.gateway.http import bodies
from services.gateway.http.board import viewer_of
from services.gateway.http.call import Call
from services.gateway.http.operation import Routes
from services.gateway.http.problem import Unprocessable, finding
from services.gateway.http.server_sent import resumes_after, streamed

routes = Routes("board")

MOST_TOPICS: Final = 500
_LOOK_S: Final = 10.0
_MOVED_S: Final = 1.0
"""A reader that nothing was told of for so long hears all the same how far the log is."""


@routes.add("GET", "/stream", answers={200: None}, query=bodies.BoardStreamQuery, past=False)
async def stream_board(call: Call) -> Response:
    """Patches of what the topics are about: `id` is the position, from which a client that was cut off goes on by itself."""
    query: bodies.BoardStreamQuery = call.query
    after = resumes_after(call.request)
    return streamed(_frames(call, _topics(query.topics), query.since if after is None else after))


def _topics(told: str) -> Topics:
    names = sorted({name for part in told.split(",") if (name := part.strip())})
    if not names:
        raise Unprocessable([finding("/query/topics", "must name at least one topic", "minItems")])
    if len(names) > MOST_TOPICS:
        raise Unprocessable([finding("/query/topics", f"names more than {MOST_TOPICS} topics", "maxItems")])
    try:
        return topics_of(names)
    except UnknownTopic as unknown:
        known = ", ".join(sorted(frames.WHOLE))
        message = (
            f"{str(unknown)!r} is no topic; there are {known}, rollout:{{deploymentId}}/{{environmentId}}, target:{{releaseTargetKey}}, "
            "deployment:{id}, version:{id} and job:{id}"
        )
        raise Unprocessable([finding("/query/topics", message, "enum")]) from unknown


async def _frames(call: Call, topics: Topics, since: int | None) -> AsyncIterator[bytes]:
    deps, loop = call.deps, asyncio.get_running_loop()
    yield b": open\n\n"
    async with deps.boards.used(call.workspace_id) as view:
        if APPROVALS in topics.whole:
            await asyncio.to_thread(make_ready)
        if not await _loaded(call, view):
            return
        who, finish = _as_seen_by(call, topics)
        reader = view.join(topics, who, finish, since)
        # Keys, users and names of workspaces are in the log of the system, of which no position here tells what was missed.
        known = deps.system.state if since is None else None
        beat_at, look_at, told = 0.0, 0.0, 0
        try:
            while not deps.closing.is_set():
                moved = deps.system.state is not known
                if moved or loop.time() >= beat_at:
                    known = deps.system.state
                    if not call.may_go_on():
                        return
                if moved and SETTINGS in topics.whole:
                    view.remind(topics, who, reader, (SETTINGS, ""), deps.clock())
                now = loop.time()
                if now >= beat_at or (now >= look_at and view.position > told):
                    told = view.position
                    yield frames.beat(told, deps.clock())
                    beat_at = now + deps.heartbeat_s
                if now >= look_at:
                    look_at = now + _MOVED_S
                if waiting := reader.take():
                    yield b"".join(waiting)
                    continue
                try:
                    async with asyncio.timeout_at(min(beat_at, look_at)):
                        await reader.more.wait()
                except TimeoutError:
                    continue
        finally:
            view.leave(topics, who, reader)


async def _loaded(call: Call, view: BoardView) -> bool:
    """Wait for the board, however long that takes; False when the process ends, or nobody may see it any more."""
    while not call.deps.closing.is_set() and call.may_go_on():
        try:
            if await view.reached_head(_LOOK_S):
                return True
        except LogUnavailable:
            await asyncio.sleep(0.1)
    return False


def _as_seen_by(call: Call, topics: Topics) -> tuple[str, Finish]:
    """How rows of the approvals are finished. Everybody who does not listen to these sees the same."""
    if APPROVALS not in topics.whole:
        return "", _as_it_is
    viewer = viewer_of(call)
    return f"{viewer.user_id} {' '.join(viewer.roles)}", partial(for_viewer, viewer=viewer)


def _as_it_is(row: Json) -> Json:
    return row
