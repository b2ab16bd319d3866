"""The read tables in memory: for tests, and the plain model that the Postgres ones are compared with."""

from __future__ import annotations

from collections.abc import Sequence

from services.gateway.as_of.reading import HeldStore
from services.gateway.as_of.tables import Row, Tables, initial
from services.gateway.rows import FIELDS, Change, Table


class MemoryRows(HeldStore):
    """Both sides of the store: a `ReadStore` and a `Sink`."""

    def __init__(self) -> None:
        super().__init__()
        self._tables: dict[str, Tables] = {}
        self._checkpoints: dict[str, int] = {}

    # --- writing ---------------------------------------------------------------------------------------------------------------

    async def lead(self) -> bool:
        """There is nobody else."""
        return True

    async def close(self) -> None:
        """Nothing is held."""

    async def checkpoint(self, workspace_id: str) -> int:
        """See `ReadStore.checkpoint`."""
        return self._checkpoints.get(workspace_id, 0)

    async def apply(self, workspace_id: str, old: int, new: int, changes: Sequence[Change]) -> bool:
        """See `Sink.apply`; one change after the other."""
        if self._checkpoints.get(workspace_id, 0) != old:
            return False
        tables = self._of(workspace_id)
        for change in changes:
            tables = tables.after(change)
        self._tables[workspace_id] = tables
        self._checkpoints[workspace_id] = new
        return True

    # --- reading ---------------------------------------------------------------------------------------------------------------

    async def held(self, workspace_id: str) -> Tables:
        """The tables of a workspace as they are now."""
        return self._of(workspace_id)

    def dump(self, workspace_id: str) -> dict[tuple[Table, str], Row]:
        """Every row, for comparison."""
        return self._of(workspace_id).dump()

    async def holders(self, table: Table, row_id: str) -> list[str]:
        """See `ReadStore.holders`."""
        return sorted(where for where, tables in self._tables.items() if row_id in tables.of(table).rows)

    async def holders_of(self, table: Table, field: str, value: str) -> list[str]:
        """See `ReadStore.holders_of`."""
        assert field in FIELDS[table]
        return sorted(where for where, tables in self._tables.items() if tables.of(table).ids(field, value))

    def _of(self, workspace_id: str) -> Tables:
        return self._tables.get(workspace_id) or initial(workspace_id)
