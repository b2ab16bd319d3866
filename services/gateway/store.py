"""The ports of the read tables: how rows are read, and how a projection is written. One conformance suite for memory and Postgres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.shapes import Json
from services.gateway.narrowing import Needs
from services.gateway.rows import Change, Table


class StoreUnavailable(Exception):
    """The read tables can not be reached now."""


class RowsRefused(Exception):
    """The tables can not hold these rows, now or later; nothing was written."""


@dataclass(frozen=True, slots=True)
class Order:
    """By the text of these top-level keys (absent counts as ''), then by what was made first; all ascending, or all descending."""

    fields: tuple[str, ...]
    descending: bool = False


Where = Mapping[str, str | tuple[str, ...]]
"""By top-level key the text that it must have, or those of which it must have one."""

BY_AGE = Order(("$createdAt",))
NEWEST_FIRST = Order(("$createdAt",), descending=True)


Cursor = tuple[tuple[str, ...], int, str]
"""The place of a row in an order: its texts, where it was made, its id."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list: the documents, and how many there are in all."""

    items: list[Json]
    total: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows on the way through a table, and from where it goes on; None when this is the end."""

    items: list[Json]
    cursor: Cursor | None


@dataclass(frozen=True, slots=True)
class ResourceSearch:
    """Which resources are wanted; all filters must hold.

    Attributes:
        any_of: by top-level key, texts of which it must have one; none is no filter.
        text: part of name or identifier, in whatever case.
        metadata: pairs that it must have.
        sort_by: a top-level key; then by identifier.
        descending: both the other way round.
    """

    any_of: Mapping[str, Sequence[str]]
    text: str
    metadata: Mapping[str, str]
    sort_by: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Series:
    """Which measurements are wanted.

    Attributes:
        of: the metrics, by their `$series`.
        begin: measured then or later; the text of a time, None for no bound.
        end: measured before.
        points: of each metric no more than so many, evenly spread over those that are left; the newest is always among them.
        without: top-level keys that are not wanted.
    """

    of: Sequence[str]
    begin: str | None = None
    end: str | None = None
    points: int | None = None
    without: Sequence[str] = ()


class ReadStore(Protocol):
    """Reads rows. Documents come with their `$` keys. All methods raise `StoreUnavailable` in an outage."""

    async def checkpoint(self, workspace_id: str) -> int:
        """The position that the rows of a workspace have reached; 0 when there is none."""

    async def get(self, workspace_id: str, table: Table, row_id: str) -> Json | None:
        """One row."""

    async def holders(self, table: Table, row_id: str) -> list[str]:
        """The workspaces that have a row with this id, in order."""

    async def holders_of(self, table: Table, field: str, value: str) -> list[str]:
        """The workspaces that have a row whose key has this value, in order; the value is not empty."""

    async def many(self, workspace_id: str, table: Table, row_ids: Sequence[str]) -> dict[str, Json]:
        """Rows by id; unknown ids are left out."""

    async def find(
        self,
        workspace_id: str,
        table: Table,
        *,
        where: Where | None = None,
        order: Order = BY_AGE,
        limit: int | None = None,
        offset: int = 0,
    ) -> Page:
        """Rows whose keys have these values (as text), in order; all of them when `limit` is None, none but their number when it is 0."""

    async def tally(
        self, workspace_id: str, table: Table, fields: Sequence[str], where: Where | None = None
    ) -> dict[tuple[str, ...], int]:
        """How many rows have which texts under some keys, of those whose keys have these values. That is known without looking at them of
        jobs, whatever is asked by agent, deployment, environment and status, and of resources by provider."""

    async def scan(
        self,
        workspace_id: str,
        table: Table,
        *,
        where: Mapping[str, str] | None = None,
        needs: Needs = (),
        order: Order = BY_AGE,
        after: Cursor | None = None,
        limit: int,
    ) -> Batch:
        """Some of the rows whose keys have these values, in order, after a place. Rows that do not fulfil `needs` may be left out."""

    async def search_resources(self, workspace_id: str, search: ResourceSearch, *, limit: int, offset: int) -> Page:
        """A page of the resources that are wanted. No more than the page is taken out of the tables: there may be 100,000."""

    async def among(self, workspace_id: str, table: Table, field: str, values: Sequence[str]) -> list[Json]:
        """Rows whose key has one of the values, in the order in which they were made, then by id."""

    async def newest(
        self, workspace_id: str, table: Table, field: str, values: Sequence[str], by: str, where: Mapping[str, str] | None = None
    ) -> dict[str, Json]:
        """For each value of a key, the row with the greatest text under `by` (the one made last, when several)."""

    async def measured(self, workspace_id: str, wanted: Series, *, limit: int, offset: int = 0) -> Page:
        """A page of measurements, in the order in which they were taken. No more than the page is taken out of the tables: a metric that
        is measured on for weeks has a million."""

    async def last_measured(self, workspace_id: str, of: Sequence[str], *, limit: int) -> list[Json]:
        """The newest measurements of all these series together, in the order in which they were taken."""

    async def targets(self, workspace_id: str, pair: str, *, limit: int, offset: int) -> Page:
        """The targets of a deployment in an environment (its `$pair`) that have not vanished and whose resource is there, by identifier
        of the resource. No more than the page is taken out of the tables: there may be tens of thousands."""


class Sink(Protocol):
    """Writes rows. All methods raise `StoreUnavailable` in an outage; then it is unknown whether the last round was written."""

    async def lead(self) -> bool:
        """Take or confirm the lease: only one process projects at a time."""

    async def checkpoint(self, workspace_id: str) -> int:
        """The position that the rows of a workspace have reached."""

    async def apply(self, workspace_id: str, old: int, new: int, changes: Sequence[Change]) -> bool:
        """Write the rows and move the checkpoint from `old` to `new`, together or not at all.

        Returns: False when the checkpoint was not at `old`; then nothing was written.
        Raises: RowsRefused.
        """

    async def close(self) -> None:
        """Give the lease back."""
