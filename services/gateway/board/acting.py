"""Whether the person who looks at an approval may give it. Policy decides when it is given; this says whether to offer it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from contracts.shapes import Json
from libs.cel import CelProblems, Program
from libs.cel.contexts import USER


class Viewer(NamedTuple):
    """Who looks."""

    user_id: str
    name: str
    roles: tuple[str, ...]


def for_viewer(row: Json, viewer: Viewer, *, now: bool = True) -> Json:
    """A row of the approvals with `canAct`, and what the viewer said so far (`said`, null for nothing).

    Args:
        now: whether the row is of now; nobody approves in the past.
    """
    said = next((one["status"] for one in row["has"] if one["userId"] == viewer.user_id), None)
    barred = not row["authorMayApprove"] and viewer.user_id in row["authors"]
    may = not barred and (not row["approverSelector"] or _picks(row["approverSelector"], viewer))
    return {**row, "canAct": now and may and said != "approved", "said": said}


def make_ready() -> None:
    """Load what expressions are read with, which takes a while; whoever answers others meanwhile does it in a thread. Again costs nothing."""
    # One that has to be read: a plain `true` is understood without what reads the others.
    _compiled("user.id != ''")


@lru_cache(maxsize=4_096)
def _picks(selector: str, viewer: Viewer) -> bool:
    program = _compiled(selector)
    if program is None:
        return False
    return program.verdict(user={"id": viewer.user_id, "name": viewer.name, "roles": list(viewer.roles)}).is_match


@lru_cache(maxsize=256)
def _compiled(selector: str) -> Program | None:
    try:
        return USER.compile(selector)
    except CelProblems:
        return None
