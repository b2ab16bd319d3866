"""Refuses an expression that can not be compiled, when it is saved and with the place of the mistake."""

from __future__ import annotations

from contracts.command import Refused
from libs.cel.environment import Environment


def check_selector(environment: Environment, source: str, *, path: str, what: str) -> None:
    """Check the text of a selector, or of another expression that is about to be saved.

    Args:
        environment: what it may name.
        path: where it stood in the request, for example `/body/resourceSelector`.
        what: what it is called in the message, for example `resource selector`.

    Raises:
        Refused: `INVALID_CEL`, with every error and its line and column.
    """
    errors = [problem for problem in environment.check(source) if problem.severity == "error"]
    if not errors:
        return
    first = errors[0]
    details = []
    for problem in errors:
        message = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
        place = {"line": problem.line, "column": problem.column}
        details.append({"path": path, "message": message, "errorCode": problem.code, **place})
    raise Refused(
        "invalid",
        f"Invalid {what}: {first.message.rstrip('.')} at line {first.line}, column {first.column}",
        code="INVALID_CEL",
        details=details,
    )
