"""People approve versions, or reject them."""

from __future__ import annotations

from typing import ClassVar, Literal

from contracts.command import Wish, wish


@wish
class RecordApproval(Wish):
    """Approve or reject a version; the person is who asks. No environment named: all that share a system with its deployment.

    Answers `{id}` (the version's).
    """

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "record_approval"
    version_id: str
    environment_ids: tuple[str, ...] = ()
    user_id: str
    user_name: str = ""
    roles: tuple[str, ...] = ()
    status: Literal["approved", "rejected", "withdrawn"]
    reason: str | None = None
