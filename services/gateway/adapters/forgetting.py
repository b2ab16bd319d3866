"""Destroys the secrets of workspaces that were deleted, in case a process ended between the one and the other."""

from __future__ import annotations

from contracts.envelope import NIL_WORKSPACE
from contracts.facts.gateway import WorkspaceDeleted
from libs.eventlog.port import EventLog
from libs.secrets.keys import SecretKeys

_BATCH = 1_000


async def forget(log: EventLog, keys: SecretKeys) -> int:
    """Destroy the keys of all workspaces that are deleted; how many there still were. Raises: LogUnavailable, KeysUnavailable."""
    destroyed = after = 0
    while found := await log.read_types(NIL_WORKSPACE, after, _BATCH, (WorkspaceDeleted.TYPE,)):
        for one in found:
            deleted = one.fact
            assert isinstance(deleted, WorkspaceDeleted)
            destroyed += await keys.destroy(deleted.workspace_id)
        after = found[-1].position
    return destroyed
