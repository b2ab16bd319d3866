"""Makes the read tables again from the log."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence

from contracts.envelope import NIL_WORKSPACE
from libs.eventlog.port import EventLog
from libs.eventlog.postgres import PostgresLog
from libs.runtime.settings import Settings
from services.gateway.adapters.projector import CONSUMER
from services.gateway.adapters.writing import PostgresSink, Shown
from services.gateway.readmodel import patches_of
from services.gateway.rows import Change

_FACTS_PER_ROUND = 1_000

log_ = logging.getLogger("signalbox.rebuild")


async def rebuild(settings: Settings) -> int:
    """Throw away the read rows of every workspace and project its log from the first fact, workspace by workspace, each in a transaction.

    Services may run meanwhile: reads show the old rows until the new ones are complete, writes to the workspace wait for that long.

    Returns: an exit status: 0, or 1 when facts had to be parked because they can not be shown.
    Raises: LogUnavailable, StoreUnavailable: the workspace that was being made has the rows it had.
    """
    parked = 0
    async with PostgresLog.open(settings.postgres) as log:
        sink = PostgresSink(settings.postgres)
        try:
            for workspace_id in sorted(await log.heads()):
                if workspace_id != NIL_WORKSPACE:
                    parked += await _rebuilt(log, sink, workspace_id)
        finally:
            await sink.close()
    return 1 if parked else 0


async def _rebuilt(log: EventLog, sink: PostgresSink, workspace_id: str) -> int:
    """Make the rows of one workspace again; how many facts were parked."""
    parked = 0

    async def park(position: int, error: Exception) -> None:
        nonlocal parked
        parked += 1
        log_.error("a fact can not be shown", extra={"workspace": workspace_id, "position": position, "reason": repr(error)})
        await log.park(CONSUMER, workspace_id, position, repr(error))

    async def rounds() -> AsyncIterator[Sequence[Shown]]:
        after = 0
        while found := await log.read(workspace_id, after, _FACTS_PER_ROUND):
            shown: list[Shown] = []
            for one in found:
                changes: list[Change] = []
                try:
                    changes = [Change(one.position, patch) for patch in patches_of(one)]
                except Exception as error:  # noqa: BLE001 - whatever is wrong with one fact must not stop the others
                    await park(one.position, error)
                shown.append((one.position, changes))
            yield shown
            after = found[-1].position

    reached = await sink.replace(workspace_id, rounds(), park)
    log_.info("the read rows were made again", extra={"workspace": workspace_id, "position": reached, "parked": parked})
    return parked
