"""Skips: rules that a version may pass."""

from __future__ import annotations

from services.gateway.http.bodies.form import Body, Instant, Uuid
from services.gateway.http.bodies.queries import Paging


class SkipBody(Body):
    """A version that may pass a rule, everywhere or where it is said, for good or until an instant."""

    version_id: Uuid
    rule_id: Uuid
    environment_id: Uuid | None = None
    resource_id: Uuid | None = None
    reason: str = ""
    expires_at: Instant | None = None


class SkipPaging(Paging):
    """Which skips: those that name all of these."""

    version_id: Uuid | None = None
    environment_id: Uuid | None = None
    resource_id: Uuid | None = None
