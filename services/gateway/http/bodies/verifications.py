"""Verifications, and what is asked of their measurements."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import Field, ValidationInfo, field_validator

from services.gateway.http.bodies.form import Body, Instant, QueryBool, QueryInt
from services.gateway.http.bodies.queries import Paging


class VerifyAgainBody(Body):
    """Why what was measured is measured once more."""

    MAY_BE_ABSENT: ClassVar[bool] = True
    CLOSED: ClassVar[frozenset[str]] = frozenset()

    reason: str = Field("", max_length=2_000)


class MeasurementsQuery(Paging):
    """Which measurements: of one metric or of all; from a time on, before another; so many points of each metric, evenly spread; with what
    was asked and what came back, or only what a chart needs."""

    metric: str | None = None
    from_: Instant | None = Field(None, alias="from")
    to: Instant | None = None
    points: QueryInt | None = Field(None, ge=1, le=1000)
    include_details: QueryBool = False

    @field_validator("to")
    @classmethod
    def _after_from(cls, to: datetime | None, info: ValidationInfo) -> datetime | None:
        begin = info.data.get("from_")
        if to is not None and begin is not None and to < begin:
            raise ValueError("must not be before `from`")
        return to
