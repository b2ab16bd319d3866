"""Which plans a pull request is told of, what is shown when, and that it is shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.facts.dispatcher import PlanReported, PlanResultRecorded
from contracts.facts.planner import PlanTarget, PlanTargetsResolved
from contracts.shapes import Json
from libs.runtime.service import Intent, NotYet, Outcome
from libs.simulation.world import refold
from services.dispatcher import fold_plan_reports
from services.dispatcher.app import service
from services.dispatcher.fold_plan_reports import REST
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of
from tests.unit.dispatcher.plan_scenes import planned

METADATA = {"github/owner": "acme", "github/repo": "shop", "git/sha": "a" * 40}
UNCHANGED: Json = {
    "status": "completed",
    "has_changes": False,
    "content_hash": "",
    "current": "",
    "proposed": "",
    "cut": False,
    "message": "",
    "validations": [],
}
CHANGED = UNCHANGED | {"has_changes": True}
ERRORED = UNCHANGED | {"status": "errored", "has_changes": None}
OBJECTED = CHANGED | {
    "validations": [{"policy_id": "p", "rule_id": "r", "name": "n", "passed": False, "violations": ["no"], "error": None}]
}


def target(name: str) -> str:
    return f"{ENVIRONMENT}/{id_of(name)}"


class Outside:
    """Answers dry runs as a test says, and lets GitHub be told.

    Attributes:
        results: of dry runs, by name of the resource; one without has no answer yet.
        github: what GitHub answers: nothing, "told", "held", or an error.
        shown: what it was told.
    """

    def __init__(self, **results: Json) -> None:
        self.results = {id_of(name): result for name, result in results.items()}
        self.github = "told"
        self.shown: list[tuple[str, str, str]] = []
        self.asked: list[Json] = []
        self.scene: Scene | None = None

    def __call__(self, intent: Intent, now: Any) -> Any:
        told = intent.request
        if told["call"] == "plan":
            assert self.scene is not None
            item = self.scene.room("dispatcher").state.planning.results[told["result_id"]].item
            return self.results.get(item.resource_id)
        if self.github == "nothing":
            return None
        if self.github == "held":
            return NotYet(10)
        answer = {key: told[key] for key in ("plan_id", "number", "what", "target", "state", "external_id", "pull_request")}
        self.asked.append(told)
        if self.github != "told":
            return answer | {"error": self.github}
        self.shown.append((told["what"], told["target"], told["state"]))
        made = told["external_id"] or f"id-{len(self.shown)}"
        return answer | {"external_id": made, "pull_request": 7, "error": None}


def scene_of(outside: Outside, *names: str, agents: int = 1) -> Scene:
    scene = Scene(*names, outside=outside)
    outside.scene = scene
    for number in range(agents):
        scene.save_agent(f"agent-{number}")
    return scene


def reports(scene: Scene) -> Any:
    return scene.room("dispatcher").state.planning.reports


def test_a_plan_is_shown_as_a_comment_and_a_check_of_each_target() -> None:
    outside = Outside(a=CHANGED, b=UNCHANGED)
    scene = scene_of(outside, "a", "b")
    planned(scene, "a", "b", version_metadata=METADATA)
    last: dict[tuple[str, str], str] = {(what, of): state for what, of, state in outside.shown}
    assert last == {("comment", ""): "done", ("check", target("a")): "done", ("check", target("b")): "done"}
    assert outside.shown[0][0] == "comment"
    assert not reports(scene)
    facts = scene.facts(PlanReported)
    assert [one.number for one in facts] == list(range(len(facts)))
    assert {one.pull_request for one in facts} == {7}


@pytest.mark.parametrize("missing", sorted(METADATA))
def test_a_plan_without_a_repository_is_shown_nowhere(missing: str) -> None:
    outside = Outside(a=CHANGED)
    scene = scene_of(outside, "a")
    planned(scene, "a", version_metadata={key: value for key, value in METADATA.items() if key != missing})
    assert not outside.asked
    assert not scene.facts(PlanReported)
    assert scene.facts(PlanResultRecorded)


def test_what_is_open_is_shown_as_running_and_changed_by_its_id() -> None:
    outside = Outside()
    scene = scene_of(outside, "a")
    planned(scene, "a", version_metadata=METADATA)
    assert outside.shown == [("comment", "", "running"), ("check", target("a"), "running")]
    assert reports(scene)
    finish(scene, CHANGED)
    assert outside.shown[2:] == [("comment", "", "done"), ("check", target("a"), "done")]
    assert [one["external_id"] for one in outside.asked] == [None, None, "id-1", "id-2"]
    assert not reports(scene)


@pytest.mark.parametrize("bad", [ERRORED, OBJECTED])
def test_a_check_fails_as_soon_as_one_result_is_bad(bad: Json) -> None:
    outside = Outside()
    scene = scene_of(outside, "a", agents=2)
    planned(scene, "a", version_metadata=METADATA)
    finish(scene, bad)
    assert outside.shown[2:] == [("check", target("a"), "failing")]
    assert outside.asked[-1]["tally"]["open"] == 1
    finish(scene, UNCHANGED)
    assert outside.shown[3:] == [("comment", "", "done"), ("check", target("a"), "done")]
    tally = outside.asked[-1]["tally"]
    assert (tally["total"], tally["open"], tally["errored"] + tally["violated"], tally["unchanged"]) == (2, 0, 1, 1)


def finish(scene: Scene, result: Json) -> None:
    """One dry run that is open ends."""
    room = scene.room("dispatcher")
    result_id = min(room.state.planning.results)
    round_ = room.settle([Outcome(f"plan/{result_id}", result)], scene.now)
    assert round_ is not None
    scene._append(room, round_)
    scene.run()


def test_what_can_not_be_shown_is_recorded_once_and_nothing_else_is_tried() -> None:
    outside = Outside(a=CHANGED, b=ERRORED)
    outside.github = "the App is not installed there"
    scene = scene_of(outside, "a", "b")
    planned(scene, "a", "b", version_metadata=METADATA)
    (fact,) = scene.facts(PlanReported)
    assert (fact.error, fact.external_id) == ("the App is not installed there", None)
    assert len(outside.asked) == 1
    assert not reports(scene)
    assert len(scene.facts(PlanResultRecorded)) == 2


def test_github_that_wants_to_be_left_alone_is_told_later_and_dry_runs_do_not_wait() -> None:
    outside = Outside(a=CHANGED)
    outside.github = "held"
    scene = scene_of(outside, "a")
    planned(scene, "a", version_metadata=METADATA)
    assert len(scene.facts(PlanResultRecorded)) == 1
    assert not scene.facts(PlanReported)
    outside.github = "told"
    scene.advance(10)
    assert ("comment", "", "done") in outside.shown
    assert not reports(scene)


def test_after_a_crash_only_the_next_thing_is_shown_again() -> None:
    outside = Outside(a=CHANGED)
    outside.github = "nothing"
    scene = scene_of(outside, "a")
    planned(scene, "a", version_metadata=METADATA)
    state = scene.room("dispatcher").state
    assert service.effects is not None
    keys = [key for key in service.effects.keys(state) if key.startswith("report/")]
    (intent,) = [intent for key in keys if (intent := service.effects.intent(state, key)) is not None]
    assert (intent.request["what"], intent.request["number"]) == ("comment", 0)


@pytest.mark.parametrize("names,agents", [((), 1), (("a",), 0)])
def test_a_plan_without_anything_to_plan_has_a_comment_and_no_check(names: tuple[str, ...], agents: int) -> None:
    outside = Outside()
    scene = scene_of(outside, agents=agents)
    scene.save_resource("a", {})
    planned(scene, *names, version_metadata=METADATA)
    assert outside.shown[-1] == ("comment", "", "done")
    assert {what for what, _, _ in outside.shown} == {"comment"}
    assert outside.asked[-1]["targets"] == len(names)
    assert not reports(scene)


def test_further_targets_share_one_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold_plan_reports, "OWN_CHECKS", 2)
    names = [f"r{number}" for number in range(5)]
    outside = Outside(**dict.fromkeys(names[:4], UNCHANGED), r4=ERRORED)
    scene = scene_of(outside, *names)
    planned(scene, *names, version_metadata=METADATA)
    final = {told["target"]: told["tally"] for told in outside.asked if told["what"] == "check" and told["state"] == "done"}
    assert set(final) == {target("r0"), target("r1"), REST}
    assert (final[REST]["total"], final[REST]["errored"], final[REST]["unchanged"]) == (3, 1, 2)
    assert not reports(scene)


def test_the_check_of_further_targets_is_not_through_while_some_may_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold_plan_reports, "OWN_CHECKS", 1)
    outside = Outside(a=UNCHANGED, b=UNCHANGED, c=ERRORED)
    scene = scene_of(outside, "a", "b", "c")
    plan_id = planned(scene, "a", "b", last=False, version_metadata=METADATA)
    assert ("check", target("a"), "done") in outside.shown
    assert ("check", REST, "running") in outside.shown
    assert ("comment", "", "done") not in outside.shown
    more = PlanTarget(environment_id=ENVIRONMENT, resource_id=id_of("c"))
    scene.record(
        PlanTargetsResolved(plan_id=plan_id, deployment_id=DEPLOYMENT, targets=(more,), last=True, resolved_at=scene.now)
    )
    scene.run()
    assert [shown for shown in outside.shown if shown[1] == REST][-1] == ("check", REST, "done")
    assert not reports(scene)


def test_what_was_shown_of_another_number_changes_nothing() -> None:
    outside = Outside()
    outside.github = "nothing"
    scene = scene_of(outside, "a")
    plan_id = planned(scene, "a", version_metadata=METADATA)
    told = {"plan_id": plan_id, "number": 1, "what": "comment", "target": "", "state": "done", "external_id": "x"}
    room = scene.room("dispatcher")
    late = Outcome(f"report/{plan_id}/1", told | {"pull_request": 1, "error": None})
    assert room.settle([late], scene.now) is None


@settings(max_examples=40, deadline=None)
@given(
    results=st.lists(st.sampled_from([UNCHANGED, CHANGED, ERRORED, OBJECTED]), min_size=1, max_size=6),
    agents=st.integers(1, 2),
    held=st.lists(st.booleans(), max_size=12),
    own=st.integers(1, 4),
)
def test_in_whatever_order_things_happen_everything_is_shown_as_it_ended(
    results: list[Json], agents: int, held: list[bool], own: int
) -> None:
    """Also: one thing at a time, every check is made once, and the state is that of the log."""
    names = [f"r{number}" for number in range(len(results))]
    outside = Outside()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold_plan_reports, "OWN_CHECKS", own)
        scene = scene_of(outside, *names, agents=agents)
        planned(scene, *names, version_metadata=METADATA)
        for step in range(len(results) * agents):
            outside.github = "held" if step < len(held) and held[step] else "told"
            finish(scene, results[step % len(results)])
            scene.advance(timedelta(seconds=step % 12).total_seconds())
        outside.github = "told"
        scene.advance(10)
        assert not reports(scene)
        assert refold(service, scene.log).planning == scene.room("dispatcher").state.planning
    final = {(told["what"], told["target"]): told for told in outside.asked}
    assert {told["state"] for told in final.values()} == {"done"}
    whole = final["comment", ""]["tally"]
    checks = [told["tally"] for (what, _), told in final.items() if what == "check"]
    assert {key: sum(one[key] for one in checks) for key in whole} == whole
    assert whole["total"] == len(results) * agents
    made = [(told["what"], told["target"]) for told in outside.asked if told["external_id"] is None]
    assert len(made) == len(set(made)) == len(final)
