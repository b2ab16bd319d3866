"""`tfe`: makes a workspace of Terraform Cloud or Enterprise what a template says, and runs it.

The run is told from others by the job's id in its message. Notifications tell how it stands; it is asked for as well, so that a job also
ends where none comes, or where Terraform sends none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from contracts.agents import TfeConfig
from contracts.shapes import ACTIVE, Json
from libs.outbound.asking import Outbound
from libs.runtime.clock import now
from libs.runtime.outside import Outside
from libs.webhooks.told import moment
from services.dispatcher.adapters.doubts import Doubts
from services.dispatcher.adapters.job_links import with_links
from services.dispatcher.adapters.outcome import Held, Rejected, Unsure
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, Delayed, PlanAnswer, PlanRequest
from services.dispatcher.adapters.tfe_api import Tfe, attribute
from services.dispatcher.adapters.tfe_plan import SpeculativeRuns
from services.dispatcher.adapters.tfe_runs import message_of, run_named, run_triggered, status_of, stopped
from services.dispatcher.adapters.tfe_sync import Notifications, found_workspace, saved_workspace, synced_variables
from services.dispatcher.adapters.tfe_workspace import Workspace, WorkspaceUnusable, workspace_of

WORKSPACE: Final = "tfe/workspace-id"
"""Metadata: the workspace's id."""
ASKED_AT: Final = "tfe/asked-at"
"""Metadata: when Terraform was asked for a run and nobody knows whether it heard."""
WAITING_SINCE: Final = "tfe/waiting-since"
"""Metadata: from when on the next run of the workspace is the job's."""

UNHEARD_FOR: Final = timedelta(minutes=3)
APPEARS_WITHIN: Final = timedelta(seconds=5)
SLACK: Final = timedelta(minutes=10)
"""Terraform's clock and ours may differ, and a call takes its time."""
TRIGGER_SLACK: Final = timedelta(seconds=5)
TAKEN_OVER: Final = timedelta(minutes=2)
"""A run may have been triggered by what a process did that died; it was not long ago."""
DEFAULT_TIMEOUT_S: Final = 3600.0

SOONEST_S: Final = 5.0
LATEST_S: Final = 60.0
WAITING_S: Final = 30.0
"""Lists of runs may be read thirty times a minute."""
REFUSED_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class OwnNotifications:
    """How notifications are signed that come to this service.

    Attributes:
        secret: used where a configuration brings none.
        address: of the Terraform that may be given the secret; a server of somebody's choice must not learn it.
    """

    secret: str = field(repr=False)
    address: str = "https://app.terraform.io"


class TfeAgent:
    """Starts, finds, follows and cancels runs, and makes speculative ones.

    Args:
        outbound: makes the calls.
        own: how notifications are signed by default; None: they are set up only where a configuration says how.
        clock: tells the time, in UTC.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        outbound: Outbound,
        own: OwnNotifications | None = None,
        *,
        clock: Callable[[], datetime] = now,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._outbound = outbound
        self._own = own
        self._clock = clock
        self._pause = pause
        self._doubts = Doubts(clock, APPEARS_WITHIN)
        self._notifications = Notifications()
        self._speculative = SpeculativeRuns(clock)

    @classmethod
    def of(cls, outside: Outside) -> Self:
        """Terraform as this service sees it."""
        own = outside.own
        return cls(
            outside.outbound, OwnNotifications(own.tfe_webhook_secret, own.tfe_address) if own.tfe_webhook_secret else None
        )

    async def dispatch(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Bring the workspace up to date and start its run, or wait for the one that this triggers."""
        doubt = self._doubts.about(request.job_id, request.again)
        try:
            config = TfeConfig.model_validate(request.config)
            workspace = workspace_of(config.template, request.context)
            tfe = self._tfe(config)
            run = await self._started_before(tfe, workspace, request) if doubt and config.trigger_run_on_change else None
            if run is not None:
                answer = self._stands(tfe, workspace.name, request, run)
            else:
                answer = await self._start(tfe, config, workspace, request, doubt)
        except WorkspaceUnusable as why:
            answer = AgentAnswer(status="failure", message=str(why))
        except Rejected as no:
            answer = AgentAnswer(status="failure", message=f"{no.message}{_hint(no.status)}")
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        self._doubts.settled(request.job_id)
        return answer

    async def observe(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Ask for the run, or look for it where it was not seen yet."""
        try:
            config = TfeConfig.model_validate(request.config)
            tfe = self._tfe(config)
            run = await self._run(tfe, config, request)
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except (Rejected, WorkspaceUnusable) as why:
            if isinstance(why, Rejected) and why.status == 404 and request.external_id:
                said = (
                    f"Terraform no longer knows run {request.external_id}: it was deleted, or the token may not see it any more."
                )
                return AgentAnswer(status="externalRunNotFound", message=said)
            # What runs does not end because we may no longer look; the job's deadline does it, or whoever mends this.
            return Delayed(message=str(why), retry_after_s=REFUSED_S)
        if run is None:
            return self._not_there(request)
        return self._stands(tfe, self._name(config, request), request, run)

    async def cancel(self, request: AgentRequest) -> CancelAnswer | Delayed:
        """Cancel the run, or discard its plan, once it is there."""
        try:
            config = TfeConfig.model_validate(request.config)
            tfe = self._tfe(config)
            if request.external_id is None and WAITING_SINCE in request.metadata:
                return CancelAnswer(
                    stopped=True, message="No run was triggered for the job yet, and none is waited for any more."
                )
            run = await self._run(tfe, config, request)
            if run is None:
                return self._nothing_to_cancel(request)
            return await stopped(tfe, run)
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except (Rejected, WorkspaceUnusable) as why:
            match why:
                case Rejected(status=404):
                    return CancelAnswer(stopped=True, message=f"There is nothing to cancel: {why}")
                case Rejected(status=409):
                    # Its state changed while we looked at it.
                    return Delayed(message=why.message)
            return CancelAnswer(stopped=False, message=str(why))

    async def plan(self, request: PlanRequest) -> PlanAnswer | Delayed:
        """Start a speculative run and say what it found; `Delayed` while it is under way."""
        try:
            config = TfeConfig.model_validate(request.config)
            workspace = workspace_of(config.template, request.context)
            return await self._speculative.planned(self._tfe(config), workspace, request)
        except WorkspaceUnusable as why:
            return PlanAnswer(status="errored", message=str(why))

    async def _start(self, tfe: Tfe, config: TfeConfig, workspace: Workspace, request: AgentRequest, doubt: bool) -> AgentAnswer:
        began = self._clock()
        workspace_id = await saved_workspace(tfe, workspace)
        await synced_variables(tfe, workspace_id, workspace.variables)
        note = await self._told(tfe, config, workspace_id)
        known = {WORKSPACE: workspace_id}
        page = tfe.page_of(workspace.name)
        if not config.trigger_run_on_change:
            since = began - (TAKEN_OVER if doubt else TRIGGER_SLACK)
            return AgentAnswer(
                status="inProgress",
                message=f"Workspace {workspace.name} is as the template says, waiting for a VCS-triggered run. {note}".strip(),
                metadata={**known, WAITING_SINCE: since.isoformat(), **with_links(request.metadata, Workspace=page)},
                look_again_s=WAITING_S,
            )
        asked_at = self._clock()
        said = {"message": message_of(request.job_id)}
        try:
            run = await tfe.save("POST", "runs", "runs", said, belongs_to={"workspace": workspace_id}, starts=True)
        except Unsure as unsure:
            answer = await self._look(tfe, workspace, workspace_id, request, unsure.message)
            if answer is not None:
                return answer
            return AgentAnswer(
                status="inProgress",
                message=f"It is not known whether Terraform runs workspace {workspace.name}, and the run is looked for: {unsure.message}",
                metadata={**known, ASKED_AT: asked_at.isoformat(), **with_links(request.metadata, Workspace=page)},
                look_again_s=SOONEST_S,
            )
        answer = self._stands(tfe, workspace.name, request, run)
        started = f"Terraform's run {run['id']} was started in workspace {workspace.name}. {note}".strip()
        return answer.model_copy(update={"message": started, "metadata": {**known, **answer.metadata}})

    async def _told(self, tfe: Tfe, config: TfeConfig, workspace_id: str) -> str:
        """See to it that its runs are told to us; returns a note for people where they are not."""
        if config.webhook_url is None:
            return ""
        secret = config.webhook_secret or (
            self._own.secret if self._own is not None and self._own.address == tfe.address else None
        )
        if not secret:
            return "Its notifications were not set up, since there is no webhookSecret for that address; its runs are asked for."
        return await self._notifications.ensure(tfe, workspace_id, config.webhook_url, secret)

    async def _look(
        self, tfe: Tfe, workspace: Workspace, workspace_id: str, request: AgentRequest, doubt: str
    ) -> AgentAnswer | None:
        """Nobody knows whether the run was started: look for it, and never ask for another one."""
        try:
            run = await run_named(tfe, workspace_id, request.job_id, self._since(request))
        except (Held, Rejected):
            return None
        return self._stands(tfe, workspace.name, request, run) if run is not None else None

    async def _started_before(self, tfe: Tfe, workspace: Workspace, request: AgentRequest) -> Json | None:
        known = await found_workspace(tfe, workspace.name)
        if known is None:
            return None
        run = await run_named(tfe, str(known["id"]), request.job_id, self._since(request))
        if run is None and (left_s := self._doubts.wait_s((tfe.address, tfe.organization))) > 0:
            await self._pause(left_s)
            run = await run_named(tfe, str(known["id"]), request.job_id, self._since(request))
        return run

    async def _run(self, tfe: Tfe, config: TfeConfig, request: AgentRequest) -> Json | None:
        """The job's run; None where it is not there (yet). Raises: Held, Rejected, WorkspaceUnusable."""
        if request.external_id is not None and request.external_id.startswith("run-"):
            return await tfe.get(f"runs/{request.external_id}")
        workspace_id = request.metadata.get(WORKSPACE)
        if workspace_id is None:
            known = await found_workspace(tfe, workspace_of(config.template, request.context).name)
            if known is None:
                return None
            workspace_id = str(known["id"])
        since = moment(request.metadata.get(WAITING_SINCE))
        if since is not None:
            return await run_triggered(tfe, workspace_id, since)
        return await run_named(tfe, workspace_id, request.job_id, self._since(request))

    def _nothing_to_cancel(self, request: AgentRequest) -> CancelAnswer | Delayed:
        asked_at = moment(request.metadata.get(ASKED_AT))
        said = "No run of the workspace holds the job's id in its message."
        if asked_at is not None and self._clock() - asked_at > UNHEARD_FOR:
            return CancelAnswer(stopped=True, message=said)
        # It may be about to appear.
        return Delayed(message=said)

    def _stands(self, tfe: Tfe, workspace: str, request: AgentRequest, run: Json) -> AgentAnswer:
        run_id, status = str(run["id"]), status_of(run)
        page = tfe.page_of(workspace, run_id) if workspace else None
        metadata = with_links(request.metadata, Run=page, Workspace=tfe.page_of(workspace) if workspace else None)
        if page is not None and "run_url" not in request.metadata:
            metadata["run_url"] = page
        asks = " It waits for a person: confirm it, or discard it." if status == "actionRequired" else ""
        return AgentAnswer(
            status=status,
            message=f"Terraform says of run {run_id}: {attribute(run, 'status')}.{asks}",
            external_id=run_id,
            metadata=metadata,
            look_again_s=self._later(moment(attribute(run, "created-at"))) if status in ACTIVE else None,
        )

    def _not_there(self, request: AgentRequest) -> AgentAnswer:
        if WAITING_SINCE in request.metadata:
            return AgentAnswer(status="inProgress", look_again_s=WAITING_S)
        asked_at = moment(request.metadata.get(ASKED_AT))
        if asked_at is not None and self._clock() - asked_at <= UNHEARD_FOR:
            return AgentAnswer(status="inProgress", look_again_s=self._later(asked_at))
        minutes = int(UNHEARD_FOR.total_seconds() // 60)
        said = f"Terraform did not say whether it runs the workspace, and no run with the job's id in its message appeared within {minutes} min."
        return AgentAnswer(status="externalRunNotFound", message=said)

    def _later(self, began: datetime | None) -> float:
        """When to look again: soon after it began, seldom when it has run for long."""
        age_s = (self._clock() - began).total_seconds() if began is not None else LATEST_S
        return min(max(age_s / 10, SOONEST_S), LATEST_S)

    def _since(self, request: AgentRequest) -> datetime:
        """When the job was handed over at the earliest: as it is noted, else no longer ago than it may take."""
        noted = moment(request.metadata.get(ASKED_AT))
        if noted is not None:
            return noted - SLACK
        timeout_s = TfeConfig.model_validate(request.config).timeout_seconds or DEFAULT_TIMEOUT_S
        return self._clock() - timedelta(seconds=timeout_s) - SLACK

    def _tfe(self, config: TfeConfig) -> Tfe:
        return Tfe(self._outbound, config.address, config.organization, config.token, self._clock)

    @staticmethod
    def _name(config: TfeConfig, request: AgentRequest) -> str:
        """The workspace's name, for links; empty where the template can no longer be rendered."""
        try:
            return workspace_of(config.template, request.context).name
        except WorkspaceUnusable:
            return ""


def _hint(status: int) -> str:
    match status:
        case 401:
            return " Check the token."
        case 404:
            return " Check address and organization, and that the token may manage workspaces there."
        case _:
            return ""
