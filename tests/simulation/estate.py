"""An estate of resources, systems, deployments and environments that anybody may edit in any way, without any policy."""

from __future__ import annotations

import urllib.parse
from typing import Any

from contracts.commands.dispatcher import SaveJobAgent, SetJobStatus
from contracts.facts import inventory as told
from contracts.facts import planner as planned
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.shapes import ACTIVE, Target
from libs.runtime.ids import derived
from libs.simulation.world import WORKSPACE, World
from services.dispatcher import app as dispatcher
from services.inventory import app as inventory
from services.planner import app as planner
from services.policy import app as policy
from tests.simulation.naive import Documents
from tests.simulation.shop import now_or_never

SERVICES = (inventory.service, planner.service, policy.service, dispatcher.service)
_call_agent = dispatcher.performer()


def id_of(name: str) -> str:
    """A fixed uuid for a name."""
    return derived(WORKSPACE, urllib.parse.quote(name))


class Estate(World):
    """The world of four services and one agent, and what their facts add up to."""

    def __init__(self, *, seed: int | None = None) -> None:
        super().__init__(SERVICES, {"dispatcher": lambda intent, _now: now_or_never(_call_agent(intent))}, seed=seed)
        self.do(SaveJobAgent(agent_id=id_of("agent"), name="puller", type="http-pull"))

    def settle(self) -> None:
        """Every job succeeds, as do those that follow from it."""
        self.run()
        for _ in range(100):
            jobs = self.room("dispatcher").state.jobs
            active = sorted(one for one, job in jobs.items() if job.status in ACTIVE)
            if not active:
                return
            for job_id in active:
                self.advance(1)
                self.do(SetJobStatus(job_id=job_id, status="successful"))
        raise AssertionError("jobs follow one another without end")

    # --- what the facts add up to ------------------------------------------------------------------------------------------------

    def documents(self) -> Documents:
        """The newest documents, for computing everything anew."""
        return Documents(self.workspace_id, self.log)

    def matches(self) -> dict[str, set[str]]:
        """The recorded matches of each deployment and environment that exists."""
        found: dict[str, set[str]] = {}
        for fact in self._facts():
            match fact:
                case planned.DeploymentSaved() | planned.EnvironmentSaved():
                    found.setdefault(fact.stream, set())
                case planned.DeploymentDeleted() | planned.EnvironmentDeleted():
                    found.pop(fact.stream, None)
                case told.MatchesChanged() if fact.stream in found:
                    found[fact.stream] |= set(fact.added)
                    found[fact.stream] -= set(fact.removed)
                case _:
                    pass
        return found

    def targets(self) -> set[Target]:
        """The recorded release targets."""
        found: set[Target] = set()
        for fact in self._facts():
            if isinstance(fact, planned.TargetsChanged):
                found |= {Target(one, fact.environment_id, fact.deployment_id) for one in fact.added}
                found -= {Target(one, fact.environment_id, fact.deployment_id) for one in fact.removed}
        return found

    def relations(self) -> dict[str, set[tuple[str, str]]]:
        """The recorded relations of each rule that exists."""
        found: dict[str, set[tuple[str, str]]] = {}
        there: set[str] = set()
        for fact in self._facts():
            match fact:
                case told.ResourceSaved() | planned.DeploymentSaved() | planned.EnvironmentSaved():
                    there.add(fact.stream)
                case told.RelationshipRuleSaved():
                    found.setdefault(fact.rule_id, set())
                case told.RelationshipRuleDeleted():
                    found.pop(fact.rule_id, None)
                case told.RelationsChanged() if fact.rule_id in found:
                    found[fact.rule_id] -= {tuple(one) for one in fact.removed}
                    # An end may have gone after it was decided and before it was recorded.
                    found[fact.rule_id] |= {tuple(one) for one in fact.added if there.issuperset(one)}
                case told.ResourceDeleted() | planned.DeploymentDeleted() | planned.EnvironmentDeleted():
                    there.discard(fact.stream)
                    for pairs in found.values():
                        pairs -= {pair for pair in pairs if fact.stream in pair}
                case _:
                    pass
        return found

    def running(self) -> dict[Target, tuple[str, dict[str, Any]]]:
        """Version and variables of the newest successful job of each target."""
        variables: dict[str, dict[str, Any]] = {}
        found: dict[Target, tuple[str, dict[str, Any]]] = {}
        for fact in self._facts():
            match fact:
                case planned.ReleasesCreated():
                    variables.update((item.release_id, item.variables) for item in fact.items)
                case JobStatusChanged() if fact.status == "successful":
                    target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
                    found[target] = fact.version_id, variables[fact.release_id]
                case _:
                    pass
        return found

    def jobs_by_target(self) -> dict[Target, list[str]]:
        """The releases that each target got jobs for, in order."""
        found: dict[Target, list[str]] = {}
        for fact in self.facts(JobCreated):
            found.setdefault(Target(fact.resource_id, fact.environment_id, fact.deployment_id), []).append(fact.release_id)
        return found

    def check(self) -> None:
        """What was kept up to date step by step is what a computation from scratch gives."""
        documents = self.documents()
        assert self.matches() == documents.matches()
        assert self.targets() == documents.targets()
        assert self.relations() == documents.relations()
        running = self.running()
        for target in sorted(documents.targets()):
            version_id = documents.version(target)
            if version_id is not None:
                assert target in running, f"nothing runs on {target.key}"
                assert running[target] == (version_id, documents.resolved(target)), target.key

    def _facts(self) -> list[Any]:
        return [one.fact for one in self.log]
