"""Keys in Postgres: one row per workspace, of use only together with the master key, which is not in the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from libs.eventlog.connections import Connections
from libs.eventlog.port import LogUnavailable
from libs.secrets.keys import KeysUnavailable, MasterKey, WrappedKey, new_key

SECRETS_MIGRATIONS = Path(__file__).parent / "migrations"

_GET = "SELECT master, wrapped FROM es.secret_key WHERE workspace_id = %s"
_ADD = "INSERT INTO es.secret_key (workspace_id, master, wrapped) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_DESTROY = "DELETE FROM es.secret_key WHERE workspace_id = %s RETURNING true"
_OLDER = "SELECT workspace_id, master, wrapped FROM es.secret_key WHERE master <> %s"
_REPLACE = "UPDATE es.secret_key SET master = %s, wrapped = %s WHERE workspace_id = %s AND wrapped = %s"


class PostgresKeys:
    """`SecretKeys` in a migrated database. Nothing is kept in memory: a key that was destroyed is gone for every process at once.

    Args:
        conninfo: a connection string or URL of Postgres.
        master: wraps the keys.
    """

    def __init__(self, conninfo: str, master: MasterKey) -> None:
        self._connections = Connections(conninfo, most=2)
        self._master = master

    async def making(self, workspace_id: str) -> bytes:
        """The key, made when there is none; of two that make it at once, both get the same."""
        while (key := await self.existing(workspace_id)) is None:
            made = self._master.wrap(workspace_id, new_key())
            await self._rows(_ADD, (UUID(workspace_id), made.master, made.wrapped))
        return key

    async def existing(self, workspace_id: str) -> bytes | None:
        """The key; None when there is none."""
        rows = await self._rows(_GET, (UUID(workspace_id),))
        return self._master.unwrap(workspace_id, WrappedKey(rows[0][0], bytes(rows[0][1]))) if rows else None

    async def destroy(self, workspace_id: str) -> bool:
        """Destroy the key."""
        return bool(await self._rows(_DESTROY, (UUID(workspace_id),)))

    async def rewrap(self) -> int:
        """Wrap every key with the current master key."""
        older = await self._rows(_OLDER, (self._master.id,))
        for workspace_id, master, wrapped in older:
            key = self._master.unwrap(str(workspace_id), WrappedKey(master, bytes(wrapped)))
            again = self._master.wrap(str(workspace_id), key)
            await self._rows(_REPLACE, (again.master, again.wrapped, workspace_id, wrapped))
        return len(older)

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()

    async def _rows(self, statement: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            return await self._connections.rows(statement, parameters)
        except LogUnavailable as error:
            raise KeysUnavailable(str(error)) from error
