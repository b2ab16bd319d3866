"""`argo-workflow`: submits the Workflow that a template renders to.

The workflow is told from others by the label `job-id`, and is named after the job: Kubernetes takes no two objects of one name, so a job has
one workflow, however often it is submitted. Webhooks tell how it stands; it is asked for as well, so that a job also ends where none comes.

https://argo-workflows.readthedocs.io/en/latest/swagger/ (WorkflowService, ArchivedWorkflowService)
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from contracts.agents import ArgoWorkflowConfig
from contracts.shapes import ACTIVE, Json
from libs.outbound.asking import Outbound
from libs.runtime.clock import now
from libs.webhooks.argo_workflow import PHASES
from libs.webhooks.told import moment
from services.dispatcher.adapters.argo_api import ArgoServer, part
from services.dispatcher.adapters.argo_names import NAMESPACE, ManifestUnusable, manifest_of, sanitised
from services.dispatcher.adapters.job_links import with_links
from services.dispatcher.adapters.outcome import MAX_SAID, Held, Rejected, Unsure
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, Delayed, PlanAnswer, PlanRequest

LABEL: Final = "job-id"
WORKFLOW: Final = "argo/workflow"
"""Metadata: namespace and name of the workflow."""

_NOTED: Final = re.compile(rf"({NAMESPACE.pattern})/([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)")

PREFIX: Final = 40
"""Characters of a name before what is the job's: Argo names pods after the workflow and its steps, and Kubernetes cuts at 63."""
SOONEST_S: Final = 5.0
LATEST_S: Final = 60.0
REFUSED_S: Final = 60.0
"""Before a workflow is asked for again where the server refused to tell."""

_ENOUGH: Final = {"fields": "metadata,status.phase,status.message,status.startedAt"}
"""A workflow's status names every step, which is more than we read."""


class Place(NamedTuple):
    """Where a workflow is."""

    namespace: str
    name: str

    @property
    def path(self) -> str:
        return f"{_list_path(self.namespace)}/{quote(self.name, safe='')}"

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class ArgoWorkflow:
    """Submits, finds, follows and stops workflows.

    Args:
        outbound: makes the calls.
        clock: tells the time, in UTC.
    """

    def __init__(self, outbound: Outbound, *, clock: Callable[[], datetime] = now) -> None:
        self._outbound = outbound
        self._clock = clock

    async def dispatch(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Submit the workflow, unless the job has one."""
        config = ArgoWorkflowConfig.model_validate(request.config)
        server = self._server(config)
        try:
            workflow = await _rendered(config, request)
            found = await self._labelled(server, workflow["metadata"]["namespace"], request.job_id)
            return self._stands(server, request, found or await self._submitted(server, workflow, request.job_id))
        except ManifestUnusable as why:
            return AgentAnswer(status="failure", message=str(why))
        except Rejected as no:
            return AgentAnswer(status="failure", message=f"{no.message}{_hint(no.status)}")
        except (Held, Unsure) as why:
            # Whether it was submitted or not, the next call finds it by its label or, at the latest, by its name.
            return Delayed(message=why.message, retry_after_s=why.retry_after_s if isinstance(why, Held) else None)

    async def observe(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Ask for the workflow."""
        config = ArgoWorkflowConfig.model_validate(request.config)
        server = self._server(config)
        try:
            place = _place(request) or _place_of(await _rendered(config, request))
            workflow = await self._found(server, place) or await self._archived(server, request)
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except (Rejected, ManifestUnusable) as why:
            # What runs does not end because we may no longer look; the job's deadline does it, or whoever mends this.
            return Delayed(message=str(why), retry_after_s=REFUSED_S)
        if workflow is None:
            said = (
                f"Argo Workflows no longer knows {place}, nor does its archive: it was deleted before anybody told how it ended."
            )
            return AgentAnswer(status="externalRunNotFound", message=said)
        return self._stands(server, request, workflow)

    async def cancel(self, request: AgentRequest) -> CancelAnswer | Delayed:
        """Stop the workflow. Its exit handlers still run: they may have to clean up."""
        config = ArgoWorkflowConfig.model_validate(request.config)
        server = self._server(config)
        try:
            place = _place(request)
            if place is None:
                workflow = await _rendered(config, request)
                labelled = await self._labelled(server, workflow["metadata"]["namespace"], request.job_id)
                place = _place_of(labelled or workflow)
            if (ended := await self._ended(server, place)) is not None:
                return ended
            try:
                await server.call("PUT", f"{place.path}/stop", json={"namespace": place.namespace, "name": place.name})
            except (Held, Rejected):
                # One that ended in this very moment can not be stopped.
                if (ended := await self._ended(server, place)) is not None:
                    return ended
                raise
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except (Rejected, ManifestUnusable) as why:
            return CancelAnswer(stopped=False, message=str(why))
        return CancelAnswer(stopped=True, message=f"Argo Workflows was asked to stop {place}.")

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        """Argo Workflows makes no dry runs."""
        return PlanAnswer(status="unsupported", message="An Argo workflow can not say what it would change.")

    # --- calls ---------------------------------------------------------------------------------------------------------------------

    def _server(self, config: ArgoWorkflowConfig) -> ArgoServer:
        return ArgoServer(self._outbound, config.server_url, config.api_key, config.http_insecure, self._clock)

    async def _submitted(self, server: ArgoServer, workflow: Json, job_id: str) -> Json:
        """The workflow, submitted now or before. Raises: Held, Unsure, Rejected."""
        try:
            return await self._submit(server, workflow, job_id)
        except Unsure as doubt:
            if doubt.status != 500:
                raise
        # Errors of this kind may come after it was submitted, and most of them stay: the second answer counts.
        try:
            return await self._submit(server, workflow, job_id)
        except Unsure as doubt:
            if doubt.status != 500:
                raise
            raise Rejected(doubt.message, doubt.status) from None

    async def _submit(self, server: ArgoServer, workflow: Json, job_id: str) -> Json:
        place = _place_of(workflow)
        body = {"namespace": place.namespace, "workflow": workflow}
        try:
            return await server.call("POST", _list_path(place.namespace), json=body, starts=True)
        except Unsure:
            # By its name it is found as soon as Kubernetes has it.
            found = await self._found(server, place)
            if found is None or _job_of(found) != job_id:
                raise
        except Rejected as no:
            found = await self._found(server, place) if no.status == 409 else None
            if found is None or _job_of(found) != job_id:
                raise
        return found

    async def _found(self, server: ArgoServer, place: Place) -> Json | None:
        return await server.found(f"{place.path}?{urlencode(_ENOUGH)}")

    async def _labelled(self, server: ArgoServer, namespace: str, job_id: str) -> Json | None:
        """The workflow with the job's label; the first one, because people may submit a copy of it, which has the same labels."""
        told = await server.call(
            "GET", f"{_list_path(namespace)}?{urlencode({'listOptions.labelSelector': f'{LABEL}={job_id}'})}"
        )
        items = told.get("items")
        found = [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []
        return min(found, key=lambda one: str(part(one, "metadata", "creationTimestamp") or ""), default=None)

    async def _archived(self, server: ArgoServer, request: AgentRequest) -> Json | None:
        """The workflow as the archive keeps it, if there is one, after Kubernetes has deleted it."""
        if request.external_id is None:
            return None
        try:
            return await server.found(f"/api/v1/archived-workflows/{quote(request.external_id, safe='')}")
        except Rejected:
            return None
        except Held as held:
            # This is how a server answers that keeps no archive: nobody knows more than before.
            if held.status in (500, 501) and "not supported" in held.message:
                return None
            raise

    async def _ended(self, server: ArgoServer, place: Place) -> CancelAnswer | None:
        """The answer where there is nothing to stop (any more)."""
        workflow = await self._found(server, place)
        if workflow is None:
            return CancelAnswer(stopped=True, message=f"There is no workflow {place}.")
        if PHASES.get(str(part(workflow, "status", "phase")), "pending") in ACTIVE:
            return None
        return CancelAnswer(stopped=True, message=f"Workflow {place} had ended.")

    def _stands(self, server: ArgoServer, request: AgentRequest, workflow: Json) -> AgentAnswer:
        place = _place_of(workflow)
        phase = str(part(workflow, "status", "phase") or "")
        status = PHASES.get(phase, "inProgress")
        said = str(part(workflow, "status", "message") or "")[:MAX_SAID]
        uid = part(workflow, "metadata", "uid")
        link = f"{server.shown}/workflows/{quote(place.namespace, safe='')}/{quote(place.name, safe='')}"
        metadata = with_links(request.metadata, **{"Argo Workflow": link})
        return AgentAnswer(
            status=status,
            message=f"Argo Workflows says of {place}: {phase or 'submitted'}{f' ({said})' if said else ''}.",
            external_id=str(uid) if uid else None,
            metadata={**metadata, WORKFLOW: str(place)},
            look_again_s=self._later(workflow) if status in ACTIVE else None,
        )

    def _later(self, workflow: Json) -> float:
        """When to look again: soon after it began, seldom when it has run for long."""
        began = moment(part(workflow, "metadata", "creationTimestamp"))
        age_s = (self._clock() - began).total_seconds() if began is not None else 0.0
        return min(max(age_s / 10, SOONEST_S), LATEST_S)


def workflow_of(config: ArgoWorkflowConfig, context: Mapping[str, Any], job_id: str) -> Json:
    """The Workflow as it is submitted: labelled with its job, and named after it. Raises: ManifestUnusable."""
    workflow = manifest_of(config.template, context, "Workflow")
    metadata = workflow["metadata"]
    prefix = f"{sanitised(metadata.get('generateName') or config.name or 'workflow')[:PREFIX].rstrip('-')}-"
    metadata["generateName"] = prefix
    # What Kubernetes would append is random, and two of them would be two runs.
    metadata["name"] = prefix + hashlib.sha256(job_id.encode()).hexdigest()[:10]
    metadata["namespace"] = metadata.get("namespace") or "default"
    metadata["labels"][LABEL] = job_id
    return {key: value for key, value in workflow.items() if key != "status"}


async def _rendered(config: ArgoWorkflowConfig, request: AgentRequest) -> Json:
    # A template may take a second of computing: nobody else is to wait for it.
    return await asyncio.to_thread(workflow_of, config, request.context, request.job_id)


def _list_path(namespace: str) -> str:
    return f"/api/v1/workflows/{quote(namespace, safe='')}"


def _place_of(workflow: Json) -> Place:
    return Place(str(part(workflow, "metadata", "namespace") or "default"), str(part(workflow, "metadata", "name")))


def _place(request: AgentRequest) -> Place | None:
    """Where the job's workflow is, as it is noted; people may write anything into a job's metadata."""
    found = _NOTED.fullmatch(request.metadata.get(WORKFLOW, ""))
    return Place(found[1], found[2]) if found else None


def _job_of(workflow: Json) -> Any:
    return part(workflow, "metadata", "labels", LABEL)


def _hint(status: int) -> str:
    match status:
        case 301 | 302 | 303 | 307 | 308:
            return " Check serverUrl: it leads somewhere else, perhaps from http to https."
        case 401:
            return " Check apiKey: it is sent as it is, and most tokens begin with `Bearer `."
        case 403:
            return " The account of apiKey must be allowed to create, get, list and update workflows in that namespace."
        case 404:
            return " Check serverUrl, and that the namespace is there."
        case 409:
            return " A workflow of that name is there already and belongs to something else."
        case _:
            return ""
