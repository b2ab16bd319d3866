"""Finds the run of a job among the runs of its workflow: GitHub says nothing of the run when it is asked to start one.

https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote
from weakref import WeakValueDictionary

from contracts.shapes import Json
from libs.webhooks.told import moment
from services.dispatcher.adapters.github_api import GithubApi, Installation, object_of
from services.dispatcher.adapters.outcome import Rejected

PAGE: Final = 100
PAGES: Final = 10
"""GitHub gives no more than 1,000 runs of one search."""

SEARCHES: Final = 3
"""Each search goes on where the one before it ended."""

FRESH: Final = timedelta(seconds=5)
"""So long is the newest page good for all jobs of a workflow that are looked after: one call instead of one for each of them."""

MAX_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow of a repository, as an installation sees it."""

    installation: Installation
    owner: str
    repo: str
    number: int

    @property
    def repository(self) -> str:
        """The path of its repository."""
        return f"/repos/{quote(self.owner, safe='')}/{quote(self.repo, safe='')}"

    @property
    def path(self) -> str:
        return f"{self.repository}/actions/workflows/{self.number}"

    def __str__(self) -> str:
        return f"workflow {self.number} of {self.owner}/{self.repo}"


@dataclass(frozen=True, slots=True)
class _Newest:
    at: datetime
    runs: list[Json]


class Runs:
    """Runs of workflows.

    Args:
        api: GitHub.
        clock: tells the time, in UTC.
    """

    def __init__(self, api: GithubApi, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._clock = clock
        self._newest: OrderedDict[Workflow, _Newest] = OrderedDict()
        self._reading: WeakValueDictionary[Workflow, asyncio.Lock] = WeakValueDictionary()

    async def of_job(self, workflow: Workflow, job_id: str, since: datetime, *, fresh: bool = False) -> Json | None:
        """The run whose name holds a job's id; None where there is none (yet).

        Args:
            since: when the job was handed over at the earliest.
            fresh: what was read a moment ago is not good enough.

        Raises: Held, Rejected, KeyUnusable.
        """
        async for runs in self._pages(workflow, since, fresh):
            for run in runs:
                if names(run, job_id):
                    return run
        return None

    async def by_id(self, workflow: Workflow, run_id: str) -> Json | None:
        """A run that was found before; None where it is gone. Raises: Held, Rejected, KeyUnusable."""
        known = self._newest.get(workflow)
        # The page is read anew only where a run of it is asked for: then it serves the others as well.
        if known is not None and any(str(run.get("id")) == run_id for run in known.runs):
            for run in await self._newest_page(workflow, fresh=False):
                if str(run.get("id")) == run_id:
                    return run
        try:
            answer = await self._api.call(workflow.installation, "GET", f"{workflow.repository}/actions/runs/{run_id}")
        except Rejected as no:
            if no.status in (404, 410):
                return None
            raise
        return object_of(answer)

    async def _pages(self, workflow: Workflow, since: datetime, fresh: bool) -> AsyncIterator[list[Json]]:
        """The runs that were created since then, newest first."""
        until = oldest = None
        for _ in range(SEARCHES):
            for page in range(1, PAGES + 1):
                first = until is None and page == 1
                runs = await (self._newest_page(workflow, fresh) if first else self._page(workflow, page, until))
                yield runs
                oldest = moment(runs[-1].get("created_at")) if runs else None
                if len(runs) < PAGE or oldest is None or oldest < since:
                    return
            until = oldest

    async def _newest_page(self, workflow: Workflow, fresh: bool) -> list[Json]:
        asked_at = self._clock()
        lock = self._reading.setdefault(workflow, asyncio.Lock())
        async with lock:
            known = self._newest.get(workflow)
            if known is not None and asked_at < (known.at if fresh else known.at + FRESH):
                return known.runs
            began = self._clock()
            runs = await self._page(workflow, 1, None)
            self._newest[workflow] = _Newest(began, runs)
            self._newest.move_to_end(workflow)
            if len(self._newest) > MAX_KEPT:
                self._newest.popitem(last=False)
            return runs

    async def _page(self, workflow: Workflow, page: int, until: datetime | None) -> list[Json]:
        created = f"&created={quote(f'<={until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}', safe='')}" if until is not None else ""
        path = f"{workflow.path}/runs?event=workflow_dispatch&per_page={PAGE}&page={page}{created}"
        told = object_of(await self._api.call(workflow.installation, "GET", path))
        runs = told.get("workflow_runs")
        return [run for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []


def names(run: Json, job_id: str) -> bool:
    """Whether a run's name holds a job's id. Which of the two fields `run-name` is in depends on the version of GitHub."""
    return any(job_id in text for text in (run.get("name"), run.get("display_title")) if isinstance(text, str))
