"""Plans as the tests of dispatcher are given them, and the intents that come of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.commands.dispatcher import CreatePlan
from contracts.facts.planner import PlanTarget, PlanTargetsResolved
from contracts.facts.policy import PolicySaved
from contracts.shapes import PlanValidationOpa, Rule
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import Append, NewFact
from libs.runtime.service import Intent
from libs.simulation.world import START
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of


class Script:
    """An outside that answers one after the other, the last one again and again; None is no answer."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers) or [None]
        self.asked: list[Intent] = []

    def __call__(self, intent: Intent, now: datetime) -> Any:
        if intent not in self.asked:
            self.asked.append(intent)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def of(self, call: str) -> list[Intent]:
        return [one for one in self.asked if one.request["call"] == call]


def planned(
    scene: Scene, *names: str, last: bool = True, current: str | None = None, variables: Any = None, **version: Any
) -> str:
    """A plan, and what planner says of it."""
    plan_id: str = scene.do(CreatePlan(deployment_id=DEPLOYMENT, **{"tag": "pr-7", **version}))["id"]
    targets = tuple(
        PlanTarget(environment_id=ENVIRONMENT, resource_id=id_of(name), current_version_id=current, variables=variables or {})
        for name in names
    )
    scene.record(
        PlanTargetsResolved(plan_id=plan_id, deployment_id=DEPLOYMENT, targets=targets, last=last, resolved_at=scene.now)
    )
    scene.run()
    return plan_id


def save_rules(scene: Scene, **rules: str) -> None:
    """A policy with these modules, by name."""
    scene.record(
        PolicySaved(
            policy_id=id_of("policy"),
            name="policy",
            selector="true",
            rules=tuple(
                Rule(
                    id=id_of(name),
                    created_at="2026-01-01T00:00:00.000Z",
                    plan_validation_opa=PlanValidationOpa(name=name, rego=rego),
                )
                for name, rego in rules.items()
            ),
            created_at=START,
        )
    )


async def log_of(scene: Scene) -> MemoryLog:
    """What was recorded, as a log that can be read."""
    log = MemoryLog()
    for one in scene.log:
        new = NewFact(
            id=one.id,
            fact=one.fact,
            time=one.time,
            correlation_id=one.correlation_id,
            causation_id=one.causation_id,
            auth_id=one.auth_id,
        )
        await log.append(Append(scene.workspace_id, facts=(new,)))
    return log
