"""What policy remembers of a workspace. `fold.py` makes it from facts; here are its shapes and the questions it can answer itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple

from immutables import Map

from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved
from contracts.facts.policy import FreezeOverridden, FreezeSaved, PolicySaved, SkipCreated, Verdict
from contracts.shapes import ACTIVE, JobStatus, Json, VersionStatus
from services.policy.finding import RuleKey

CheckState = Literal["running", "passed", "failed", "inconclusive", "cancelled"]
Outcome = Literal["running", "passed", "failed", "held"]
"""What a job and its verifications came to; `held`: a verification ended without a verdict, and a person decides."""

Reaction = Literal["hold", "rollBack"]


LONGEST_TOLD: Final = 500
"""Characters of a job's message that are repeated in a sentence."""


class Version(NamedTuple):
    """A version of a deployment, as far as rules and other versions look at it.

    Attributes:
        position: where its newest document is.
        known_since: where its first document is.
        metadata: that of the document itself; never changed.
        dependencies: (deployment, selector) of what must run on the same resource, sorted.
        content_at: where what would be deployed was last changed: status, name and message are only said of it.
        authors: who posted it or changed its content, as the log names people; in order, each once.
    """

    version_id: str
    deployment_id: str
    tag: str
    status: VersionStatus
    created_at: datetime
    position: int
    known_since: int
    name: str
    message: str | None
    metadata: dict[str, str]
    dependencies: tuple[tuple[str, str], ...] = ()
    config: Json = {}  # noqa: RUF012 - shared by all, and never changed, as any document
    job_agent_config: Json = {}  # noqa: RUF012
    content_at: int = 0
    authors: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[datetime, str]:
        """Newer versions have a higher rank."""
        return (self.created_at, self.version_id)


class Policy(NamedTuple):
    """A policy's document and where it was recorded."""

    saved: PolicySaved
    position: int


class Freeze(NamedTuple):
    """A freeze that nobody thawed: its document, where it was recorded, and the versions that people let pass, with where they did so."""

    saved: FreezeSaved
    position: int
    overrides: tuple[Override, ...] = ()


class Override(NamedTuple):
    """A version that a person let pass a freeze."""

    saved: FreezeOverridden
    position: int


class Skip(NamedTuple):
    """A rule that a person let a version pass, and where that was recorded."""

    saved: SkipCreated
    position: int


class Approval(NamedTuple):
    """What one person decided about a version for an environment; `approved` is false of a rejection.

    Attributes:
        name, roles: of the person, as they were then.
        version_at: the version's document that it was decided on; 0 for any.
        earlier: when the same decision on the same content was made before, ascending: an approval that is renewed goes on.
    """

    user_id: str
    approved: bool
    reason: str | None
    decided_at: datetime
    position: int
    name: str = ""
    roles: tuple[str, ...] = ()
    version_at: int = 0
    earlier: tuple[datetime, ...] = ()

    @property
    def told(self) -> str:
        """How to call the person in a sentence."""
        return self.name or self.user_id


class Check(NamedTuple):
    """A verification of a job that a rule requires, or the job's agent (no rule): its newest attempt, which is the one that counts.

    Attributes:
        verification_id: empty until it started.
        ended_at: None until it ended.
        policy_id: of the rule, as it was when the verification was required.
        attempt: 1, and one more each time that a person wants it again.
        told: why it did not pass, bounded.
        reaction: what the metric that failed asks for; None leaves it to rollback rules.
    """

    rule_id: str
    verification_id: str
    state: CheckState
    position: int
    ended_at: datetime | None = None
    policy_id: str = ""
    attempt: int = 1
    told: str = ""
    reaction: Reaction | None = None


class Delay(NamedTuple):
    """A call that the job's agent did not take: why, and when it is made again."""

    agent_name: str
    message: str
    next_at: datetime
    position: int


class Lease(NamedTuple):
    """Who has a job for a time."""

    instance: str
    expires_at: datetime
    position: int


class Queued(NamedTuple):
    """A release that waits for a free place: at an agent, or of the deployment (no agent)."""

    release_id: str
    agent_id: str
    agent_name: str
    limit: int
    since: datetime
    position: int


class Job(NamedTuple):
    """A job as far as rules look at it. `position` is that of its newest status, `made_at` where it was made.

    `delay` and `lease` are only for telling: no rule looks at them.
    """

    job_id: str
    release_id: str
    version_id: str
    agent_id: str
    attempt: int
    rollback: bool
    status: JobStatus
    message: str | None
    completed_at: datetime | None
    position: int
    checks: tuple[Check, ...] = ()
    made_at: int = 0
    delay: Delay | None = None
    lease: Lease | None = None

    @property
    def told(self) -> str:
        """The job's message as far as a sentence has room for it."""
        return bounded(self.message or "")

    @property
    def found_no_agent(self) -> bool:
        """Whether there was nobody to execute it."""
        return self.status == "invalidJobAgent" and not self.agent_id

    @property
    def verified(self) -> bool:
        """Whether no verification is missing: none was required, or all passed."""
        return all(check.state == "passed" for check in self.checks)

    @property
    def outcome(self) -> Outcome:
        """What the job and its verifications came to. One that failed tells the most, one that is still running more than one that ended."""
        if self.status in ACTIVE:
            return "running"
        if self.status != "successful":
            return "failed"
        if not self.checks:
            return "passed"
        states = {check.state for check in self.checks}
        if "failed" in states:
            return "failed"
        if "running" in states:
            return "running"
        return "held" if states - {"passed"} else "passed"


class Clearance(NamedTuple):
    """The newest clearance of a target. Shared by all targets of one fact."""

    version_id: str
    at: int
    valid_until: datetime | None
    cleared_at: datetime


class Successes(NamedTuple):
    """On how many targets a version succeeded, and on how many of these it is verified. Vanished targets may still be counted."""

    jobs: int = 0
    verified: int = 0


class Desired(NamedTuple):
    """The release that planner wants on a target; `rollback` says that it returned to it, `omitted` which variables did not fit into it."""

    release_id: str
    version_id: str
    rollback: bool
    omitted: tuple[str, ...] = ()


class Again(NamedTuple):
    """A person wants the desired release dispatched once more, and no job was made since. Shared by all targets of one fact."""

    reason: str
    asked_at: datetime
    position: int


class Success(NamedTuple):
    """The newest successful job of a target: what runs there."""

    job_id: str
    release_id: str
    version_id: str
    completed_at: datetime


class Mark(NamedTuple):
    """Why and since when a version is marked bad on a target, and where that was recorded. `job_id` is empty where a person did so."""

    version_id: str
    job_id: str
    reason: str
    marked_at: datetime
    position: int


class Standing(NamedTuple):
    """Where a target stands.

    Attributes:
        job_version: the version of its newest job; empty when it has none. The job is the last of that version's jobs there.
        cleared: its newest clearance, until it is withdrawn.
        taken: the newest version that it ever got a job of, other than to go back to it; empty when it had none.
        bad: versions marked bad on it. marks: why, in the same order. asked: versions that a rollback was required of, in order of
            happening.
        lifted: versions whose mark a person ended, until they get a job again: what they came to before counts no more once the target
            has left them.
        again: the redeployment that waits for its job.
        queued: since when its release waits for a free place; only where it is still the desired one that counts.
    """

    desired: Desired | None = None
    current: Success | None = None
    job_version: str = ""
    cleared: Clearance | None = None
    bad: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    taken: str = ""
    marks: tuple[Mark, ...] = ()
    again: Again | None = None
    queued: Queued | None = None
    lifted: tuple[str, ...] = ()

    def mark_of(self, version_id: str) -> Mark | None:
        """Why a version is marked bad; None where it is not."""
        return next((one for one in self.marks if one.version_id == version_id), None)


NOWHERE = Standing()


WHOLE: Final = ""
"""In place of a resource id: all targets of a pair."""


class Pin(NamedTuple):
    """A person's choice of one version. `by` is who chose, as the log names people."""

    version_id: str
    by: str
    reason: str
    position: int
    pinned_at: datetime | None = None


class Held(NamedTuple):
    """The verdict of one rule on one target as it was last recorded. Shared by all targets of one group that have it equally long.

    `since` is when the verdict became what it is; its message and its next look may have changed since.
    """

    verdict: Verdict
    message: str
    look_again_at: datetime | None
    since: datetime | None = None


class Pair(NamedTuple):
    """A deployment in an environment: its release targets, by resource id.

    Attributes:
        targets: position at which each target appeared.
        standings: of targets, and of vanished ones as long as their resource exists, since it may come back.
        jobs: by version, then resource, in order of creation.
        successes: by version; at least as many as `jobs` tells of the targets that exist, so that rarely anything must be counted.
        held: what was recorded, by version, rule and resource; only where a rule once did not allow.
        open: targets with a clearance that no job has used, and its version.
        paced: by version, when a target that did not have it was last cleared for it: the pace of a covered rollout.
        withdrawn_at: position of the newest withdrawal; clearances before it must be issued again.
        instants: when time alone changes something recorded: how many verdicts and open clearances have that instant.
        wake: the earliest of them.
        pins: by resource id, also of vanished targets, and under `WHOLE` that of all targets.
        marks: by version, on how many of the standings it is marked bad.
    """

    deployment_id: str
    environment_id: str
    targets: Map[str, int] = Map()
    standings: Map[str, Standing] = Map()
    jobs: Map[str, Map[str, tuple[Job, ...]]] = Map()
    successes: Map[str, Successes] = Map()
    held: Map[str, Map[RuleKey, Map[str, Held]]] = Map()
    open: Map[str, str] = Map()
    paced: Map[str, datetime] = Map()
    withdrawn_at: int = 0
    instants: Map[datetime, int] = Map()
    wake: datetime | None = None
    pins: Map[str, Pin] = Map()
    marks: Map[str, int] = Map()

    def moved(self, standings: Map[str, Standing], jobs: Map[str, Map[str, tuple[Job, ...]]], open_: Map[str, str]) -> Pair:
        """The pair after a fact about jobs; built directly, since most facts are of this kind."""
        return Pair(
            self.deployment_id, self.environment_id, self.targets, standings, jobs, self.successes, self.held, open_, self.paced,
            self.withdrawn_at, self.instants, self.wake, self.pins, self.marks,
        )  # fmt: skip

    @property
    def key(self) -> str:
        return pair_key(self.deployment_id, self.environment_id)

    def pin_of(self, resource_id: str) -> Pin | None:
        """What a target is pinned to: its own pin comes before that of all targets."""
        return (self.pins.get(resource_id) or self.pins.get(WHOLE)) if self.pins else None

    def jobs_of(self, resource_id: str, version_id: str) -> tuple[Job, ...]:
        """The jobs of a version on a target, oldest first."""
        by_resource = self.jobs.get(version_id)
        return by_resource.get(resource_id, ()) if by_resource is not None else ()

    def newest_job(self, resource_id: str) -> Job | None:
        """The newest job of a target."""
        standing = self.standings.get(resource_id, NOWHERE)
        jobs = self.jobs_of(resource_id, standing.job_version)
        return jobs[-1] if jobs else None

    def is_retry(self, resource_id: str, standing: Standing, at: int) -> bool:
        """Whether a clearance that took facts up to a position into account asks for one more try of the desired release.

        It does when its newest job had ended by then, without success: nothing else clears what was tried.
        """
        desired = standing.desired
        if desired is None or desired.rollback or desired.version_id != standing.job_version:
            return False
        jobs = self.jobs_of(resource_id, standing.job_version)
        if not jobs or jobs[-1].release_id != desired.release_id:
            return False
        together = [job for job in jobs if (job.release_id, job.attempt) == (jobs[-1].release_id, jobs[-1].attempt)]
        return all(job.status not in ACTIVE and job.position <= at for job in together) and any(
            job.status != "successful" for job in together
        )

    def is_used(self, resource_id: str, standing: Standing) -> bool:
        """Whether a job was made for the desired release, so that no clearance is needed any more.

        A job that found no agent does not count: it is made again, on a clearance, once there is an agent.
        """
        if standing.desired is None:
            return False
        jobs = self.jobs_of(resource_id, standing.job_version)
        return bool(jobs) and jobs[-1].release_id == standing.desired.release_id and not jobs[-1].found_no_agent


@dataclass(frozen=True, slots=True)
class State:
    """A workspace as policy knows it.

    Attributes:
        position: the newest folded fact.
        gate: the newest fact that may close the workspace, such as a saved policy or freeze: clearances before it must be issued again.
        links: a system's deployments and environments, and the systems of each deployment and environment.
        newest: a deployment's version ids, newest first.
        approvals: by `version/environment`.
        pairs: by `deployment/environment`.
        places: keys of the pairs of a deployment, of an environment and of a resource.
        dependents: deployments with versions that depend on a deployment, sorted.
        systems: their names.
        freezes: those that were not thawed, also when their time is over: it may be moved. thawed: ids of the others.
        skips: by the version that they are for. skipped: the version of each skip.
    """

    workspace_id: str
    position: int = 0
    gate: int = 0
    policies: Map[str, Policy] = field(default_factory=Map)
    deployments: Map[str, DeploymentSaved] = field(default_factory=Map)
    environments: Map[str, EnvironmentSaved] = field(default_factory=Map)
    resources: Map[str, ResourceSaved] = field(default_factory=Map)
    links: Map[str, frozenset[str]] = field(default_factory=Map)
    versions: Map[str, Version] = field(default_factory=Map)
    newest: Map[str, tuple[str, ...]] = field(default_factory=Map)
    approvals: Map[str, tuple[Approval, ...]] = field(default_factory=Map)
    pairs: Map[str, Pair] = field(default_factory=Map)
    places: Map[str, tuple[str, ...]] = field(default_factory=Map)
    dependents: Map[str, tuple[str, ...]] = field(default_factory=Map)
    systems: Map[str, str] = field(default_factory=Map)
    freezes: Map[str, Freeze] = field(default_factory=Map)
    thawed: Map[str, datetime] = field(default_factory=Map)
    skips: Map[str, tuple[Skip, ...]] = field(default_factory=Map)
    skipped: Map[str, str] = field(default_factory=Map)

    def moved(self, position: int, pairs: Map[str, Pair]) -> State:
        """The state after a fact about a pair; built directly, since most facts are of this kind."""
        return State(
            self.workspace_id, position, self.gate, self.policies, self.deployments, self.environments, self.resources, self.links,
            self.versions, self.newest, self.approvals, pairs, self.places, self.dependents, self.systems, self.freezes,
            self.thawed, self.skips, self.skipped,
        )  # fmt: skip

    def environments_beside(self, entity_id: str) -> tuple[str, ...]:
        """Environments that share a system with a deployment or an environment (itself among them), sorted."""
        near = {member for system in self.links.get(entity_id, frozenset()) for member in self.links.get(system, frozenset())}
        return tuple(sorted(one for one in near if one in self.environments))

    def is_newer(self, version_id: str, than: str) -> bool:
        """Whether a version is newer than another one; also when one of them is not known."""
        one, other = self.versions.get(version_id), self.versions.get(than)
        return one is None or other is None or one.rank > other.rank

    def deployment_name(self, deployment_id: str) -> str:
        """How to call a deployment in a sentence."""
        known = self.deployments.get(deployment_id)
        return known.name if known is not None else deployment_id

    def resource_name(self, resource_id: str) -> str:
        """How to call a resource in a sentence."""
        known = self.resources.get(resource_id)
        return known.name if known is not None else resource_id

    def environment_name(self, environment_id: str) -> str:
        """How to call an environment in a sentence."""
        known = self.environments.get(environment_id)
        return known.name if known is not None else environment_id

    def tag(self, version_id: str) -> str:
        """How to call a version in a sentence."""
        known = self.versions.get(version_id)
        return known.tag if known is not None else version_id


def bounded(text: str) -> str:
    """What others said, on one line, as far as a sentence has room for it."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…"


def pair_key(deployment_id: str, environment_id: str) -> str:
    """The key of a pair."""
    return f"{deployment_id}/{environment_id}"


def approval_key(version_id: str, environment_id: str) -> str:
    """The key of the approvals of a version for an environment."""
    return f"{version_id}/{environment_id}"
