"""What the table says of one operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.integration.api.shapes import Obj, Shape

PAGING: Final = ("limit", "offset")
FILTERED: Final = (*PAGING, "cel")


@dataclass(frozen=True, slots=True)
class Row:
    """One operation.

    Attributes:
        status, answer: of success.
        body: what must be sent; None when it takes no body.
        may_be_bare: whether it can do without its body.
        query: parameters that it knows.
        absent: path parameters that must name something: 404 otherwise.
        malformed: the status when such a parameter can name nothing.
        conflict: whether it may answer 409.
        page_size: of a list, when the request does not say.
        note: why it is not as published.
    """

    op: str
    method: str
    path: str
    status: int
    answer: Shape
    body: Obj | None = None
    may_be_bare: bool = False
    query: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    malformed: int = 404
    conflict: bool = False
    page_size: int = 50
    note: str = ""

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status that it may answer."""
        return (self.status, 400, 401, 404, *([409] if self.conflict else []), *([415] if self.body is not None else []))

    @property
    def paged(self) -> bool:
        """Whether it answers a part of a list, and nothing else."""
        return "limit" in self.query and isinstance(self.answer, Obj) and "items" in self.answer.props
