"""Refuses a module that can not be used, when it is saved and with the place of the mistake."""

from __future__ import annotations

from contracts.command import Refused
from libs.rego.problems import RegoInvalid, RegoUnavailable


def refused(error: RegoInvalid | RegoUnavailable, *, path: str) -> Refused:
    """What the sender of a module is told.

    Args:
        path: where it stood in the request, for example `/body/rules/0/planValidationOpa/rego`.

    Returns:
        `invalid` with code INVALID_REGO, and in `details` one entry with its line and column; REGO_UNAVAILABLE when no module can be used.
    """
    if isinstance(error, RegoUnavailable):
        return Refused(
            "invalid",
            str(error),
            code="REGO_UNAVAILABLE",
            details=[{"path": path, "message": str(error), "errorCode": "unavailable"}],
        )
    place = {"line": error.line, "column": error.column}
    return Refused(
        "invalid",
        f"Invalid Rego: {error.message.rstrip('.')} at line {error.line}, column {error.column}",
        code="INVALID_REGO",
        details=[{"path": path, "message": error.message, "errorCode": "invalid_rego", **place}],
    )
