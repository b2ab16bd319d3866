"""Which agents execute a release, and what is said when there is none."""

from __future__ import annotations

import pytest

from services.dispatcher.agent_config import merged, timeout_of
from tests.unit.dispatcher.dispatcher_scene import Scene, id_of


@pytest.mark.parametrize("selector", ["", "false", "  "])
def test_elig_no_selector_failure_job(selector: str) -> None:
    scene = Scene(selector=selector)
    scene.save_agent()
    scene.release("v1")
    (job,) = scene.jobs()
    assert (job.status, job.agent_id, job.snapshot.agent) == ("invalidJobAgent", "", 0)
    assert job.message is not None
    assert job.message.startswith("No job agent is configured: the job agent selector of deployment 'shop' is ")
    assert scene.dispatched() == []
    state = scene.room("dispatcher").state
    assert state.jobs[job.job_id].completed_at == job.created_at


def test_elig_no_agent_failure_job_with_missing_keys() -> None:
    scene = Scene(selector='jobAgent.config.region == resource.name && jobAgent.type == "http-pull"')
    scene.save_agent("without-region")
    scene.save_agent("elsewhere", config={"region": "us-1"})
    scene.release("v1")
    (job,) = scene.jobs()
    assert job.status == "invalidJobAgent"
    assert job.message == (
        'No job agent matches: the selector `jobAgent.config.region == resource.name && jobAgent.type == "http-pull"` of deployment '
        "'shop' picks none of 2 job agents for resource Cluster 'eu-1'. "
        "Left out because a key that the selector reads is missing: without-region."
    )


def test_a_selector_that_fails_on_an_agent_leaves_it_out_and_says_so() -> None:
    scene = Scene(selector="jobAgent.config.weight > 3")
    scene.save_agent("text", config={"weight": "heavy"})
    scene.release("v1")
    (job,) = scene.jobs()
    assert job.message is not None
    assert "Left out because the selector fails on them: text (" in job.message


def test_a_long_list_of_agents_is_cut() -> None:
    scene = Scene(selector="jobAgent.config.region == resource.name")
    for n in range(8):
        scene.save_agent(f"agent-{n}")
    scene.release("v1")
    assert scene.jobs()[0].message is not None
    assert str(scene.jobs()[0].message).endswith("and 3 more.")


def test_elig_two_agents_two_jobs() -> None:
    scene = Scene(selector='jobAgent.type == "http-pull"')
    agents = {scene.save_agent("one"), scene.save_agent("two")}
    scene.save_agent("runner", type="test-runner")
    scene.release("v1")
    assert {job.agent_id for job in scene.jobs()} == agents
    assert scene.statuses() == ["queued", "queued"]
    scene.release("v2")
    first, second = (job.job_id for job in scene.jobs())
    scene.finish(job_id=first)
    assert len(scene.jobs()) == 2
    scene.finish(job_id=second)
    assert [job.version_id for job in scene.jobs()[2:]] == [id_of("v2"), id_of("v2")]
    assert len({job.job_id for job in scene.jobs()}) == 4


def test_elig_config_three_level_merge() -> None:
    scene = Scene(config={"a": "deployment", "b": "deployment", "deep": {"x": 2, "y": 2}, "list": [2]})
    scene.save_agent(config={"a": "agent", "only": "agent", "deep": {"x": 1, "z": 1}, "list": [1, 1]})
    scene.release("v1", config={"b": "version", "deep": {"y": 3}})
    assert scene.jobs()[0].job_agent_config == {
        "a": "deployment",
        "b": "version",
        "only": "agent",
        "deep": {"x": 2, "y": 3, "z": 1},
        "list": [2],
    }


def test_merging_changes_no_level() -> None:
    first, second = {"deep": {"x": 1}}, {"deep": {"x": 2}}
    assert merged(first, second) == {"deep": {"x": 2}}
    assert first == {"deep": {"x": 1}}
    assert merged({"a": {"b": 1}}, {"a": 2}) == {"a": 2}
    assert merged({"a": 2}, {"a": {"b": 1}}) == {"a": {"b": 1}}


def test_elig_selector_uses_resource() -> None:
    scene = Scene(
        "eu-1",
        "us-1",
        selector="jobAgent.config.zone == resource.metadata.zone",
        resources={"eu-1": {"zone": "eu"}, "us-1": {"zone": "us"}},
    )
    eu = scene.save_agent("eu", config={"zone": "eu"})
    us = scene.save_agent("us", config={"zone": "us"})
    scene.release("v1", "eu-1", "us-1")
    assert [(job.resource_id, job.agent_id) for job in scene.jobs()] == [(id_of("eu-1"), eu), (id_of("us-1"), us)]


def test_a_new_agent_serves_the_targets_that_found_none() -> None:
    scene = Scene("eu-1", "us-1", selector='jobAgent.name == "late"')
    scene.release("v1", "eu-1", "us-1")
    assert scene.statuses() == ["invalidJobAgent"] * 2
    scene.save_agent("other")
    assert len(scene.jobs()) == 2
    late = scene.save_agent("late")
    assert [(job.agent_id, job.attempt) for job in scene.jobs()[2:]] == [(late, 2), (late, 2)]
    scene.save_agent("late", config={"changed": True})
    assert len(scene.jobs()) == 4


def test_a_new_selector_serves_the_targets_that_found_none() -> None:
    scene = Scene(selector="false")
    scene.save_agent()
    scene.release("v1")
    scene.save_deployment(selector="true")
    scene.run()
    assert scene.statuses() == ["invalidJobAgent", "queued"]


def test_a_changed_resource_serves_its_own_target_that_found_none() -> None:
    scene = Scene(selector="jobAgent.config.zone == resource.metadata.zone")
    scene.save_agent(config={"zone": "eu"})
    scene.release("v1")
    scene.save_resource("eu-1", {"zone": "eu"})
    scene.run()
    assert scene.statuses() == ["invalidJobAgent", "queued"]


def test_a_person_who_ended_the_job_without_agent_ended_it() -> None:
    scene = Scene()
    scene.release("v1")
    scene.finish("skipped")
    scene.save_agent()
    assert scene.statuses() == ["skipped"]


@pytest.mark.parametrize(
    "config,seconds",
    [
        ({}, 3600),
        ({"timeoutSeconds": 60}, 60),
        ({"timeoutSeconds": 0.5}, 0.5),
        ({"timeoutSeconds": 0}, 3600),
        ({"timeoutSeconds": True}, 3600),
        ({"timeoutSeconds": "60"}, 60),
        ({"timeoutSeconds": " 60 "}, 60),
        ({"timeoutSeconds": "soon"}, 3600),
        ({"timeoutSeconds": 1e300}, 3600),
    ],
)
def test_how_long_a_job_may_take_comes_from_its_configuration(config: dict[str, object], seconds: float) -> None:
    assert timeout_of(config).total_seconds() == seconds
