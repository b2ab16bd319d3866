"""People let a version pass a rule."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from contracts.command import Wish, wish


@wish
class CreateSkip(Wish):
    """Let a version pass one rule, everywhere or where it is said, for good or until an instant. Answers `{id}`."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "create_skip"
    version_id: str
    rule_id: str
    environment_id: str | None = None
    resource_id: str | None = None
    reason: str = ""
    expires_at: datetime | None = None


@wish
class DeleteSkip(Wish):
    """Take a skip back. Answers `{id}`."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "delete_skip"
    skip_id: str
