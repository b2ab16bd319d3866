"""The read tables of the past: folded when somebody looks there, in memory for a while."""

from __future__ import annotations

from contracts.command import AsOf
from libs.eventlog.port import EventLog
from libs.runtime.as_of import FoldAt
from services.gateway.as_of.reading import HeldStore
from services.gateway.as_of.tables import FOLD, Tables
from services.gateway.rows import Table


class PastRows:
    """The read tables of every workspace as of any position of its log."""

    def __init__(self, log: EventLog) -> None:
        self._fold: FoldAt[Tables] = FoldAt(log, FOLD)

    def store(self, workspace_id: str, as_of: AsOf) -> PastStore:
        """What reads see of a workspace."""
        return PastStore(self._fold, workspace_id, as_of.position)

    async def stop(self) -> None:
        """End what is under way, and forget everything; again changes nothing."""
        await self._fold.stop()


class PastStore(HeldStore):
    """A `ReadStore` of one workspace as of one position; other workspaces have no rows. Nothing is folded before the first read.

    Beside what every store raises: LogUnavailable.
    """

    def __init__(self, fold: FoldAt[Tables], workspace_id: str, position: int) -> None:
        super().__init__()
        self._fold = fold
        self._workspace_id = workspace_id
        self._position = position
        self._tables: Tables | None = None

    async def checkpoint(self, workspace_id: str) -> int:
        """See `ReadStore.checkpoint`."""
        return self._position if workspace_id == self._workspace_id else 0

    async def held(self, workspace_id: str) -> Tables:
        """The tables as they were."""
        if workspace_id != self._workspace_id:
            return Tables()
        if self._tables is None:
            self._tables = await self._fold.at(workspace_id, self._position)
        return self._tables

    async def holders(self, table: Table, row_id: str) -> list[str]:
        """See `ReadStore.holders`."""
        found = (await self.held(self._workspace_id)).of(table).rows
        return [self._workspace_id] if row_id in found else []

    async def holders_of(self, table: Table, field: str, value: str) -> list[str]:
        """See `ReadStore.holders_of`."""
        return [self._workspace_id] if (await self.held(self._workspace_id)).of(table).ids(field, value) else []
