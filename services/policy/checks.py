"""What the verifications of a job came to, in words, and who goes on where they did not pass."""

from __future__ import annotations

from typing import Final

from services.policy.state import Check, Job

_SAID: Final = {
    "failed": "its verification failed",
    "inconclusive": "its verification was inconclusive",
    "cancelled": "its verification ended without a verdict",
}
"""What a verification came to that ended without passing; the first one of these tells the most."""


def against(job: Job) -> Check | None:
    """The verification that keeps a job from having passed; None where they all passed, or are still to end."""
    found = {check.state: check for check in reversed(job.checks)}
    if "failed" not in found and "running" in found:
        return None
    return next((found[state] for state in _SAID if state in found), None)


def said_of(check: Check) -> str:
    """How a verification ended that did not pass; without a full stop."""
    told = f" ({check.told.rstrip('.')})" if check.told else ""
    decides = ", which a person is to decide about" if check.state != "failed" or check.reaction == "hold" else ""
    return f"{_SAID[check.state]}{told}{decides}"
