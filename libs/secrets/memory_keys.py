"""Keys in memory, for tests and simulations: wrapped as in the database, so that they behave the same."""

from __future__ import annotations

from uuid import UUID

from libs.secrets.keys import MasterKey, WrappedKey, new_key


class MemoryKeys:
    """`SecretKeys` without a database.

    Args:
        master: wraps the keys.
        stored: the wrapped keys, shared by those that are to share a database.
    """

    def __init__(self, master: MasterKey, stored: dict[str, WrappedKey] | None = None) -> None:
        self._master = master
        self._stored = {} if stored is None else stored

    async def making(self, workspace_id: str) -> bytes:
        """The key, made when there is none."""
        workspace_id = str(UUID(workspace_id))
        if workspace_id not in self._stored:
            self._stored[workspace_id] = self._master.wrap(workspace_id, new_key())
        return self._master.unwrap(workspace_id, self._stored[workspace_id])

    async def existing(self, workspace_id: str) -> bytes | None:
        """The key; None when there is none."""
        stored = self._stored.get(str(UUID(workspace_id)))
        return None if stored is None else self._master.unwrap(workspace_id, stored)

    async def destroy(self, workspace_id: str) -> bool:
        """Destroy the key."""
        return self._stored.pop(str(UUID(workspace_id)), None) is not None

    async def rewrap(self) -> int:
        """Wrap every key with the current master key."""
        older = {name: one for name, one in self._stored.items() if one.master != self._master.id}
        for workspace_id, one in older.items():
            self._stored[workspace_id] = self._master.wrap(workspace_id, self._master.unwrap(workspace_id, one))
        return len(older)

    async def close(self) -> None:
        """Nothing to let go of."""
