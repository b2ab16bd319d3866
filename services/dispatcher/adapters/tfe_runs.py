"""Runs of Terraform: how a job stands by its run, and which run is a job's.

https://developer.hashicorp.com/terraform/cloud-docs/run/states
https://developer.hashicorp.com/terraform/cloud-docs/api-docs/run
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Final

from contracts.shapes import JobStatus, Json
from libs.webhooks.told import job_named_in, moment
from services.dispatcher.adapters.port import CancelAnswer, Delayed
from services.dispatcher.adapters.tfe_api import Tfe, attribute

ENDED: Final[Mapping[str, JobStatus]] = {
    "applied": "successful",
    "planned_and_finished": "successful",
    "errored": "failure",
    "discarded": "cancelled",
    "canceled": "cancelled",
    "force_canceled": "cancelled",
}
"""What a run ends as. Terraform sends no notification of the cancelled ones."""

OVERRIDES: Final = frozenset({"policy_override", "policy_soft_failed"})
"""A person has to let a failed policy pass."""


def status_of(run: Json) -> JobStatus:
    """How a job stands with this run, as notifications would tell it; a run that waits to begin is under way for us."""
    status = str(attribute(run, "status"))
    if status in ENDED:
        return ENDED[status]
    waits = status in OVERRIDES or (may(run, "confirmable") and attribute(run, "auto-apply") is not True)
    return "actionRequired" if waits else "inProgress"


def may(run: Json, action: str) -> bool:
    """Whether Terraform would do something with a run now: `cancelable`, `confirmable`, `discardable`."""
    actions = attribute(run, "actions")
    return isinstance(actions, dict) and actions.get(f"is-{action}") is True


async def stopped(tfe: Tfe, run: Json) -> CancelAnswer | Delayed:
    """Cancel a run, or discard what it planned. Raises: Held, Rejected (409: its state changed meanwhile)."""
    run_id, status = str(run["id"]), str(attribute(run, "status"))
    if status in ENDED:
        return CancelAnswer(stopped=True, message=f"Terraform's run {run_id} had ended: {status}.")
    for able, verb in (("cancelable", "cancel"), ("discardable", "discard")):
        if may(run, able):
            await tfe.act(f"runs/{run_id}/actions/{verb}", "It is not wanted any more.")
            return CancelAnswer(stopped=True, message=f"Terraform was asked to {verb} run {run_id}.")
    return Delayed(message=f"Terraform's run {run_id} can neither be cancelled nor discarded while it is {status}.")


def message_of(job_id: str) -> str:
    """What a run that a job starts says of itself: webhooks and look-ups know it by that."""
    return f"Triggered by ctrlplane job {job_id}"


async def run_named(tfe: Tfe, workspace_id: str, key: str, since: datetime) -> Json | None:
    """The run whose message holds a key; None where there is none. Raises: Held, Rejected."""
    async for run in _newest_first(tfe, workspace_id, since, **{"search[basic]": key}):
        if key in str(attribute(run, "message")):
            return run
    return None


async def run_triggered(tfe: Tfe, workspace_id: str, since: datetime) -> Json | None:
    """The first run since then that Terraform started by itself, and that may change something. Raises: Held, Rejected."""
    first = None
    async for run in _newest_first(tfe, workspace_id, since):
        if job_named_in(attribute(run, "message")) is None and attribute(run, "plan-only") is not True:
            first = run
    return first


async def _newest_first(tfe: Tfe, workspace_id: str, since: datetime, **query: str) -> AsyncIterator[Json]:
    async for run in tfe.each(f"workspaces/{workspace_id}/runs", **query):
        created = moment(attribute(run, "created-at"))
        if created is not None and created < since:
            return
        yield run
