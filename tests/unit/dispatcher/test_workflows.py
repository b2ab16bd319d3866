"""Workflows: saving, the inputs of a run, fan-out, the order of steps, and how a run ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.command import Refused
from contracts.commands.dispatcher import CancelRun, ClaimJob, DeleteWorkflow, RunWorkflow, SaveWorkflow, SetJobStatus
from contracts.facts.dispatcher import (
    JobCreated,
    WorkflowJobCreated,
    WorkflowJobStatusChanged,
    WorkflowRunEnded,
    WorkflowRunStarted,
    WorkflowSaved,
)
from contracts.shapes import JobStatus, WorkflowInput, WorkflowStep
from services.dispatcher.workflow_steps import in_order
from tests.unit.dispatcher.dispatcher_scene import Scene, id_of

PULLER = id_of("puller")


def step(name: str, *, selector: str = "true", needs: tuple[str, ...] = (), ref: str = PULLER, **config: Any) -> WorkflowStep:
    return WorkflowStep(name=name, ref=ref, config=config, selector=selector, needs=needs)


def scene_with(*names: str) -> Scene:
    scene = Scene(*(names or ("eu-1",)))
    scene.save_agent()
    return scene


def saved(scene: Scene, *steps: WorkflowStep, inputs: tuple[WorkflowInput, ...] = (), name: str = "Nightly Backup") -> str:
    workflow_id: str = scene.do(SaveWorkflow(name=name, inputs=inputs, job_agents=steps))["id"]
    return workflow_id


def started(scene: Scene, workflow_id: str, **inputs: Any) -> Any:
    return scene.do(RunWorkflow(workflow_id=workflow_id, inputs=inputs))


def refusal(scene: Scene, wish: Any) -> Any:
    before = len(scene.log)
    with pytest.raises(Refused) as refused:
        scene.do(wish)
    assert len(scene.log) == before
    return refused.value.refusal


def jobs(scene: Scene, step_name: str | None = None) -> list[WorkflowJobCreated]:
    return [one for one in scene.facts(WorkflowJobCreated) if step_name in (None, one.step)]


def end(scene: Scene, job: WorkflowJobCreated, status: JobStatus = "successful") -> None:
    scene.do(SetJobStatus(job_id=job.job_id, status=status))


# --- saving ------------------------------------------------------------------------------------------------------------------------


def test_a_slug_is_made_of_the_name_and_stays() -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("a"))
    assert scene.facts(WorkflowSaved)[-1].slug == "nightly-backup"
    scene.do(SaveWorkflow(workflow_id=workflow_id, name="Other", job_agents=(step("a"),)))
    assert scene.facts(WorkflowSaved)[-1].slug == "nightly-backup"


def test_a_slug_is_taken_once() -> None:
    scene = scene_with()
    first = saved(scene, step("a"))
    told = refusal(scene, SaveWorkflow(name="nightly backup!", job_agents=()))
    assert (told.kind, told.code) == ("conflict", "DUPLICATE_SLUG")
    assert told.details == {"slug": "nightly-backup", "existingWorkflowId": first}


@pytest.mark.parametrize("slug,name", [("No", "n"), ("a--b", "n"), ("-a", "n"), ("", "n"), ("a" * 101, "n"), (None, "!!!")])
def test_a_bad_slug_is_refused(slug: str | None, name: str) -> None:
    assert refusal(scene_with(), SaveWorkflow(name=name, slug=slug)).code == "INVALID_SLUG"


@pytest.mark.parametrize(
    "wish,path",
    [
        (SaveWorkflow(name="w", job_agents=(step("a", selector="resource.nam ="),)), "/body/jobAgents/0/selector"),
        (
            SaveWorkflow(name="w", inputs=(WorkflowInput(key="resourceSelector", type="string", default="oops("),)),
            "/body/inputs/0/default",
        ),
        (
            SaveWorkflow(
                name="w", inputs=(WorkflowInput(key="x", type="array", selector={"entityType": "resource", "default": "?"}),)
            ),
            "/body/inputs/0/selector/default",
        ),
    ],
)
def test_bad_cel_is_refused_with_its_place(wish: SaveWorkflow, path: str) -> None:
    told = refusal(scene_with(), wish)
    assert told.code == "INVALID_CEL"
    assert told.details[0]["path"] == path
    assert told.details[0]["line"] == 1


def test_a_default_of_another_type_is_refused() -> None:
    told = refusal(scene_with(), SaveWorkflow(name="w", inputs=(WorkflowInput(key="n", type="number", default="7"),)))
    assert told.details[0]["path"] == "/body/inputs/0/default"


def test_the_name_of_a_step_is_short_enough_to_be_part_of_a_fact() -> None:
    found = refusal(scene_with(), SaveWorkflow(name="w", job_agents=(step("x" * 1_001),)))
    assert (found.kind, found.details[0]["path"]) == ("invalid", "/body/jobAgents/0/name")


@pytest.mark.parametrize(
    "steps,said",
    [
        ((step("a"), step("a")), "Two steps"),
        ((step("a", needs=("b",)),), "no step"),
        ((step("a", needs=("b",)), step("b", needs=("a",))), "circle"),
        ((step("a", needs=("a",)),), "circle"),
    ],
)
def test_steps_that_could_not_run_are_refused(steps: tuple[WorkflowStep, ...], said: str) -> None:
    assert said in refusal(scene_with(), SaveWorkflow(name="w", job_agents=steps)).message


def test_saving_the_same_again_appends_nothing() -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("a"))
    before = len(scene.log)
    scene.do(SaveWorkflow(workflow_id=workflow_id, name="Nightly Backup", job_agents=(step("a"),)))
    assert len(scene.log) == before


def test_a_deleted_workflow_runs_no_more_but_its_run_goes_on() -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("a"), step("b", needs=("a",)))
    started(scene, workflow_id)
    scene.do(DeleteWorkflow(workflow_id=workflow_id))
    assert refusal(scene, RunWorkflow(workflow_id=workflow_id)).kind == "not_found"
    assert refusal(scene, DeleteWorkflow(workflow_id=workflow_id)).kind == "not_found"
    end(scene, jobs(scene)[0])
    assert len(jobs(scene, "b")) == 1


# --- inputs ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "type_,good,bad",
    [
        ("string", "x", 1),
        ("number", 1.5, "1"),
        ("number", 2, True),
        ("boolean", False, 0),
        ("object", {"a": 1}, []),
        ("array", [{}], {}),
        ("string", "", None),
    ],
)
def test_inputs_are_checked_by_their_types(type_: Any, good: Any, bad: Any) -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("a"), inputs=(WorkflowInput(key="x", type=type_),))
    told = refusal(scene, RunWorkflow(workflow_id=workflow_id, inputs={"x": bad}))
    assert told.code == "WORKFLOW_RUN_ERROR"
    assert told.details[0]["path"] == "/body/inputs/x"
    assert started(scene, workflow_id, x=good)["inputs"] == {"x": good}


def test_defaults_fill_what_was_not_given_and_the_rest_passes_through() -> None:
    scene = scene_with()
    inputs = (
        WorkflowInput(key="a", type="string", default="d"),
        WorkflowInput(key="b", type="array", default=[{"n": 1}]),
        WorkflowInput(key="c", type="string"),
    )
    answer = started(scene, saved(scene, step("a"), inputs=inputs), other=7)
    assert answer["inputs"] == {"a": "d", "b": [{"n": 1}], "other": 7}


def test_a_required_input_must_be_given() -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("a"), inputs=(WorkflowInput(key="x", type="string", required=True),))
    assert "required" in refusal(scene, RunWorkflow(workflow_id=workflow_id)).message


def test_an_array_input_may_stand_for_entities() -> None:
    scene = scene_with("eu-1", "us-1")
    selector = {"entityType": "resource", "default": 'resource.name.startsWith("eu")'}
    inputs = (WorkflowInput(key="clusters", type="array", selector=selector),)
    answer = started(scene, saved(scene, step("a"), inputs=inputs))
    assert [one["name"] for one in answer["inputs"]["clusters"]] == ["eu-1"]


# --- fan-out -----------------------------------------------------------------------------------------------------------------------


def test_a_run_without_a_resource_selector_runs_once() -> None:
    scene = scene_with("eu-1", "us-1")
    answer = started(scene, saved(scene, step("a"), step("b")))
    assert [one.resource_id for one in jobs(scene)] == [None, None]
    assert answer["jobs"] == [{"jobId": one.job_id, "jobAgentId": PULLER} for one in jobs(scene)]


def test_a_run_fans_out_over_resources_and_routes_by_agent() -> None:
    scene = scene_with("eu-1", "eu-2", "us-1")
    scene.save_agent("other", config={"region": "us"})
    scene.save_agent(config={"region": "eu"})
    route = "resource.name.startsWith(jobAgent.config.region)"
    workflow_id = saved(scene, step("eu", selector=route), step("us", selector=route, ref=id_of("other")))
    started(scene, workflow_id, resourceSelector="true")
    assert [len(jobs(scene, name)) for name in ("eu", "us")] == [2, 1]


def test_a_selector_sees_the_inputs() -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("a", selector='inputs.env == "prod"'), step("b", selector='workflow.slug == "w"'), name="w")
    started(scene, workflow_id, env="test")
    assert [one.step for one in jobs(scene)] == ["b"]


def test_a_selector_that_picks_nothing_ends_the_run_at_once() -> None:
    scene = scene_with()
    answer = started(scene, saved(scene, step("a"), step("b", needs=("a",))), resourceSelector='resource.name == "none"')
    assert answer["jobs"] == []
    assert [one.status for one in scene.facts(WorkflowRunEnded)] == ["successful"]


@pytest.mark.parametrize("selector", [7, "resource.", "nonsense ="])
def test_a_bad_resource_selector_is_refused(selector: Any) -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("a"))
    told = refusal(scene, RunWorkflow(workflow_id=workflow_id, inputs={"resourceSelector": selector}))
    assert (told.code, told.details[0]["path"]) == ("WORKFLOW_RUN_ERROR", "/body/inputs/resourceSelector")


def test_an_agent_that_does_not_exist_is_refused() -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("a", ref=id_of("nobody")))
    assert refusal(scene, RunWorkflow(workflow_id=workflow_id)).code == "WORKFLOW_RUN_ERROR"


def test_a_run_is_found_by_slug() -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("a"))
    assert scene.do(RunWorkflow(slug="nightly-backup"))["workflowId"] == workflow_id
    assert refusal(scene, RunWorkflow(slug="none")).kind == "not_found"


# --- steps -------------------------------------------------------------------------------------------------------------------------


def test_steps_go_in_the_order_of_their_needs() -> None:
    scene = scene_with("eu-1", "eu-2")
    workflow_id = saved(scene, step("c", needs=("a", "b")), step("a"), step("b", needs=("a",)))
    started(scene, workflow_id, resourceSelector="true")
    for name in "abc":
        assert len(jobs(scene, name)) == 2
        assert len(jobs(scene)) == 2 * ("abc".index(name) + 1)
        for one in jobs(scene, name):
            assert not scene.facts(WorkflowRunEnded)
            end(scene, one)
    assert [one.status for one in scene.facts(WorkflowRunEnded)] == ["successful"]
    assert not scene.room("dispatcher").state.runs


def test_what_needs_a_step_that_failed_is_left_out() -> None:
    scene = scene_with()
    started(scene, saved(scene, step("a"), step("b", needs=("a",)), step("c", needs=("b",)), step("d")))
    end(scene, jobs(scene, "a")[0], "failure")
    end(scene, jobs(scene, "d")[0])
    (ended,) = scene.facts(WorkflowRunEnded)
    assert (ended.status, ended.left_out) == ("failure", ("b", "c"))


def test_a_job_of_a_run_is_claimed_and_has_a_deadline_like_any_other() -> None:
    scene = scene_with()
    started(scene, saved(scene, step("a")))
    (job,) = jobs(scene)
    scene.do(ClaimJob(agent_id=PULLER, job_id=job.job_id))
    scene.advance(3_600)
    assert scene.room("dispatcher").state.jobs[job.job_id].status == "failure"
    assert [one.status for one in scene.facts(WorkflowRunEnded)] == ["failure"]
    assert not scene.facts(JobCreated)


def test_a_run_that_a_person_stops() -> None:
    scene = scene_with("eu-1", "eu-2")
    answer = started(scene, saved(scene, step("a"), step("b", needs=("a",))), resourceSelector="true")
    scene.do(CancelRun(run_id=answer["id"], reason="wrong night"))
    (ended,) = scene.facts(WorkflowRunEnded)
    assert (ended.status, ended.left_out) == ("cancelled", ("b",))
    assert refusal(scene, CancelRun(run_id=answer["id"])).kind == "not_found"


def test_a_run_goes_on_as_the_workflow_was_when_it_began() -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("a"), step("b", needs=("a",), note="then"))
    started(scene, workflow_id)
    scene.do(SaveWorkflow(workflow_id=workflow_id, name="Nightly Backup", job_agents=(step("a"),)))
    end(scene, jobs(scene)[0])
    assert [one.job_agent_config for one in jobs(scene, "b")] == [{"note": "then"}]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sets(st.integers(0, 5), max_size=3), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_every_run_ends_and_no_step_comes_before_what_it_needs(needs: list[set[int]], random: Any) -> None:
    names = [f"s{n}" for n in range(len(needs))]
    # Only earlier ones, so that there is no circle; saved in any order.
    steps = [step(names[n], needs=tuple(sorted(names[m] for m in some if m < n))) for n, some in enumerate(needs)]
    random.shuffle(steps)
    scene = scene_with()
    started(scene, saved(scene, *steps))
    begun: set[str] = set()
    while not scene.facts(WorkflowRunEnded):
        states = scene.room("dispatcher").state.jobs
        active = [one for one in jobs(scene) if states[one.job_id].is_active]
        assert active, "a run that has not ended has something to wait for"
        for one in jobs(scene):
            if one.step not in begun:
                begun.add(one.step)
                wanted = next(each for each in steps if each.name == one.step).needs
                done = {each.step for each in jobs(scene) if states[each.job_id].status == "successful"}
                assert done.issuperset(wanted)
        end(scene, random.choice(active), random.choice(["successful", "successful", "failure"]))
    (ended,) = scene.facts(WorkflowRunEnded)
    assert {one.step for one in jobs(scene)} | set(ended.left_out) == set(names)
    assert len(jobs(scene)) == len({one.step for one in jobs(scene)})
    assert [one.name for one in in_order(steps)]
    assert len(scene.facts(WorkflowRunStarted)) == 1


def test_a_run_that_is_stopped_before_its_next_step_begins_ends() -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("first"), step("then", needs=("first",)))
    run_id = started(scene, workflow_id)["id"]
    scene.ask(SetJobStatus(job_id=jobs(scene)[0].job_id, status="successful"))
    scene.ask(CancelRun(run_id=run_id))
    scene.run()
    (ended,) = scene.facts(WorkflowRunEnded)
    assert (ended.status, ended.left_out) == ("cancelled", ("then",))
    assert len(jobs(scene)) == 1


@pytest.mark.parametrize("status", ["successful", "failure"])
def test_a_run_that_is_stopped_when_all_of_it_is_done_ends_as_it_went(status: JobStatus) -> None:
    scene = scene_with()
    run_id = started(scene, saved(scene, step("first"), step("then", needs=("first",))))["id"]
    end(scene, jobs(scene, "first")[0])
    scene.ask(SetJobStatus(job_id=jobs(scene, "then")[0].job_id, status=status))
    assert refusal(scene, CancelRun(run_id=run_id)).kind == "not_found"
    scene.run()
    assert [one.status for one in scene.facts(WorkflowRunEnded)] == [status]


def test_a_run_that_is_stopped_between_two_steps_has_no_next_one_though_another_job_runs() -> None:
    scene = scene_with()
    workflow_id = saved(scene, step("first"), step("beside"), step("then", needs=("first",)))
    run_id = started(scene, workflow_id)["id"]
    first, _ = jobs(scene)
    scene.ask(SetJobStatus(job_id=first.job_id, status="successful"))
    scene.ask(CancelRun(run_id=run_id, reason="wrong night"))
    scene.run()
    (ended,) = scene.facts(WorkflowRunEnded)
    assert (ended.status, ended.left_out) == ("cancelled", ("then",))
    assert [one.step for one in jobs(scene)] == ["first", "beside"]
    assert [scene.room("dispatcher").state.jobs[one.job_id].status for one in jobs(scene)] == ["successful", "cancelled"]


def test_a_step_that_concerned_nobody_does_not_begin_as_its_run_is_stopped() -> None:
    scene = scene_with("eu-1")
    late = WorkflowStep(name="late", ref=PULLER, selector='resource.metadata.ready == "yes"')
    run_id = started(scene, saved(scene, step("first"), late), resourceSelector="true")["id"]
    scene.save_resource("eu-1", {"ready": "yes"})
    scene.do(CancelRun(run_id=run_id))
    assert [one.status for one in scene.facts(WorkflowRunEnded)] == ["cancelled"]
    assert [one.step for one in jobs(scene)] == ["first"]


def test_a_run_whose_steps_have_long_names_ends_all_the_same() -> None:
    scene = scene_with()
    steps = [step(f"{number}{'x' * 990}", needs=("first",)) for number in range(200)]
    workflow_id = saved(scene, step("first"), *steps)
    started(scene, workflow_id)
    end(scene, jobs(scene)[0], "failure")
    (ended,) = scene.facts(WorkflowRunEnded)
    assert len(ended.left_out) == 200


def test_a_run_counts_the_jobs_of_its_steps_however_often_people_change_them() -> None:
    scene = scene_with("eu-1", "eu-2")
    workflow_id = saved(scene, step("first"), step("beside"), step("then", needs=("first",)))
    run_id = started(scene, workflow_id, resourceSelector="true")["id"]
    first, other = jobs(scene, "first")
    for status in ("successful", "failure", "inProgress", "cancelled", "successful"):
        end(scene, first, status)
    counted = scene.room("dispatcher").state.runs[run_id].jobs["first"]
    assert (counted.active, counted.bad) == (1, 0)
    assert jobs(scene, "then") == []
    end(scene, other)
    assert len(jobs(scene, "then")) == 2
    for job in (*jobs(scene, "then"), *jobs(scene, "beside")):
        end(scene, job)
    assert [one.status for one in scene.facts(WorkflowRunEnded)] == ["successful"]


def test_the_jobs_of_a_run_are_stopped_in_the_same_order_in_every_process() -> None:
    scene = scene_with()
    names = [f"step {number}" for number in range(12)]
    workflow_id = saved(scene, *(step(name) for name in names))
    run_id = started(scene, workflow_id)["id"]
    before = len(scene.log)
    scene.ask(CancelRun(run_id=run_id))
    made = {one.job_id: one.step for one in jobs(scene)}
    stopped = [one.fact.job_id for one in scene.log[before:] if isinstance(one.fact, WorkflowJobStatusChanged)]
    assert [made[job_id] for job_id in stopped] == sorted(names)
