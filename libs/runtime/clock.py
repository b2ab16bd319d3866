"""The only clock. Deciders never see it: the host reads it and hands the time on as data."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)
