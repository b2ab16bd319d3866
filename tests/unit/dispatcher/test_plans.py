"""Plans: which dry runs one has, which rules judge them, and when one is through."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.dispatcher import CreatePlan, DeleteJobAgent
from contracts.facts.dispatcher import JobCreated, PlanRequested, PlanResultRecorded, PlanResultsStarted
from contracts.facts.planner import PlanTarget, PlanTargetsResolved
from contracts.facts.policy import PolicyDeleted, PolicySaved
from contracts.shapes import PlanValidationOpa, Rule
from libs.runtime.service import Intent, NotYet
from libs.simulation.world import START
from services.dispatcher import plans
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of

DONE: dict[str, Any] = {
    "status": "completed",
    "has_changes": True,
    "content_hash": "h",
    "current": "a",
    "proposed": "b",
    "cut": False,
    "message": "",
    "validations": [{"policy_id": "p", "rule_id": "r", "name": "n", "passed": False, "violations": ["no"]}],
}


class Script:
    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers) or [DONE]
        self.asked: list[Intent] = []

    def __call__(self, intent: Intent, now: datetime) -> Any:
        self.asked.append(intent)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def planned(scene: Scene, *names: str, last: bool = True, **version: Any) -> str:
    """A plan, and what planner says of it."""
    plan_id: str = scene.do(CreatePlan(deployment_id=DEPLOYMENT, tag="pr-7", **version))["id"]
    targets = tuple(PlanTarget(environment_id=ENVIRONMENT, resource_id=id_of(name)) for name in names)
    scene.record(
        PlanTargetsResolved(plan_id=plan_id, deployment_id=DEPLOYMENT, targets=targets, last=last, resolved_at=scene.now)
    )
    scene.run()
    return plan_id


def save_policy(scene: Scene, name: str, *rules: str, selector: str = "true", priority: int = 0, enabled: bool = True) -> None:
    scene.record(
        PolicySaved(
            policy_id=id_of(name),
            name=name,
            selector=selector,
            priority=priority,
            enabled=enabled,
            rules=tuple(
                Rule(
                    id=id_of(rule),
                    created_at=f"2026-01-01T00:00:0{number}.000Z",
                    plan_validation_opa=PlanValidationOpa(name=rule, rego="package p"),
                )
                for number, rule in enumerate(rules)
            ),
            created_at=START,
        )
    )


def test_a_plan_asks_every_agent_of_every_target_and_makes_no_job() -> None:
    script = Script()
    scene = Scene("eu-1", "eu-2", outside=script, config={"b": 2})
    scene.save_agent("one", config={"a": 1})
    scene.save_agent("two")
    plan_id = planned(scene, "eu-1", "eu-2", job_agent_config={"c": 3})
    (started,) = scene.facts(PlanResultsStarted)
    assert started.last
    assert {(one.resource_id, one.agent_id) for one in started.results} == {
        (id_of(name), id_of(agent)) for name in ("eu-1", "eu-2") for agent in ("one", "two")
    }
    assert {"a": 1, "b": 2, "c": 3} in [intent.request["config"] for intent in script.asked]
    assert len(scene.facts(PlanResultRecorded)) == 4
    recorded = scene.facts(PlanResultRecorded)[0]
    assert (recorded.plan_id, recorded.has_changes, recorded.validations[0].violations) == (plan_id, True, ("no",))
    assert not scene.facts(JobCreated)
    assert not scene.room("dispatcher").state.planning.plans


@pytest.mark.parametrize("names,agents", [((), True), (("eu-1",), False)])
def test_plan_no_agents_completes(names: tuple[str, ...], agents: bool) -> None:
    scene = Scene(outside=Script())
    if agents:
        scene.save_agent()
    planned(scene, *names)
    (started,) = scene.facts(PlanResultsStarted)
    assert (started.last, started.results, len(started.targets)) == (True, (), len(names))
    assert not scene.room("dispatcher").state.planning.plans


def test_a_plan_of_many_targets_is_started_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "RESULTS_PER_FACT", 2)
    names = [f"eu-{n}" for n in range(5)]
    scene = Scene(*names, outside=Script())
    scene.save_agent()
    planned(scene, *names)
    assert [(len(one.results), one.last) for one in scene.facts(PlanResultsStarted)] == [(2, False), (2, False), (1, True)]


def test_a_target_that_is_gone_is_passed_over() -> None:
    scene = Scene("eu-1", outside=Script())
    scene.save_agent()
    planned(scene, "eu-1", "never-there")
    assert [one.resource_id for one in scene.facts(PlanResultsStarted)[0].results] == [id_of("eu-1")]


def test_a_dry_run_that_is_not_ready_is_asked_for_again_without_a_trace() -> None:
    script = Script(NotYet(5), NotYet(5), DONE)
    scene = Scene(outside=script)
    scene.save_agent()
    planned(scene, "eu-1")
    before = len(scene.log)
    scene.advance(9.9)
    assert len(scene.log) == before
    scene.advance(0.1)
    assert len(scene.facts(PlanResultRecorded)) == 1
    assert script.asked[0].request["give_up_at"] == (START + timedelta(minutes=5)).isoformat()


def test_rules_of_higher_priority_judge_first_and_newer_ones_before_older() -> None:
    script = Script()
    scene = Scene(outside=script)
    scene.save_agent()
    save_policy(scene, "low", "low-old", "low-new", priority=1)
    save_policy(scene, "high", "high", priority=9)
    save_policy(scene, "off", "off", enabled=False, priority=20)
    save_policy(scene, "elsewhere", "elsewhere", selector='environment.name == "none"', priority=20)
    save_policy(scene, "gone", "gone", priority=20)
    scene.record(PolicyDeleted(policy_id=id_of("gone")))
    planned(scene, "eu-1")
    assert [rule["name"] for rule in script.asked[0].request["rules"]] == ["high", "low-new", "low-old"]


@pytest.mark.parametrize(
    "selector,applies",
    [('resource.metadata.tier == "one"', False), ("1 / 0 == 1", True), ("true", True), ("false", False), ("resource.", True)],
)
def test_a_policy_that_can_not_be_asked_whether_it_applies_does(selector: str, applies: bool) -> None:
    script = Script()
    scene = Scene(outside=script)
    scene.save_agent()
    save_policy(scene, "p", "r", selector=selector)
    planned(scene, "eu-1")
    assert bool(script.asked[0].request["rules"]) == applies


def test_a_configuration_that_is_too_large_is_told_and_not_tried() -> None:
    script = Script()
    scene = Scene(outside=script, config={"a": "x" * 150_000})
    scene.save_agent(config={"b": "y" * 150_000})
    planned(scene, "eu-1")
    assert "bytes of JSON" in script.asked[0].request["problem"]
    assert script.asked[0].request["config"] == {}


def test_a_dry_run_goes_on_when_its_agent_is_deleted() -> None:
    script = Script(NotYet(5), DONE)
    scene = Scene(outside=script)
    agent_id = scene.save_agent()
    planned(scene, "eu-1")
    scene.do(DeleteJobAgent(agent_id=agent_id))
    scene.advance(5)
    assert len(scene.facts(PlanResultRecorded)) == 1


def test_a_plan_is_for_a_deployment_that_exists_and_a_version_that_fits() -> None:
    scene = Scene()
    for wish, kind in (
        (CreatePlan(deployment_id=id_of("none"), tag="t"), "not_found"),
        (CreatePlan(deployment_id=DEPLOYMENT, tag="t", config={"a": "x" * 300_000}), "invalid"),
    ):
        with pytest.raises(Refused) as refused:
            scene.do(wish)
        assert refused.value.refusal.kind == kind
    assert not scene.facts(PlanRequested)


def test_a_plan_expires_an_hour_after_it_was_asked_for() -> None:
    scene = Scene(outside=Script())
    planned(scene, name="Release 7", version_metadata={"git/sha": "abc"}, metadata={"by": "ci"})
    (plan,) = scene.facts(PlanRequested)
    assert plan.expires_at == START + timedelta(hours=1)
    assert (plan.version.name, plan.version.metadata, plan.metadata) == ("Release 7", {"git/sha": "abc"}, {"by": "ci"})


def test_the_agents_of_one_target_need_not_fit_into_one_fact() -> None:
    scene = Scene("eu-1", "eu-2", outside=lambda intent, now: None)
    for name in ("one", "other"):
        scene.save_agent(name, config={"template": "x" * 130_000})
    plan_id = planned(scene, "eu-1", "eu-2")
    parts = scene.facts(PlanResultsStarted)
    assert [one.last for one in parts] == [False, False, False, True]
    assert [target for one in parts for target in one.targets] == [(ENVIRONMENT, id_of(name)) for name in ("eu-1", "eu-2")]
    assert scene.room("dispatcher").state.planning.plans[plan_id].open == 4
