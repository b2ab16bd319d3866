"""A shop in virtual time: five services, an agent, monitoring that knows which versions are unhealthy, and checks of what must stay true."""

from __future__ import annotations

import urllib.parse
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

from contracts.commands.dispatcher import SaveJobAgent
from contracts.commands.inventory import ResourceInput, SaveProvider, SaveResource, SetProviderResources
from contracts.commands.planner import CreateVersion, LinkDeployment, LinkEnvironment, SaveDeployment, SaveEnvironment, SaveSystem
from contracts.commands.policy.approvals import RecordApproval
from contracts.commands.policy.explanations import ExplainTarget
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import TargetsChanged
from contracts.facts.policy import TargetsCleared
from contracts.shapes import (
    ACTIVE,
    AnyApproval,
    EnvironmentProgression,
    GradualRollout,
    MetricProvider,
    MetricSpec,
    Rollback,
    Target,
    Verification,
)
from libs.runtime.service import Intent
from libs.simulation.audit import check_memory
from libs.simulation.world import World
from services.dispatcher import app as dispatcher
from services.inventory import app as inventory
from services.planner import app as planner
from services.policy import app as policy
from services.verifier import app as verifier

AGENT = "aaaaaaaa-0000-4000-8000-000000000001"
SERVICES = (inventory.service, planner.service, policy.service, dispatcher.service, verifier.service)
INTERVAL_S = 10
STAGES = {"staging": ("stg-1", "stg-2"), "production": ("prd-1", "prd-2", "prd-3")}

T = TypeVar("T")
_call_agent = dispatcher.performer()


def now_or_never(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing, as the built-in agents do not."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits for something")


class Shop(World):
    """The world of the story.

    Attributes:
        unhealthy: (tag, resource name) pairs that monitoring reports as failing.
        agent_delay_s: how long a job takes.
    """

    def __init__(self, *, seed: int | None = None, agent_delay_s: float = 3.0) -> None:
        super().__init__(SERVICES, {"dispatcher": self._agent, "verifier": self._monitoring}, seed=seed)
        self.unhealthy: set[tuple[str, str]] = set()
        self.stages: dict[str, str] = {}
        provider = self.do(SaveProvider(name="terraform"))["id"]
        clusters = [self._cluster(name, stage) for stage, names in STAGES.items() for name in names]
        self.do(SetProviderResources(provider_id=provider, resources=tuple(clusters)))
        self.do(SaveJobAgent(agent_id=AGENT, name="runner", type="test-runner", config={"delaySeconds": agent_delay_s}))
        self.system = self.do(SaveSystem(name="shop"))["id"]
        for stage in STAGES:
            selector = f'resource.metadata["env"] == "{stage}"'
            self.stages[stage] = self.do(SaveEnvironment(name=stage, resource_selector=selector, metadata={"stage": stage}))["id"]
            self.do(LinkEnvironment(system_id=self.system, environment_id=self.stages[stage]))
        wish = SaveDeployment(name="api", resource_selector="true", job_agent_selector=f'jobAgent.id == "{AGENT}"')
        self.deployment = self.do(wish)["id"]
        self.do(LinkDeployment(system_id=self.system, deployment_id=self.deployment))

    def policies(self) -> None:
        """What was deployed is verified and rolled back; production waits for staging, a person, and goes one by one."""
        metric = MetricSpec(
            name="errors",
            interval_seconds=1,
            count=2,
            provider=MetricProvider.model_validate(
                {"type": "http", "url": "http://monitoring/?version={{.version.tag}}&resource={{.resource.name}}"}
            ),
            success_condition="result.ok && result.json.errorRate < 0.01",
        )
        self.do(
            SavePolicy(
                name="healthy",
                rules=(
                    RuleInput(verification=Verification(metrics=(metric,))),
                    RuleInput(rollback=Rollback(on_job_statuses=("failure",), on_verification_failure=True)),
                ),
            )
        )
        self.do(
            SavePolicy(
                name="careful",
                selector='environment.metadata["stage"] == "production"',
                rules=(
                    RuleInput(
                        environment_progression=EnvironmentProgression(
                            depends_on_environment_selector='environment.metadata["stage"] == "staging"',
                            minimum_success_percentage=100,
                            require_verification_passed=True,
                        )
                    ),
                    RuleInput(any_approval=AnyApproval(min_approvals=1)),
                    RuleInput(gradual_rollout=GradualRollout(rollout_type="linear", time_scale_interval=INTERVAL_S)),
                ),
            )
        )

    # --- what people do --------------------------------------------------------------------------------------------------------

    def post(self, tag: str) -> str:
        """CI posts a version; its id."""
        return str(self.do(CreateVersion(deployment_id=self.deployment, tag=tag))["id"])

    def approve(self, version: str, status: Any = "approved") -> None:
        """A person decides on a version for production."""
        self.do(RecordApproval(version_id=version, environment_ids=(self.stages["production"],), user_id="ana", status=status))

    def bad(self, tag: str, *stages: str) -> None:
        """Monitoring reports the version as failing in these stages."""
        self.unhealthy.update((tag, name) for stage in stages for name in STAGES[stage])

    def grow(self, name: str, stage: str) -> None:
        """A new cluster appears."""
        self.do(SaveResource(resource=self._cluster(name, stage)))

    # --- what can be seen ------------------------------------------------------------------------------------------------------

    def targets(self) -> dict[str, Target]:
        """Release targets by resource name."""
        names = {fact.resource_id: fact.name for fact in self.facts(ResourceSaved)}
        found: dict[str, Target] = {}
        for fact in self.facts(TargetsChanged):
            for one in fact.added:
                found[names[one]] = Target(one, fact.environment_id, fact.deployment_id)
            for one in fact.removed:
                found.pop(names[one], None)
        return found

    def explain(self, name: str) -> Any:
        """Why a cluster is where it is."""
        return self.ask(ExplainTarget(**self.targets()[name]._asdict()))

    def running(self, stage: str) -> set[str | None]:
        """The tags that run in a stage."""
        names = [name for name, target in self.targets().items() if target.environment_id == self.stages[stage]]
        currents = [self.explain(name).current for name in names]
        return {current.tag if current else None for current in currents}

    def tried(self, version: str) -> dict[str, int]:
        """Jobs of a version by resource name."""
        names = {target.resource_id: name for name, target in self.targets().items()}
        counts: dict[str, int] = {}
        for job in self.facts(JobCreated):
            if job.version_id == version:
                counts[names[job.resource_id]] = counts.get(names[job.resource_id], 0) + 1
        return counts

    # --- what must stay true ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """One active job per target; nothing uncleared has a job; folding again gives the same states; every lag has a reason."""
        active: dict[Target, set[str]] = {}
        cleared: set[tuple[str, str, str]] = set()
        for one in self.log:
            match one.fact:
                case TargetsCleared() as fact:
                    cleared.update((resource, fact.environment_id, fact.version_id) for resource in fact.resource_ids)
                case JobCreated() | JobStatusChanged() as fact:
                    target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
                    jobs = active.setdefault(target, set())
                    (jobs.add if fact.status in ACTIVE else jobs.discard)(fact.job_id)
                    assert len(jobs) <= 1, f"two active jobs on {target}"
                    assert (fact.resource_id, fact.environment_id, fact.version_id) in cleared, f"uncleared: {fact!r}"
        check_memory(self, SERVICES)
        for name in self.targets():
            for standing in self.explain(name).versions:
                assert standing.cleared or any(reason.verdict != "allowed" for reason in standing.reasons), (name, standing)

    # --- the outside -----------------------------------------------------------------------------------------------------------

    def _agent(self, intent: Intent, now: datetime) -> dict[str, Any]:
        return now_or_never(_call_agent(intent))  # type: ignore[arg-type]  # a performer is a coroutine function

    def _monitoring(self, intent: Intent, now: datetime) -> dict[str, Any]:
        query = urllib.parse.parse_qs(urllib.parse.urlparse(intent.request["provider"]["url"]).query)
        rate = 0.5 if (query["version"][0], query["resource"][0]) in self.unhealthy else 0.0
        return {"result": {"ok": True, "statusCode": 200, "headers": {}, "duration": 1, "json": {"errorRate": rate}}}

    def _cluster(self, name: str, stage: str) -> ResourceInput:
        return ResourceInput(identifier=f"cluster/{name}", name=name, kind="Cluster", version="v1", metadata={"env": stage})
