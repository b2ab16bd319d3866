"""A yard of two deployments and three environments in which anything may happen, and what must stay true whatever did."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

from contracts.commands.dispatcher import DeleteJobAgent, SaveJobAgent, SetJobStatus
from contracts.commands.inventory import DeleteResource, ResourceInput, SaveResource
from contracts.commands.planner import (
    CreateVersion,
    LinkDeployment,
    LinkEnvironment,
    SaveDeployment,
    SaveEnvironment,
    SaveSystem,
    UpdateVersion,
)
from contracts.commands.policy.approvals import RecordApproval
from contracts.commands.policy.explanations import ExplainTarget
from contracts.commands.policy.policies import DeletePolicy, RuleInput, SavePolicy
from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import (
    DeploymentDeleted,
    EnvironmentDeleted,
    MarkLifted,
    RollbackStarted,
    TargetsChanged,
    VersionCreated,
    VersionUpdated,
)
from contracts.facts.policy import (
    ApprovalRecorded,
    ClearanceWithdrawn,
    PolicyDeleted,
    PolicySaved,
    TargetsCleared,
    VerificationRequired,
)
from contracts.facts.verifier import VerificationFailed, VerificationPassed, VerificationStarted
from contracts.shapes import (
    ACTIVE,
    AnyApproval,
    EnvironmentProgression,
    GradualRollout,
    JobStatus,
    MetricProvider,
    MetricSpec,
    Retry,
    Rollback,
    Target,
    Verification,
    VersionStatus,
)
from libs.runtime.ids import derived
from libs.runtime.room import Room
from libs.runtime.service import Intent
from libs.simulation.audit import check_decisions, check_memory
from libs.simulation.world import WORKSPACE, World
from services.dispatcher.adapters.performing import built_in_agents, performing
from services.policy.instants import read
from tests.simulation.shop import SERVICES, now_or_never

STAGES = ("dev", "staging", "production")
DEPLOYMENTS = ("api", "web")
NAMES = ("r1", "r2", "r3", "r4")
AGENT = derived(WORKSPACE, "agent")
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Pair = tuple[str, str]
Body = AnyApproval | EnvironmentProgression | GradualRollout | Verification | Rollback | Retry


def rule(body: Body) -> RuleInput:
    """A rule with one body."""
    match body:
        case AnyApproval():
            return RuleInput(any_approval=body)
        case EnvironmentProgression():
            return RuleInput(environment_progression=body)
        case GradualRollout():
            return RuleInput(gradual_rollout=body)
        case Verification():
            return RuleInput(verification=body)
        case Rollback():
            return RuleInput(rollback=body)
        case Retry():
            return RuleInput(retry=body)


def metric(name: str = "errors", **more: Any) -> MetricSpec:
    """A metric that asks the yard's monitoring."""
    fields = {"interval_seconds": 1, "count": 2, "success_condition": "result.json.rate < 0.1", **more}
    url = "http://monitoring/?v={{.version.tag}}&r={{.resource.name}}&e={{.environment.name}}&m=" + name
    fields.setdefault("provider", MetricProvider.model_validate({"type": "http", "url": url}))
    return MetricSpec(name=name, **fields)


class Ledger:
    """A naive second bookkeeping over the log, by which each newly recorded fact is judged."""

    def __init__(self) -> None:
        self.read = 0
        self.gate = 0
        self.policies: dict[str, PolicySaved] = {}
        self.versions: dict[str, VersionCreated | VersionUpdated] = {}
        self.approved: dict[tuple[str, str], dict[str, bool]] = {}
        self.withdrawn: dict[Pair, int] = {}
        self.cleared: dict[tuple[Target, str], tuple[int, datetime | None]] = {}
        self.targets: dict[Pair, set[str]] = {}
        self.jobs: dict[Target, list[JobCreated]] = {}
        self.status: dict[str, str] = {}
        self.checks: dict[str, list[str]] = {}
        self.bad: dict[Target, set[str]] = {}
        self.resources: dict[str, str] = {}
        self.former: set[str] = set()

    def take(self, log: list[Recorded], stage_of: dict[str, str]) -> None:
        """Read on, and judge what was decided."""
        for one in log[self.read :]:
            self._one(one, stage_of)
        self.read = len(log)

    def _one(self, one: Recorded, stage_of: dict[str, str]) -> None:
        match one.fact:
            case PolicySaved() as fact:
                self.gate, self.policies[fact.policy_id] = one.position, fact
            case PolicyDeleted() as fact:
                self.gate = one.position
                self.policies.pop(fact.policy_id, None)
            case ResourceSaved() as fact:
                self.resources[fact.resource_id] = fact.name
            case VersionCreated() | VersionUpdated() as fact:
                self.versions[fact.version_id] = fact
            case ApprovalRecorded() as fact:
                self.approved.setdefault((fact.version_id, fact.environment_id), {})[fact.user_id] = fact.status == "approved"
            case ClearanceWithdrawn() as fact:
                self.withdrawn[fact.deployment_id, fact.environment_id] = one.position
            case TargetsCleared() as fact:
                for resource_id in fact.resource_ids:
                    target = Target(resource_id, fact.environment_id, fact.deployment_id)
                    self.cleared[target, fact.version_id] = (fact.at, fact.valid_until)
            case TargetsChanged() as fact:
                known = self.targets.setdefault((fact.deployment_id, fact.environment_id), set())
                known.update(fact.added)
                known.difference_update(fact.removed)
            case DeploymentDeleted() | EnvironmentDeleted() as fact:
                self._forget(fact)
            case JobCreated() as fact:
                self._job_created(one, fact, stage_of)
            case JobStatusChanged() as fact:
                self._job_moved(fact)
            case VerificationRequired() as fact:
                self.checks.setdefault(fact.job_id, []).append("running")
            case VerificationPassed() as fact:
                self.checks[fact.job_id].remove("running")
            case VerificationFailed() as fact:
                self.checks.setdefault(fact.job_id, []).append("failed")
            case VerificationStarted() as fact if fact.attempt > 1:
                self._measured_anew(fact.job_id)
            case RollbackStarted() as fact:
                self._rolled_back(fact)
            case MarkLifted() as fact:
                for resource_id in fact.resource_ids:
                    self.bad[Target(resource_id, fact.environment_id, fact.deployment_id)].remove(fact.version_id)
            case _:
                pass

    def _measured_anew(self, job_id: str) -> None:
        """What one of a job's verifications came to counts no more: it runs again."""
        checks = self.checks.setdefault(job_id, [])
        if "failed" in checks:
            checks.remove("failed")
        if "running" not in checks:
            checks.append("running")

    def _forget(self, fact: DeploymentDeleted | EnvironmentDeleted) -> None:
        gone = fact.deployment_id if isinstance(fact, DeploymentDeleted) else fact.environment_id
        for target in [*self.jobs, *self.bad]:
            if gone in target:
                self.bad.pop(target, None)
                # What still runs there blocks others until it ends, and is no part of the history that begins then.
                self.jobs[target] = [job for job in self.jobs.get(target, []) if self.status[job.job_id] in ACTIVE]
                self.former.update(job.job_id for job in self.jobs[target])

    def _job_created(self, one: Recorded, fact: JobCreated, stage_of: dict[str, str]) -> None:
        target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
        pair = (fact.deployment_id, fact.environment_id)
        before = self.jobs.setdefault(target, [])
        assert not any(self.status[job.job_id] in ACTIVE for job in before), f"a second active job: {fact}"
        assert fact.job_id not in self.status, f"job {fact.job_id} was made twice"
        if not fact.rollback:
            at, until = self.cleared[target, fact.version_id]
            assert at >= max(self.gate, self.withdrawn.get(pair, 0)), f"on a stale clearance: {fact}"
            assert until is None or fact.created_at < until, f"on a clearance that ended: {fact}"
            assert fact.version_id not in self.bad.get(target, ()), f"marked bad: {fact}"
            assert self.versions[fact.version_id].status in ("ready", "paused"), f"not deployable: {fact}"
            if not any(job.version_id == fact.version_id for job in before):
                self._approved(fact, stage_of)
                self._one_by_one(fact, pair, stage_of)
        before.append(fact)
        self.status[fact.job_id] = fact.status

    def _rules(self, stage: str) -> Iterator[Any]:
        for policy in self.policies.values():
            if policy.enabled and (policy.selector == "true" or f'"{stage}"' in policy.selector):
                yield from policy.rules

    def _approved(self, fact: JobCreated, stage_of: dict[str, str]) -> None:
        """A first job of a version rests on every approval that was asked for."""
        given = sum(self.approved.get((fact.version_id, fact.environment_id), {}).values())
        for one in self._rules(stage_of[fact.environment_id]):
            since = read(one.created_at)
            exempt = since is not None and self.versions[fact.version_id].created_at < since
            if one.any_approval is not None and not exempt:
                assert given >= one.any_approval.min_approvals, f"not approved: {fact}"

    def _one_by_one(self, fact: JobCreated, pair: Pair, stage_of: dict[str, str]) -> None:
        """In a covered rollout the targets before have passed; those that went under other policies do not count."""
        rules = list(self._rules(stage_of[fact.environment_id]))
        covered = any(one.gradual_rollout for one in rules) and any(one.verification or one.rollback for one in rules)
        if not covered:
            return
        at, _ = self.cleared[Target(fact.resource_id, fact.environment_id, fact.deployment_id), fact.version_id]
        for resource_id in self.targets.get(pair, ()):
            if resource_id == fact.resource_id:
                continue
            others = self.jobs.get(Target(resource_id, fact.environment_id, fact.deployment_id), [])
            others = [job for job in others if job.job_id not in self.former]
            mine = [job for job in others if job.version_id == fact.version_id and not job.rollback]
            if mine and others[-1] is mine[-1] and not self.passed(mine[-1]) and not self._fell_back(others):
                cleared_at, _ = self.cleared[Target(resource_id, fact.environment_id, fact.deployment_id), fact.version_id]
                assert cleared_at < self.gate <= at, f"two at a time: {fact} beside {mine[-1]}"

    def _fell_back(self, jobs: list[JobCreated]) -> bool:
        """Whether the newest job of a target returned to an older version; nobody waits for such a one."""
        ages = [(self.versions[job.version_id].created_at, job.version_id) for job in jobs[-2:]]
        return len(ages) == 2 and ages[1] < ages[0]

    def passed(self, job: JobCreated) -> bool:
        """Whether a job and its verifications have passed."""
        return self.status[job.job_id] == "successful" and not self.checks.get(job.job_id)

    def _job_moved(self, fact: JobStatusChanged) -> None:
        self.status[fact.job_id] = fact.status
        target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
        active = [job for job in self.jobs.get(target, []) if self.status[job.job_id] in ACTIVE]
        assert len(active) <= 1, f"two active jobs on {target}"

    def _rolled_back(self, fact: RollbackStarted) -> None:
        target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
        bad = self.bad.setdefault(target, set())
        if fact.version_id != fact.to_version_id:  # else other variables were to blame
            assert fact.version_id not in bad, f"marked twice: {fact}"
            bad.update((fact.version_id, *fact.also_marked))
        if fact.resource_id not in self.targets.get((fact.deployment_id, fact.environment_id), ()):
            assert fact.release_id is None, f"a target that is gone goes nowhere: {fact}"
            return
        if fact.release_id is None and self.jobs[target][-1].version_id != fact.version_id:
            return  # something else was dispatched meanwhile: the mark alone
        if any(job.job_id in self.former for job in self.jobs.get(target, [])):
            return  # whether what ended meanwhile counts as good is not said anywhere
        judged: set[str] = set()
        good = None
        for job in reversed(self.jobs.get(target, [])):
            status, checks = self.status[job.job_id], self.checks.get(job.job_id, [])
            if status in ACTIVE or (status == "successful" and checks and "failed" not in checks):
                continue  # it came to nothing yet
            if job.release_id in judged:
                continue
            judged.add(job.release_id)
            fit = job.version_id not in bad and self.versions[job.version_id].status != "rejected"
            if self.passed(job) and fit:
                good = job.release_id
                break
        assert fact.release_id == good, f"not the last good release {good}: {fact}"


class Yard(World):
    """The world of random histories.

    Attributes:
        sick: (tag, resource name) that monitoring reports as failing; of `empty` ones it knows nothing, and `mute` ones bring no answer.
        failing: tags whose jobs fail.
        lost: whether agents take jobs and never answer.
    """

    def __init__(self, *, seed: int | None = None, kind: str = "test-runner") -> None:
        super().__init__(SERVICES, {"dispatcher": self._agent, "verifier": self._monitoring}, seed=seed)
        self.sick: set[tuple[str, str]] = set()
        self.empty: set[tuple[str, str]] = set()
        self.mute: set[str] = set()
        self.failing: set[str] = set()
        self.lost = False
        self.ledger = Ledger()
        self.kind = kind
        self.system = self.do(SaveSystem(name="shop"))["id"]
        self.stages: dict[str, str] = {}
        self.deployments: dict[str, str] = {}
        self.policies: dict[str, str] = {}
        self.agent()
        for stage in STAGES:
            self.environment(stage)
            self.link_stage(stage)
        for name in DEPLOYMENTS:
            self.deployment(name)
            self.link_deployment(name)
        self.place("r1", "staging")
        self.place("r2", "production")
        self.place("r3", "production")
        self._call = performing(built_in_agents())

    # --- what exists -----------------------------------------------------------------------------------------------------------

    def agent(self, delay_s: float = 3.0, **config: Any) -> None:
        self.do(SaveJobAgent(agent_id=AGENT, name="runner", type=self.kind, config={"delaySeconds": delay_s, **config}))

    def no_agent(self) -> None:
        self.do(DeleteJobAgent(agent_id=AGENT))

    def environment(self, stage: str, selector: str | None = None) -> None:
        selector = selector or f'resource.metadata["env"] == "{stage}"'
        id_ = derived(WORKSPACE, stage)
        self.do(SaveEnvironment(environment_id=id_, name=stage, resource_selector=selector, metadata={"stage": stage}))
        self.stages[stage] = id_

    def deployment(self, name: str, selector: str = "true", agent: str = "true") -> None:
        id_ = derived(WORKSPACE, name)
        self.do(SaveDeployment(deployment_id=id_, name=name, resource_selector=selector, job_agent_selector=agent))
        self.deployments[name] = id_

    def link_stage(self, stage: str) -> None:
        self.do(LinkEnvironment(system_id=self.system, environment_id=self.stages[stage]))

    def link_deployment(self, name: str) -> None:
        self.do(LinkDeployment(system_id=self.system, deployment_id=self.deployments[name]))

    def place(self, name: str, stage: str) -> None:
        wish = ResourceInput(identifier=name, name=name, kind="Cluster", version="v1", metadata={"env": stage})
        self.do(SaveResource(resource=wish))

    def remove(self, name: str) -> None:
        self.do(DeleteResource(identifier=name))

    # --- what people do --------------------------------------------------------------------------------------------------------

    def post(self, deployment: str, tag: str, status: VersionStatus = "ready") -> str:
        return str(self.do(CreateVersion(deployment_id=self.deployments[deployment], tag=tag, status=status))["id"])

    def set_version(self, version_id: str, status: VersionStatus) -> None:
        self.do(UpdateVersion(version_id=version_id, status=status))

    def approve(self, version_id: str, stage: str, user: str = "ana", status: Any = "approved") -> None:
        self.do(RecordApproval(version_id=version_id, environment_ids=(self.stages[stage],), user_id=user, status=status))

    def policy(self, name: str, *bodies: Body, stage: str | None = None, enabled: bool = True) -> None:
        id_ = derived(WORKSPACE, f"policy {name}")
        selector = f'environment.metadata["stage"] == "{stage}"' if stage else "true"
        rules = tuple(
            rule(body).model_copy(update={"id": derived(id_, f"{type(body).__name__} {n}")}) for n, body in enumerate(bodies)
        )
        self.do(SavePolicy(policy_id=id_, name=name, selector=selector, rules=rules, enabled=enabled))
        self.policies[name] = id_

    def no_policy(self, name: str) -> None:
        self.do(DeletePolicy(policy_id=self.policies.pop(name)))

    def set_job(self, job_id: str, status: JobStatus) -> None:
        self.do(SetJobStatus(job_id=job_id, status=status))

    def restart(self, service: str) -> None:
        """The service comes back with nothing in memory, and folds the log anew."""
        before = self._rooms[service]
        self.run()
        room: Room[Any] = Room(before.service, self.workspace_id)
        room.reset(before.service.initial(self.workspace_id), 0, before.stored)
        self._rooms[service] = room
        self._waiting[service] = {}
        self.run()

    # --- what can be seen ------------------------------------------------------------------------------------------------------

    def all_targets(self) -> list[Target]:
        return [
            Target(resource_id, environment_id, deployment_id)
            for (deployment_id, environment_id), ids in self.ledger.targets.items()
            for resource_id in sorted(ids)
        ]

    def explain(self, target: Target) -> Any:
        return self.ask(ExplainTarget(**target._asdict()))

    def runs(self, deployment: str, stage: str) -> dict[str, str | None]:
        """The tag that runs on each resource of a stage."""
        pair = (self.deployments[deployment], self.stages[stage])
        found = {}
        for resource_id in self.ledger.targets.get(pair, ()):
            current = self.explain(Target(resource_id, pair[1], pair[0])).current
            found[self.ledger.resources[resource_id]] = current.tag if current else None
        return found

    def jobs(self, tag: str, *, stage: str | None = None) -> list[JobCreated]:
        """The jobs of a version by its tag, oldest first."""
        return [
            job
            for job in self.facts(JobCreated)
            if self.ledger.versions[job.version_id].tag == tag and stage in (None, self.stage_of(job.environment_id))
        ]

    def stage_of(self, environment_id: str) -> str:
        return next(stage for stage, id_ in self.stages.items() if id_ == environment_id)

    # --- what must stay true ---------------------------------------------------------------------------------------------------

    def run(self, limit: int = 2_000) -> None:
        super().run(limit)
        self.take()
        due = self.next_due()
        assert due is None or due > self.now, f"due at {due}, quiet at {self.now}"

    def take(self) -> None:
        """Judge what was recorded since the last time."""
        if hasattr(self, "stages"):
            self.ledger.take(self.log, {id_: stage for stage, id_ in self.stages.items()})

    def check(self) -> None:
        """Every target says where it stands, in words; and what services remember is what the log says."""
        for target in self.all_targets():
            told = self.explain(target)
            said = [told.message]
            for standing in told.versions:
                said.append(standing.message)
                for reason in standing.reasons:
                    said += [reason.message, reason.ended_by]
                    assert reason.verdict == "allowed" or reason.ended_by, f"nothing ends the wait: {reason}"
                superseded = "superseded" in standing.message
                assert standing.cleared or superseded or any(one.verdict != "allowed" for one in standing.reasons), standing
            for text in said:
                assert not UUID_TEXT.search(text), f"an id where a name should be: {text}"

    def check_memory(self) -> None:
        """Folding the log from zero gives what each service remembers."""
        check_memory(self, SERVICES)

    def check_decisions(self) -> None:
        """Every decision of every service would be made again as it was."""
        check_decisions(self, SERVICES)

    # --- the outside -----------------------------------------------------------------------------------------------------------

    def _agent(self, intent: Intent, now: datetime) -> dict[str, Any] | None:
        if self.lost:
            return {"status": "inProgress"}
        self.take()
        request = intent.request
        job = next(one for one in reversed(self.facts(JobCreated)) if one.job_id == request["job_id"])
        if request["type"] == "test-runner" and self.ledger.versions[job.version_id].tag in self.failing:
            request = {**request, "config": {**request["config"], "status": "failure"}}
        return now_or_never(self._call(Intent(intent.key, request, intent.not_before)))  # type: ignore[arg-type]

    def _monitoring(self, intent: Intent, now: datetime) -> dict[str, Any]:
        asked = intent.request["provider"]
        if asked["type"] == "sleep":
            return {"result": {"ok": True, "value": asked["durationSeconds"], "duration": 0}}
        query = urllib.parse.parse_qs(urllib.parse.urlparse(asked["url"]).query)
        tag, name = query["v"][0], query["r"][0]
        if tag in self.mute:
            return {"error": "connection refused"}
        if (tag, name) in self.empty:
            return {"result": {"ok": True, "noData": True}}
        rate = 0.5 if (tag, name) in self.sick else 0.0
        body = orjson.dumps({"rate": rate}).decode()
        return {"result": {"ok": True, "statusCode": 200, "body": body, "headers": {}, "duration": 1}}
