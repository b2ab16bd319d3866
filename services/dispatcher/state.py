"""What dispatcher remembers of a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from immutables import Map

from contracts.facts.dispatcher import JobAgentSaved, WorkflowSaved
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, VersionCreated
from contracts.facts.policy import FreezeOverridden, FreezeSaved
from contracts.shapes import ACTIVE, JobStatus, Json
from services.dispatcher.plan_state import Plans


class Documents(NamedTuple):
    """The documents that a job's configuration is made of, by the positions of their facts; agent 0 means no agent."""

    agent: int
    deployment: int
    version: int


class OfRun(NamedTuple):
    """Of which workflow run a job is, and for what; `workflow` and `resource` are positions of documents (resource 0: for none)."""

    run_id: str
    workflow_id: str
    step: str
    resource_id: str | None
    workflow: int
    resource: int


class Lease(NamedTuple):
    """A claim for a time: who names `claim_id` may move the job on."""

    claim_id: str
    instance: str
    seconds: float
    expires_at: datetime


class Job(NamedTuple):
    """One job, as far as decisions need it.

    A job of a workflow run has no target, release or version (all empty): it is `run`'s, and blocks nothing.

    Attributes:
        target: key of its release target.
        position: where it was created.
        deadline_at: when it fails unless it ended before; counted anew when it is reopened.
        dispatched: the intent to hand it to its agent was recorded; not so of a run's job that waits for a place (`State.held`).
        look_again_at: when the agent is to be asked how it stands; None when somebody tells us.
        observation: how often the agent answered, its dispatch included; 0 as long as it has not taken the job over.
        moved_at: where it, or another job of the same attempt, was made or last moved on.
        run: the workflow run that it is of; None for the job of a release.
        calls: how often it was tried in vain to hand it over.
        call_at: when that is tried again; None for at once.
        stops: how often it was tried in vain to stop it; None when there is nothing to stop.
        stop_at: when that is tried again.
        lease: of the claim by which a pull agent has it for a time; None where a claim holds until the deadline.
        claims: how often it was taken.
        told_at: the newest time that the outside gave with what it told.
        unsettled: it moved on before its first call was answered, so that nobody knows whether it runs outside.
        counts_from: since when its time counts where that is not its creation: it waited for a place, or was reopened.
    """

    target: str
    position: int
    release_id: str
    version_id: str
    agent_id: str
    documents: Documents
    attempt: int
    rollback: bool
    status: JobStatus
    message: str | None
    external_id: str | None
    metadata: tuple[tuple[str, str], ...]
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    deadline_at: datetime
    dispatched: bool
    look_again_at: datetime | None
    observation: int
    moved_at: int = 0
    run: OfRun | None = None
    calls: int = 0
    call_at: datetime | None = None
    stops: int | None = None
    stop_at: datetime | None = None
    lease: Lease | None = None
    claims: int = 0
    told_at: datetime | None = None
    unsettled: bool = False
    counts_from: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether it blocks another dispatch on its target."""
        return self.status in ACTIVE

    @property
    def time_allowed(self) -> timedelta:
        """How long it may take."""
        return self.deadline_at - (self.counts_from or self.created_at)


class Cleared(NamedTuple):
    """A clearance of a version: what policy took into account (`at`), and when time alone could end it."""

    version_id: str
    at: int
    valid_until: datetime | None


class Desired(NamedTuple):
    """The release that a target should have, and the position of the fact that said so."""

    release_id: str
    version_id: str
    position: int
    rollback: bool


class Standing(NamedTuple):
    """One release target.

    Attributes:
        exists: False once the target vanished; its jobs are remembered, so that it is not deployed twice when it comes back.
        cleared: the newest clearance of each version that may still be dispatched here; a dispatch uses it up.
        newest_job: the job created last, of whatever release.
        active: jobs that block another dispatch; several only when several agents execute one release.
        again: a person wants the desired release dispatched once more.
    """

    exists: bool = False
    desired: Desired | None = None
    cleared: tuple[Cleared, ...] = ()
    newest_job: str | None = None
    active: tuple[str, ...] = ()
    again: bool = False


class StepJobs(NamedTuple):
    """The jobs of a run's step, in the order in which they were made: how many are active, and how many ended without success."""

    ids: tuple[str, ...] = ()
    active: int = 0
    bad: int = 0


class Run(NamedTuple):
    """A workflow run that has not ended.

    Attributes:
        workflow: position of the document that it runs.
        resources: ids of those that it runs for; None where it runs once, for none.
        jobs: by step; one that is not there has not begun.
    """

    workflow_id: str
    workflow: int
    inputs: Json
    resources: tuple[str, ...] | None
    jobs: Map[str, StepJobs] = Map()


class Waiting(NamedTuple):
    """A target's place in a line (`line.py`), and the release that waits. Who came later has a higher number, in whatever line.

    A job of a workflow run stands there under its own id, without a release.
    """

    line: str
    number: int
    release_id: str


class Line(NamedTuple):
    """Targets that wait for the same places, in the order in which they came; or jobs of workflow runs that do.

    Attributes:
        keys: the places that each of them needs (`places.py`).
        pair: what they are targets of (`pair_key`); empty for jobs of runs.
        first: whether they go before the others.
        blocks: targets by number, those of near numbers together.
    """

    keys: tuple[str, ...]
    pair: str
    first: bool
    blocks: Map[int, Map[int, str]] = Map()


class Fresh(NamedTuple):
    """What no clearance of a pair exceeds: where it was given, and how long it holds (None: as long as nobody withdraws it)."""

    at: int
    valid_until: datetime | None


class KnownResource(NamedTuple):
    """A resource's document and where it was recorded."""

    position: int
    fact: ResourceSaved


class Freeze(NamedTuple):
    """A freeze that nobody thawed, and the versions that people let pass."""

    saved: FreezeSaved
    overrides: tuple[FreezeOverridden, ...] = ()


NOWHERE = Standing()


class State(NamedTuple):
    """The fold of a workspace's log; a named tuple, because changing one of many fields is cheap.

    A rollback runs with the configuration that once worked, so older documents of agents, deployments and versions stay known under
    their positions; the maps by id say which position is today's.

    Attributes:
        agents, deployments, versions, environments: position of the newest document by id.
        agent_documents, deployment_documents, version_documents: documents by position (as text).
        resources: today's documents by id.
        releases: position of the fact that made a release, by release id.
        targets: by target key.
        jobs: by job id.
        attempts: how often a release was dispatched, by release id.
        succeeded: the jobs of a release's newest success, by release id.
        without_agent: targets whose newest job found no agent, by resource id.
        gate: position of the newest fact that may close the whole workspace.
        withdrawn: position of the newest withdrawal, by `pair_key`.
        environment_documents: today's documents by id.
        links: the systems of each deployment and environment, and the members of each system.
        freezes: those that were not thawed, by id.
        waiting: targets for which something waits that needs no clearance, and when a freeze that holds it lets it go by itself.
        instants: how many of them have each instant.
        workflows: position of the newest document by id.
        workflow_documents: documents by position (as text): a run goes on as the workflow was when it began.
        runs: workflow runs that have not ended, by id.
        planning: plans that are being computed.
        outside: jobs by what their agents call them (`outside_key`).
        running: how many active jobs an agent has, and how many targets with active jobs a deployment, by key (`places.py`).
        held: targets and jobs of workflow runs that wait for a free place. held_on: those of each resource.
        lines: in which they wait, by `line_of`. queues: the lines that need each key.
        arrived: how many ever came to a line.
        fresh: bounds of the clearances of each pair, by `pair_key`.
        members: resources of the targets of each pair, by `pair_key`. pairs: the pairs of each deployment and of each environment.
    """

    workspace_id: str
    agents: Map[str, int] = Map()
    agent_documents: Map[str, JobAgentSaved] = Map()
    deployments: Map[str, int] = Map()
    deployment_documents: Map[str, DeploymentSaved] = Map()
    versions: Map[str, int] = Map()
    version_documents: Map[str, VersionCreated] = Map()
    environments: Map[str, int] = Map()
    resources: Map[str, KnownResource] = Map()
    releases: Map[str, int] = Map()
    targets: Map[str, Standing] = Map()
    jobs: Map[str, Job] = Map()
    attempts: Map[str, int] = Map()
    succeeded: Map[str, tuple[str, ...]] = Map()
    without_agent: Map[str, tuple[str, ...]] = Map()
    gate: int = 0
    withdrawn: Map[str, int] = Map()
    environment_documents: Map[str, EnvironmentSaved] = Map()
    links: Map[str, frozenset[str]] = Map()
    freezes: Map[str, Freeze] = Map()
    waiting: Map[str, datetime | None] = Map()
    instants: Map[datetime, int] = Map()
    workflows: Map[str, int] = Map()
    workflow_documents: Map[str, WorkflowSaved] = Map()
    runs: Map[str, Run] = Map()
    planning: Plans = Plans()
    outside: Map[str, str] = Map()
    running: Map[str, int] = Map()
    held: Map[str, Waiting] = Map()
    held_on: Map[str, tuple[str, ...]] = Map()
    lines: Map[str, Line] = Map()
    queues: Map[str, tuple[str, ...]] = Map()
    arrived: int = 0
    fresh: Map[str, Fresh] = Map()
    members: Map[str, Map[str, bool]] = Map()
    pairs: Map[str, Map[str, bool]] = Map()

    def agent(self, position: int) -> JobAgentSaved:
        """The agent document recorded at a position."""
        return self.agent_documents[str(position)]

    def deployment(self, position: int) -> DeploymentSaved:
        """The deployment document recorded at a position."""
        return self.deployment_documents[str(position)]

    def version(self, position: int) -> VersionCreated:
        """The version document recorded at a position."""
        return self.version_documents[str(position)]

    def workflow(self, position: int) -> WorkflowSaved:
        """The workflow document recorded at a position."""
        return self.workflow_documents[str(position)]

    def todays_agents(self) -> Iterator[tuple[int, JobAgentSaved]]:
        """Today's agents with the positions of their documents, in the order of their ids."""
        for agent_id in sorted(self.agents):
            position = self.agents[agent_id]
            yield position, self.agent(position)


def pair_key(deployment_id: str, environment_id: str) -> str:
    """Names a deployment in an environment."""
    return f"{deployment_id}:{environment_id}"


def outside_key(agent_id: str, external_id: str) -> str:
    """Names a job as its agent does."""
    return f"{agent_id}/{external_id}"
