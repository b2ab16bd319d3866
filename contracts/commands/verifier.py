"""What verifier can be asked."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts.command import Wish, wish


class _Verifier(Wish):
    SERVICE: ClassVar[str] = "verifier"


@wish
class VerifyAgain(_Verifier):
    """Measure once more what a verification measured, from the beginning; the new one is what counts. Answers `{id}` (the new one's).

    Refused with conflict while it runs, and when another release has run on its target since.
    """

    NAME: ClassVar[str] = "verify_again"
    verification_id: str
    reason: str = Field("", max_length=2_000)
