"""Freezes, their overrides, and what a freeze would hold."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from services.gateway.http.bodies.form import INT32, Body, Instant, Uuid

Scope = Literal["workspace", "system", "environment", "deployment"]

_DURATION = re.compile(r"P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?", re.ASCII)


def _duration(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be string")
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError("must be an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as PT90M or P1DT12H")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not length:
        raise ValueError("must be longer than nothing")
    return length


Duration = Annotated[timedelta, BeforeValidator(_duration, json_schema_input_type=str)]
"""How long, as ISO 8601; months and years have no one length and are refused."""


_WEB = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)


def _web(value: str) -> str:
    if value and _WEB.fullmatch(value) is None:
        raise ValueError("must be an address of the web: begin it with https:// or http://, or leave it out")
    return value


Link = Annotated[str, AfterValidator(_web)]
"""Where to read more, for people to click on; empty for nowhere. An address of another kind, such as of a script, must never be one."""


class FreezeBody(Body):
    """What may be said of a freeze.

    Attributes:
        scope_id: of what the scope is; none for the workspace.
        expires_in: counted from now; instead of `ends_at`.
        rrule: then it holds for `duration_minutes` after each occurrence, in `timezone`.
        holds_rollbacks: rollbacks wait as well.
    """

    scope: Scope | None = None
    scope_id: Uuid | None = None
    selector: str | None = None
    reason: str | None = None
    link: Link | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    expires_in: Duration | None = None
    rrule: str | None = None
    duration_minutes: int | None = Field(None, ge=1, le=INT32)
    timezone: str | None = None
    holds_rollbacks: bool | None = None


class CreateFreeze(FreezeBody):
    """A new freeze, of the whole workspace when no scope is named, from now on when no start is."""

    reason: str


class ChangeFreeze(FreezeBody):
    """Changes of a freeze; what is left out stays, a text is taken away by an empty one, the end by null."""

    NULL_IS_ABSENT: ClassVar[frozenset[str]] = frozenset({"endsAt"})

    @property
    def has_no_end(self) -> bool:
        """Whether the end is taken away."""
        return self.ends_at is None and "ends_at" in self.model_fields_set


class ThawBody(Body):
    """Why a freeze ends."""

    MAY_BE_ABSENT: ClassVar[bool] = True

    reason: str = ""


class OverrideBody(Body):
    """A version that may pass a freeze, everywhere or where it is said, and until when."""

    version_id: Uuid
    environment_id: Uuid | None = None
    resource_id: Uuid | None = None
    reason: str
    expires_at: Instant


class FreezePreview(Body):
    """A freeze that is only thought of."""

    MAY_BE_ABSENT: ClassVar[bool] = True

    scope: Scope = "workspace"
    scope_id: Uuid | None = None
    selector: str | None = None


class StopBody(Body):
    """Why everything stops."""

    reason: str
    link: Link | None = None
