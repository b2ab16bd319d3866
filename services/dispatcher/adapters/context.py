"""What a job was made from, read back from the log by the positions that its facts name: the root of all templates."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final, cast
from weakref import WeakValueDictionary

from contracts.documents import (
    agent_document,
    dispatch_context,
    release_context,
    resource_document,
    run_context,
    shown_deployment,
    shown_environment,
    stamp,
    version_document,
    workflow_document,
)
from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts.dispatcher import JobAgentSaved, JobCreated, WorkflowJobCreated, WorkflowRunStarted, WorkflowSaved
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, ReleasesCreated, VersionCreated, VersionUpdated
from contracts.shapes import Json
from libs.eventlog.port import EventLog

KEPT: Final = 4_000
"""Facts that are kept in memory; jobs of one rollout share most of them."""
TOGETHER: Final = 32
"""Facts that are read at a time: those of jobs that were made together, or of resources that came together, lie side by side."""
RUNS_KEPT: Final = 200
ROLLOUTS_KEPT: Final = 100
"""Facts with the releases of a rollout, whose jobs are handed over one after another, each looking for its own release."""


class Documents:
    """Facts by position, each read once.

    Args:
        log: where they are.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._kept: OrderedDict[tuple[str, int], Recorded] = OrderedDict()
        self._reading: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()
        self._inputs: OrderedDict[tuple[str, str], Json] = OrderedDict()
        self._variables: OrderedDict[tuple[str, int], dict[str, Json]] = OrderedDict()

    async def at(self, workspace_id: str, position: int) -> Fact:
        """The fact at a position. Raises: LogUnavailable."""
        key, shelf = (workspace_id, position), (workspace_id, (position - 1) // TOGETHER)
        if key not in self._kept:
            reading = self._reading.setdefault(shelf, asyncio.Lock())
            async with reading:  # whoever waits for the same ones finds them read
                if key not in self._kept:
                    for one in await self._log.read(workspace_id, shelf[1] * TOGETHER, TOGETHER):
                        self._kept[workspace_id, one.position] = one
                    while len(self._kept) > KEPT:
                        self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key].fact

    async def context_of(self, workspace_id: str, position: int, config: Json) -> Json:
        """The dispatch context of the job that was created at a position.

        Args:
            config: its merged configuration, as it is recorded (secrets stay references).
        """
        created = await self.at(workspace_id, position)
        if isinstance(created, WorkflowJobCreated):
            agent = agent_document(workspace_id, cast(JobAgentSaved, await self.at(workspace_id, created.agent)))
            return dispatch_context(created.job_id, config, agent, await self._of_run(workspace_id, created))
        job = cast(JobCreated, created)
        agent = agent_document(workspace_id, cast(JobAgentSaved, await self.at(workspace_id, job.snapshot.agent)))
        # The agent of a release's job is shown with what the job runs with.
        return dispatch_context(job.job_id, config, {**agent, "config": config}, await self._of_release(workspace_id, job))

    async def _of_release(self, workspace_id: str, job: JobCreated) -> Json:
        snapshot = job.snapshot
        resource = cast(ResourceSaved, await self.at(workspace_id, snapshot.resource))
        environment = cast(EnvironmentSaved, await self.at(workspace_id, snapshot.environment))
        deployment = cast(DeploymentSaved, await self.at(workspace_id, snapshot.deployment))
        version = cast(VersionCreated | VersionUpdated, await self.at(workspace_id, snapshot.version))
        made = await self.at(workspace_id, snapshot.release)
        release = {
            "id": job.release_id,
            "createdAt": stamp(made.created_at if isinstance(made, ReleasesCreated) else job.created_at),
            "releaseTarget": {
                "resourceId": job.resource_id,
                "environmentId": job.environment_id,
                "deploymentId": job.deployment_id,
            },
            # A rollback may go to a release whose making is not known here: then its variables are not either.
            "variables": self._variables_of((workspace_id, snapshot.release), made).get(job.release_id, {}),
            "encryptedVariables": [],
        }
        return release_context(
            release,
            {
                "resource": resource_document(workspace_id, resource),
                "environment": shown_environment(workspace_id, environment),
                "deployment": shown_deployment(deployment),
                "version": version_document(version),
            },
        )

    def _variables_of(self, key: tuple[str, int], made: Fact) -> dict[str, Json]:
        """The variables of the releases that a fact made, by their ids."""
        if key not in self._variables:
            items = made.items if isinstance(made, ReleasesCreated) else ()
            self._variables[key] = {one.release_id: one.variables for one in reversed(items)}
            while len(self._variables) > ROLLOUTS_KEPT:
                self._variables.popitem(last=False)
        self._variables.move_to_end(key)
        return self._variables[key]

    async def _of_run(self, workspace_id: str, job: WorkflowJobCreated) -> Json:
        workflow = cast(WorkflowSaved, await self.at(workspace_id, job.workflow))
        resource = cast(ResourceSaved, await self.at(workspace_id, job.resource)) if job.resource else None
        return run_context(
            job.run_id,
            workflow_document(workflow),
            await self._inputs_of(workspace_id, job),
            job.job_id,
            job.step,
            resource_document(workspace_id, resource) if resource is not None else None,
        )

    async def _inputs_of(self, workspace_id: str, job: WorkflowJobCreated) -> Json:
        key = (workspace_id, job.run_id)
        if key not in self._inputs:
            facts = [one.fact for one in await self._log.read_stream(workspace_id, f"run/{job.run_id}", 0, 1)]
            self._inputs[key] = next((fact.inputs for fact in facts if isinstance(fact, WorkflowRunStarted)), {})
            while len(self._inputs) > RUNS_KEPT:
                self._inputs.popitem(last=False)
        return self._inputs[key]
