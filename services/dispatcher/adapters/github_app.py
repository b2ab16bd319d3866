"""`github-app`: starts a workflow of GitHub Actions by a GitHub App.

The run is told from others by the job's id in its name (`run-name: … ${{ inputs.job_id }}`). Webhooks tell how it stands; it is asked for
as well, so that a job also ends where no webhook comes.

https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from contracts.agents import GithubAppConfig
from contracts.shapes import ACTIVE, Json
from libs.runtime.clock import now
from libs.webhooks.github import status_of
from libs.webhooks.told import moment
from services.dispatcher.adapters.doubts import Doubts
from services.dispatcher.adapters.github_api import AppKey, GithubApi, Installation, KeyUnusable, object_of
from services.dispatcher.adapters.github_runs import Runs, Workflow
from services.dispatcher.adapters.job_links import with_links
from services.dispatcher.adapters.outcome import Held, Rejected, Unsure
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, Delayed, PlanAnswer, PlanRequest

ACCEPTED_AT: Final = "github/accepted-at"
"""Metadata: when GitHub said that it starts a run."""
ASKED_AT: Final = "github/asked-at"
"""Metadata: when it was asked for a run and nobody knows whether it heard."""

UNHEARD_FOR: Final = timedelta(minutes=3)
"""A run that GitHub did not say it would start is looked for so long."""
UNNAMED_AFTER: Final = timedelta(minutes=5)
"""A run that it did say it would start, and that is not there after so long, does not hold the job's id in its name."""

SLACK: Final = timedelta(minutes=10)
"""GitHub's clock and ours may differ, and a call takes its time."""
DEFAULT_TIMEOUT_S: Final = 3600.0

APPEARS_WITHIN: Final = timedelta(seconds=15)
"""A run is listed some seconds after it was started. Before we start one that a process that died may have started, we look, wait so long
since we took over, and look again."""

SOONEST_S: Final = 5.0
LATEST_S: Final = 60.0
REFUSED_S: Final = 60.0
"""Before a run is asked for again where GitHub refused to tell."""

MAX_KEPT: Final = 10_000


class _Unusable(Exception):
    """The configuration can not be used; the message says what to mend."""


class GithubApp:
    """Starts, finds, follows and cancels runs.

    Args:
        api: GitHub, with the App that the service was started with, if any.
        clock: tells the time, in UTC.
        pause: waits so many seconds.
    """

    def __init__(
        self, api: GithubApi, *, clock: Callable[[], datetime] = now, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._api = api
        self._clock = clock
        self._pause = pause
        self._runs = Runs(api, clock)
        self._logins: OrderedDict[tuple[Installation, int], str] = OrderedDict()
        self._doubts = Doubts(clock, APPEARS_WITHIN)

    async def dispatch(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Ask for a run; it is pending until the run is seen."""
        doubt = self._doubts.about(request.job_id, request.again)
        try:
            config = GithubAppConfig.model_validate(request.config)
            workflow = await self._workflow(config)
            if doubt and (run := await self._started_before(workflow, request)) is not None:
                answer = self._stands(workflow, request, run)
            else:
                answer = await self._start(workflow, config, request)
        except (_Unusable, KeyUnusable) as why:
            answer = AgentAnswer(status="failure", message=str(why))
        except Rejected as no:
            answer = AgentAnswer(status="invalidIntegration", message=f"{no.message}{_hint(no.status)}")
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        self._doubts.settled(request.job_id)
        return answer

    async def observe(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Ask for the run, or look for it where it was not seen yet."""
        try:
            workflow = await self._workflow(GithubAppConfig.model_validate(request.config))
            run_id = _run_id(request)
            if run_id is None:
                run = await self._runs.of_job(workflow, request.job_id, self._since(request))
                return self._not_there(workflow, request) if run is None else self._stands(workflow, request, run)
            run = await self._runs.by_id(workflow, run_id)
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except (Rejected, _Unusable, KeyUnusable) as why:
            # What runs does not end because we may no longer look; the job's deadline does it, or whoever mends this.
            return Delayed(message=str(why), retry_after_s=REFUSED_S)
        if run is None:
            said = f"GitHub no longer knows run {run_id} of {workflow}: it was deleted, or the App may not see it any more."
            return AgentAnswer(status="externalRunNotFound", message=said)
        return self._stands(workflow, request, run)

    async def cancel(self, request: AgentRequest) -> CancelAnswer | Delayed:
        """Cancel the run, once it is there."""
        try:
            workflow = await self._workflow(GithubAppConfig.model_validate(request.config))
            run_id = _run_id(request)
            if run_id is None:
                run = await self._runs.of_job(workflow, request.job_id, self._since(request), fresh=True)
                if run is None:
                    return self._nothing_to_cancel(workflow, request)
                run_id = str(run.get("id"))
            return await self._cancel(workflow, run_id)
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except (Rejected, _Unusable, KeyUnusable) as why:
            return CancelAnswer(stopped=False, message=str(why))

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        """GitHub makes no dry runs."""
        return PlanAnswer(status="unsupported", message="A GitHub workflow can not say what it would change.")

    async def _start(self, workflow: Workflow, config: GithubAppConfig, request: AgentRequest) -> AgentAnswer:
        asked_at = self._clock()
        body = {"ref": config.ref or "main", "inputs": {"job_id": request.job_id}}
        try:
            await self._api.call(workflow.installation, "POST", f"{workflow.path}/dispatches", json=body, starts=True)
        except Unsure as doubt:
            return await self._look(workflow, request, asked_at, doubt.message)
        return AgentAnswer(
            status="pending",
            message=f"GitHub was asked to run {workflow} on {body['ref']}.",
            metadata={ACCEPTED_AT: asked_at.isoformat()},
            look_again_s=SOONEST_S,
        )

    async def _look(self, workflow: Workflow, request: AgentRequest, asked_at: datetime, doubt: str) -> AgentAnswer:
        """Nobody knows whether the run was started: look for it, and never ask for another one."""
        try:
            run = await self._runs.of_job(workflow, request.job_id, asked_at - SLACK, fresh=True)
        except (Held, Rejected):
            run = None
        if run is not None:
            return self._stands(workflow, request, run)
        return AgentAnswer(
            status="pending",
            message=f"It is not known whether GitHub starts {workflow}, and its run is looked for: {doubt}",
            metadata={ASKED_AT: asked_at.isoformat()},
            look_again_s=SOONEST_S,
        )

    async def _started_before(self, workflow: Workflow, request: AgentRequest) -> Json | None:
        since = self._since(request)
        run = await self._runs.of_job(workflow, request.job_id, since, fresh=True)
        if run is None and (left_s := self._doubts.wait_s(workflow)) > 0:
            await self._pause(left_s)
            run = await self._runs.of_job(workflow, request.job_id, since, fresh=True)
        return run

    async def _cancel(self, workflow: Workflow, run_id: str) -> CancelAnswer | Delayed:
        path = f"{workflow.repository}/actions/runs/{run_id}"
        try:
            await self._api.call(workflow.installation, "POST", f"{path}/cancel")
        except Rejected as no:
            if no.status == 404:
                return CancelAnswer(stopped=True, message=f"Run {run_id} of {workflow} is gone.")
            if no.status != 409:
                raise
            run = await self._runs.by_id(workflow, run_id)
            if run is None or run.get("status") == "completed":
                return CancelAnswer(stopped=True, message=f"Run {run_id} of {workflow} had ended.")
            # GitHub refuses to cancel what is just about to start or to end.
            return Delayed(message=no.message)
        return CancelAnswer(stopped=True, message=f"GitHub was asked to cancel run {run_id} of {workflow}.")

    def _nothing_to_cancel(self, workflow: Workflow, request: AgentRequest) -> CancelAnswer | Delayed:
        handed_over = _at(request, ACCEPTED_AT) or _at(request, ASKED_AT)
        said = f"No run of {workflow} holds the job's id in its name."
        if handed_over is not None and self._clock() - handed_over > UNNAMED_AFTER:
            return CancelAnswer(stopped=True, message=said)
        # It may be about to appear.
        return Delayed(message=said)

    def _stands(self, workflow: Workflow, request: AgentRequest, run: Json) -> AgentAnswer:
        status = status_of(run.get("status"), run.get("conclusion"))
        url = run.get("html_url")
        metadata = with_links(request.metadata, Run=url, Workflow=_workflow_url(run))
        if isinstance(url, str) and "run_url" not in request.metadata:
            metadata["run_url"] = url
        active = status in ACTIVE
        said = f"{run.get('status')}{f', {word}' if (word := run.get('conclusion')) else ''}"
        return AgentAnswer(
            status=status,
            message=f"GitHub says of run {run.get('id')} of {workflow}: {said}.",
            external_id=str(run.get("id")),
            metadata=metadata,
            look_again_s=self._later(moment(run.get("created_at"))) if active else None,
        )

    def _not_there(self, workflow: Workflow, request: AgentRequest) -> AgentAnswer:
        asked_at = _at(request, ASKED_AT)
        if asked_at is not None and self._clock() - asked_at > UNHEARD_FOR:
            minutes = int(UNHEARD_FOR.total_seconds() // 60)
            said = f"GitHub did not say whether it starts {workflow}, and no run with the job's id in its name appeared within {minutes} min."
            return AgentAnswer(status="externalRunNotFound", message=said)
        accepted_at = _at(request, ACCEPTED_AT)
        if accepted_at is not None and self._clock() - accepted_at > UNNAMED_AFTER:
            said = (
                f"GitHub said that it runs {workflow}, but no run holds the job's id in its name: "
                "write `run-name: Deploy ${{ inputs.job_id }}` into the workflow, and declare the input job_id."
            )
            return AgentAnswer(status="pending", message=said, look_again_s=LATEST_S)
        return AgentAnswer(status="pending", look_again_s=self._later(accepted_at or asked_at))

    def _later(self, began: datetime | None) -> float:
        """When to look again: soon after it began, seldom when it has run for long; all jobs of an installation share GitHub's limit."""
        age_s = (self._clock() - began).total_seconds() if began is not None else LATEST_S
        return min(max(age_s / 10, SOONEST_S), LATEST_S)

    def _since(self, request: AgentRequest) -> datetime:
        """When the job was handed over at the earliest: as it is noted, else no longer ago than it may take."""
        noted = _at(request, ACCEPTED_AT) or _at(request, ASKED_AT)
        if noted is not None:
            return noted - SLACK
        timeout_s = GithubAppConfig.model_validate(request.config).timeout_seconds or DEFAULT_TIMEOUT_S
        return self._clock() - timedelta(seconds=timeout_s) - SLACK

    async def _workflow(self, config: GithubAppConfig) -> Workflow:
        """The workflow that a configuration names. Raises: _Unusable, Held, Rejected, KeyUnusable."""
        installation = Installation(self._app(config), config.installation_id)
        owner = config.owner
        if owner is None:
            if config.organization_id is None:
                raise _Unusable("The configuration names neither owner nor organizationId: say whose repository it is.")
            owner = await self._login(installation, config.organization_id)
        return Workflow(installation, owner, config.repo, config.workflow_id)

    def _app(self, config: GithubAppConfig) -> AppKey:
        if config.app_id and config.private_key:
            return AppKey(config.app_id, config.private_key, config.api_url)
        if config.app_id or config.private_key:
            raise _Unusable("appId and privateKey belong together: the configuration holds only one of them.")
        own = self._api.own
        if own is None:
            raise _Unusable(
                "No GitHub App is configured: the service was started without one, and the configuration holds no appId and privateKey."
            )
        if config.api_url != own.api_url:
            # What our own App signs would let that server call GitHub in our name.
            raise _Unusable(
                f"The service's own GitHub App is one of {own.api_url}: {config.api_url} needs its own appId and privateKey."
            )
        return own

    async def _login(self, installation: Installation, organization_id: int) -> str:
        known = self._logins.get((installation, organization_id))
        if known is None:
            answer = await self._api.call(installation, "GET", f"/organizations/{organization_id}")
            known = str(object_of(answer).get("login"))
            self._logins[installation, organization_id] = known
            if len(self._logins) > MAX_KEPT:
                self._logins.popitem(last=False)
        return known


def _run_id(request: AgentRequest) -> str | None:
    """The run, where it is known; people may write anything into a job's external id."""
    known = request.external_id
    return known if known is not None and known.isascii() and known.isdecimal() else None


def _at(request: AgentRequest, key: str) -> datetime | None:
    return moment(request.metadata.get(key))


def _workflow_url(run: Json) -> str | None:
    url, path = run.get("html_url"), run.get("path")
    if not isinstance(url, str) or not isinstance(path, str) or "/actions/runs/" not in url:
        return None
    return f"{url.split('/actions/runs/')[0]}/actions/workflows/{path.split('@')[0].rsplit('/', 1)[-1]}"


def _hint(status: int) -> str:
    match status:
        case 401:
            return " Check appId and privateKey, and this machine's clock."
        case 403 | 404:
            return " Check owner, repo, workflowId and installationId, and that the App may read and write Actions there."
        case 422:
            return " The workflow must be triggered by workflow_dispatch with the input job_id, and must be there at that ref."
        case _:
            return ""
