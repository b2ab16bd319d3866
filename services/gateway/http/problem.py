"""What the API answers when it can not do as asked: one shape, whatever the reason.

`{message, code?, details?, error}`; `error` repeats `message`, for clients of the older shape.
"""

from __future__ import annotations

from typing import Any

from contracts.command import Refusal
from contracts.shapes import Json

STATUS = {"invalid": 400, "forbidden": 403, "not_found": 404, "conflict": 409}
"""HTTP status by kind of refusal."""


class Problem(Exception):
    """Ends a request with an error answer."""

    def __init__(self, status: int, message: str, code: str = "", details: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.details = details

    def body(self) -> Json:
        """The answer's JSON."""
        body: Json = {"message": self.message, "error": self.message}
        if self.code:
            body["code"] = self.code
        if self.details is not None:
            body["details"] = self.details
        return body

    def headers(self) -> dict[str, str]:
        """Headers that belong to the status."""
        return {"Retry-After": "1"} if self.status == 503 else {}


class NotFound(Problem):
    """There is no such thing, or not for this caller."""

    def __init__(self, what: str) -> None:
        super().__init__(404, f"{what} not found", "NOT_FOUND")


class Unprocessable(Problem):
    """The request does not have the declared form; `details` say where."""

    def __init__(self, details: list[Json]) -> None:
        first = details[0]
        super().__init__(400, f"request{first['path'].replace('/', '.')} {first['message']}", "Bad Request", details)


def finding(path: str, message: str, kind: str) -> Json:
    """One entry of `details`."""
    return {"path": path, "message": message, "errorCode": f"{kind}.openapi.validation"}


def of_refusal(refusal: Refusal) -> Problem:
    """The answer to a refused wish."""
    return Problem(STATUS[refusal.kind], refusal.message, refusal.code, refusal.details)


def unavailable(reason: str) -> Problem:
    """Something behind the API is away; the same request may be sent again."""
    return Problem(503, reason, "UNAVAILABLE")
