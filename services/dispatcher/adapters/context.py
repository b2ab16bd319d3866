"""What a job was made from, read back from the log by the positions that its facts name: the root of all templates."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, cast

from contracts.documents import (
    agent_document,
    deployment_document,
    environment_document,
    resource_document,
    stamp,
    version_document,
)
from contracts.fact import Fact
from contracts.facts.dispatcher import JobAgentSaved, JobCreated, WorkflowJobCreated, WorkflowRunStarted, WorkflowSaved
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, ReleasesCreated, VersionCreated, VersionUpdated
from contracts.shapes import Json
from libs.eventlog.port import EventLog

KEPT: Final = 2_000
"""Facts that are kept in memory; jobs of one rollout share most of them."""


class Documents:
    """Facts by position, each read once.

    Args:
        log: where they are.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._kept: OrderedDict[tuple[str, int], Fact] = OrderedDict()

    async def at(self, workspace_id: str, position: int) -> Fact:
        """The fact at a position. Raises: LogUnavailable."""
        key = (workspace_id, position)
        fact = self._kept.get(key)
        if fact is None:
            (recorded,) = await self._log.read(workspace_id, position - 1, 1)
            fact = self._kept[key] = recorded.fact
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return fact

    async def context_of(self, workspace_id: str, position: int, config: Json) -> Json:
        """The dispatch context of the job that was created at a position.

        Args:
            config: its merged configuration, as it is recorded (secrets stay references).
        """
        created = await self.at(workspace_id, position)
        if isinstance(created, WorkflowJobCreated):
            context = await self._of_run(workspace_id, created)
            agent = created.agent
        else:
            job = cast(JobCreated, created)
            context = await self._of_release(workspace_id, job)
            agent = job.snapshot.agent
        document = agent_document(workspace_id, cast(JobAgentSaved, await self.at(workspace_id, agent)))
        if "release" in context:
            document["config"] = config  # the agent of a release's job is shown with what the job runs with
        job_id = cast(JobCreated, created).job_id
        return {**context, "jobAgent": document, "jobAgentConfig": config, "job": {"id": job_id}}

    async def _of_release(self, workspace_id: str, job: JobCreated) -> Json:
        snapshot = job.snapshot
        resource = cast(ResourceSaved, await self.at(workspace_id, snapshot.resource))
        environment = cast(EnvironmentSaved, await self.at(workspace_id, snapshot.environment))
        deployment = cast(DeploymentSaved, await self.at(workspace_id, snapshot.deployment))
        version = version_document(cast(VersionCreated | VersionUpdated, await self.at(workspace_id, snapshot.version)))
        release = await self.at(workspace_id, snapshot.release)
        # A rollback goes to a release whose making is no longer known here: then the variables of its content are not either.
        made = release if isinstance(release, ReleasesCreated) else None
        item = next((one for one in made.items if one.release_id == job.release_id), None) if made is not None else None
        variables = item.variables if item is not None else {}
        return {
            "release": {
                "id": job.release_id,
                "createdAt": stamp(made.created_at if made is not None else job.created_at),
                "releaseTarget": {
                    "resourceId": job.resource_id,
                    "environmentId": job.environment_id,
                    "deploymentId": job.deployment_id,
                },
                "variables": variables,
                "encryptedVariables": [],
                "version": version,
            },
            "deployment": deployment_document(deployment),
            "environment": environment_document(workspace_id, environment),
            "resource": resource_document(workspace_id, resource),
            "version": version,
            "variables": variables,
        }

    async def _of_run(self, workspace_id: str, job: WorkflowJobCreated) -> Json:
        workflow = cast(WorkflowSaved, await self.at(workspace_id, job.workflow))
        inputs = await self._inputs(workspace_id, job)
        steps = [one.model_dump(by_alias=True, exclude={"needs"}) for one in workflow.job_agents]
        context: Json = {
            "workflow": {
                "id": workflow.workflow_id,
                "name": workflow.name,
                "slug": workflow.slug,
                "inputs": [one.model_dump(by_alias=True, exclude_none=True) for one in workflow.inputs],
                "jobs": steps,
                "jobAgents": steps,
            },
            "workflowRun": {"id": job.run_id, "workflowId": job.workflow_id, "inputs": inputs},
            "workflowJob": {"id": job.job_id, "name": job.step},
            "inputs": inputs,
        }
        if job.resource:
            context["resource"] = resource_document(workspace_id, cast(ResourceSaved, await self.at(workspace_id, job.resource)))
        return context

    async def _inputs(self, workspace_id: str, job: WorkflowJobCreated) -> Json:
        for recorded in await self._log.read_stream(workspace_id, f"run/{job.run_id}", 0, 1):
            if isinstance(recorded.fact, WorkflowRunStarted):
                return recorded.fact.inputs
        return {}
