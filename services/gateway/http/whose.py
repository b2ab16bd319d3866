"""Whose is a job that somebody outside names? Looked for in the read tables of all workspaces."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from contracts.envelope import NIL_WORKSPACE
from contracts.shapes import Json
from libs.webhooks.told import Told
from services.gateway.http.deps import Deps

CATCH_UP_S: Final = 2.0
"""How long the rows may take to show a job that was made a moment ago; later its agent is asked how it stands."""


@dataclass(frozen=True, slots=True)
class Held:
    """An agent, or a job of it.

    Attributes:
        type: of the agent; empty of a job, since that is decided where the job is.
        config: the agent's, or the merged one of the job; sealed.
        job_id: None for the agent itself.
    """

    workspace_id: str
    agent_id: str
    type: str
    config: Json
    job_id: str | None = None


class Whose:
    """Looks for agents and jobs in the workspaces that exist."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def agent(self, agent_id: str) -> Held | None:
        """The agent with this id."""
        for workspace_id in await self._living(await self._deps.store.holders("agent", agent_id)):
            row = await self._deps.store.get(workspace_id, "agent", agent_id)
            if row is not None:
                return Held(workspace_id, agent_id, row["type"], row["config"])
        return None

    async def jobs(self, news: Told, *, patiently: bool = False) -> list[Held]:
        """The jobs that news is about; more than one where several workspaces know a run of this name.

        Args:
            patiently: wait until rows show what is recorded now, when there is none.
        """
        found = await self._jobs(news)
        if not found and patiently:
            await self._catch_up()
            found = await self._jobs(news)
        return found

    async def _jobs(self, news: Told) -> list[Held]:
        store = self._deps.store
        found: list[Held] = []
        if news.job_id is not None:
            for workspace_id in await self._living(await store.holders("job", news.job_id)):
                row = await store.get(workspace_id, "job", news.job_id)
                found += [_held(workspace_id, row)] if row is not None else []
        elif external_id := storable(news.external_id):
            for workspace_id in await self._living(await store.holders_of("job", "externalId", external_id)):
                rows = await store.among(workspace_id, "job", "externalId", [external_id])
                found += [_held(workspace_id, row) for row in rows]
        return found

    async def _living(self, workspace_ids: list[str]) -> list[str]:
        if not self._deps.system.loaded:
            await self._deps.system.catch_up_with_log()
        return [one for one in workspace_ids if one in self._deps.system.state.workspaces]

    async def _catch_up(self) -> None:
        heads = await self._deps.log.heads()
        waits = [
            self._deps.progress.reached(workspace_id, head, CATCH_UP_S)
            for workspace_id, head in heads.items()
            if workspace_id != NIL_WORKSPACE and workspace_id in self._deps.system.state.workspaces
        ]
        try:
            async with asyncio.timeout(CATCH_UP_S):
                await asyncio.gather(*waits)
        except TimeoutError:
            return


def storable(text: str | None) -> str | None:
    """The database can not hold NUL; the rest of what is told is worth having."""
    return text.replace("\x00", "") if text is not None else None


def _held(workspace_id: str, row: Json) -> Held:
    return Held(workspace_id, row["jobAgentId"], "", row["jobAgentConfig"], row["id"])
