"""What planner answers: given the workspace, when asked, then facts, or Refused, or nothing."""

from __future__ import annotations

import pytest

from contracts.command import Refused, Wish
from contracts.commands.planner import (
    CreateVersion,
    DeleteDeployment,
    DeleteEnvironment,
    DeleteSystem,
    LinkDeployment,
    LinkEnvironment,
    SaveDeployment,
    SaveEnvironment,
    SaveSystem,
    UnlinkDeployment,
    UnlinkEnvironment,
    UpdateVersion,
)
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, SystemSaved, VersionCreated, VersionUpdated
from tests.unit.planner.planner_scenes import Scene, uid


def refused(scene: Scene, wish: Wish) -> Refused:
    """The refusal of a wish, which appended nothing."""
    before = len(scene.world.log)
    with pytest.raises(Refused) as caught:
        scene.world.ask(wish)
    assert len(scene.world.log) == before
    return caught.value


def quiet(scene: Scene, wish: Wish) -> None:
    """The wish is answered and appends nothing."""
    before = len(scene.world.log)
    scene.world.ask(wish)
    assert len(scene.world.log) == before


def test_a_new_thing_gets_its_id_from_the_command() -> None:
    scene = Scene()
    one = scene.world.ask(SaveSystem(name="a"), id=uid("command"))
    two = Scene().world.ask(SaveSystem(name="a"), id=uid("command"))
    environment = scene.world.ask(SaveEnvironment(name="a"), id=uid("command"))
    assert one == two
    assert one != environment


def test_a_put_creates_under_the_given_id_and_keeps_the_creation_time() -> None:
    scene = Scene()
    for name in ("one", "two"):
        scene.world.ask(SaveSystem(system_id=uid("s"), name=name, metadata={"a": "b"}))
        scene.world.ask(SaveDeployment(deployment_id=uid("d"), name=name))
        scene.world.ask(SaveEnvironment(environment_id=uid("e"), name=name))
        scene.world.advance(60)
    facts = scene.world.facts
    for first, second in (facts(SystemSaved)[-2:], facts(DeploymentSaved)[-2:], facts(EnvironmentSaved)[-2:]):
        assert isinstance(first, SystemSaved | DeploymentSaved | EnvironmentSaved)
        assert isinstance(second, SystemSaved | DeploymentSaved | EnvironmentSaved)
        assert (first.name, second.name) == ("one", "two")
        assert first.created_at == second.created_at


def test_a_put_is_full() -> None:
    scene = Scene()
    scene.world.ask(SaveSystem(system_id=uid("s"), name="a", description="d", metadata={"a": "b"}))
    scene.world.ask(SaveSystem(system_id=uid("s"), name="a"))
    saved = scene.world.facts(SystemSaved)[-1]
    assert (saved.description, saved.metadata) == ("", {})


def test_saving_the_same_again_appends_nothing() -> None:
    scene = Scene()
    system = SaveSystem(system_id=uid("s"), name="a", metadata={"a": "b"})
    deployment = SaveDeployment(deployment_id=uid("d"), name="a", job_agent_selector="true", job_agent_config={"a": {"b": 1}})
    environment = SaveEnvironment(environment_id=uid("e"), name="a", resource_selector="true")
    for wish in (system, deployment, environment):
        scene.world.ask(wish)
        quiet(scene, wish)


def test_true_is_not_one() -> None:
    scene = Scene()
    for value in (1, True, 1.0):
        wish = SaveDeployment(deployment_id=uid("d"), name="a", job_agent_selector="true", job_agent_config={"a": value})
        scene.world.ask(wish)
    assert len(scene.world.facts(DeploymentSaved)) == 4


def test_names_of_deployments_and_environments_are_unique() -> None:
    scene = Scene()
    for wish in (SaveDeployment(name="api"), SaveEnvironment(name="production")):
        refusal = refused(scene, wish).refusal
        assert (refusal.kind, refusal.code) == ("conflict", "DUPLICATE_NAME")
    scene.world.ask(SaveDeployment(deployment_id=scene.deployment, name="renamed"))
    scene.world.ask(SaveEnvironment(environment_id=scene.environment, name="renamed"))
    scene.world.ask(SaveDeployment(name="api"))
    scene.world.ask(SaveEnvironment(name="production"))
    scene.world.ask(DeleteDeployment(deployment_id=scene.deployment))
    scene.world.ask(SaveDeployment(name="renamed"))


def test_names_of_systems_may_repeat() -> None:
    scene = Scene()
    assert scene.world.ask(SaveSystem(name="shop"))["id"] != scene.system


@pytest.mark.parametrize(
    "wish",
    [
        DeleteSystem(system_id=uid("x")),
        DeleteDeployment(deployment_id=uid("x")),
        DeleteEnvironment(environment_id=uid("x")),
        CreateVersion(deployment_id=uid("x"), tag="v1"),
        UpdateVersion(version_id=uid("x"), status="rejected"),
    ],
    ids=lambda wish: wish.NAME,
)
def test_the_unknown_is_not_found(wish: Wish) -> None:
    refusal = refused(Scene(), wish).refusal
    assert refusal.kind == "not_found"
    assert uid("x") in refusal.message


def test_links_of_the_unknown_are_not_found() -> None:
    scene = Scene()
    for wish in (
        LinkDeployment(system_id=uid("x"), deployment_id=scene.deployment),
        LinkDeployment(system_id=scene.system, deployment_id=uid("x")),
        LinkEnvironment(system_id=uid("x"), environment_id=scene.environment),
        LinkEnvironment(system_id=scene.system, environment_id=uid("x")),
    ):
        assert refused(scene, wish).refusal.kind == "not_found"


def test_linking_again_changes_nothing_and_unlinking_again_is_not_found() -> None:
    scene = Scene()
    quiet(scene, LinkDeployment(system_id=scene.system, deployment_id=scene.deployment))
    quiet(scene, LinkEnvironment(system_id=scene.system, environment_id=scene.environment))
    for wish in (
        UnlinkDeployment(system_id=scene.system, deployment_id=scene.deployment),
        UnlinkEnvironment(system_id=scene.system, environment_id=scene.environment),
    ):
        assert scene.world.ask(wish) == {"id": scene.system}
        assert refused(scene, wish).refusal.kind == "not_found"


def test_deleting_ends_links() -> None:
    scene = Scene()
    scene.world.ask(DeleteDeployment(deployment_id=scene.deployment))
    scene.world.ask(DeleteEnvironment(environment_id=scene.environment))
    catalog = scene.world.room("planner").state.catalog
    assert not any((catalog.deployments_of, catalog.environments_of, catalog.systems_of))


def test_a_selector_that_can_not_be_compiled_is_refused_with_its_place() -> None:
    scene = Scene()
    for wish in (
        SaveDeployment(name="new", resource_selector='resource.name ==\n "a" &&& true'),
        SaveEnvironment(name="new", resource_selector='resource.name ==\n "a" &&& true'),
    ):
        refusal = refused(scene, wish).refusal
        assert (refusal.kind, refusal.code) == ("invalid", "INVALID_CEL")
        assert refusal.message.startswith("Invalid resource selector: ")
        (detail,) = refusal.details
        assert detail.keys() == {"path", "message", "errorCode", "line", "column"}
        assert (detail["path"], detail["line"]) == ("/body/resourceSelector", 2)
        assert refusal.message.endswith(f"at line 2, column {detail['column']}")


@pytest.mark.parametrize("source", ["", "  ", "environment.name == 'a'", "resource.nope( == 'a'"])
def test_a_selector_that_names_what_is_not_there_is_refused(source: str) -> None:
    assert refused(Scene(), SaveEnvironment(name="new", resource_selector=source)).refusal.code == "INVALID_CEL"


def test_the_job_agent_selector_is_checked_too() -> None:
    scene = Scene()
    refusal = refused(scene, SaveDeployment(name="new", job_agent_selector="agent.id == 'a'")).refusal
    assert refusal.message.startswith("Invalid job agent selector: ")
    assert refusal.details[0]["path"] == "/body/jobAgentSelector"
    scene.world.ask(SaveDeployment(name="new", job_agent_selector="jobAgent.id == 'a' && resource.name == 'b'"))
    scene.world.ask(SaveDeployment(name="blank", job_agent_selector=""))


def test_the_job_agent_is_kept_unless_its_selector_is_sent() -> None:
    scene = Scene()
    first = SaveDeployment(deployment_id=uid("d"), name="a", job_agent_selector="true", job_agent_config={"a": 1})
    scene.world.ask(first)
    scene.world.ask(SaveDeployment(deployment_id=uid("d"), name="b", job_agent_config={"a": 2}))
    kept = scene.world.facts(DeploymentSaved)[-1]
    assert (kept.job_agent_selector, kept.job_agent_config) == ("true", {"a": 1})
    scene.world.ask(SaveDeployment(name="c", job_agent_config={"a": 2}))
    new = scene.world.facts(DeploymentSaved)[-1]
    assert (new.resource_selector, new.job_agent_selector, new.job_agent_config) == ("false", "false", {"a": 2})


def test_a_document_too_large_for_the_log_is_refused() -> None:
    scene = Scene()
    huge = {"a": "x" * 300_000}
    for wish, what in (
        (SaveSystem(name="a", metadata=huge), "System is too large"),
        (CreateVersion(deployment_id=scene.deployment, tag="v1", config=huge), "Version is too large"),
    ):
        refusal = refused(scene, wish).refusal
        assert refusal.kind == "invalid"
        assert refusal.message.startswith(what)


def test_a_version_without_a_name_is_named_like_its_tag() -> None:
    scene = Scene()
    scene.world.ask(CreateVersion(deployment_id=scene.deployment, tag="v1", config={"a": 1}))
    (version,) = scene.world.facts(VersionCreated)
    assert (version.name, version.status, version.config, version.created_at) == ("v1", "ready", {"a": 1}, scene.world.now)


def test_a_tag_is_unique_in_its_deployment() -> None:
    scene = Scene()
    scene.version("v1")
    assert refused(scene, CreateVersion(deployment_id=scene.deployment, tag="v1")).refusal.kind == "conflict"
    other = scene.world.ask(SaveDeployment(name="other"))["id"]
    scene.world.ask(CreateVersion(deployment_id=other, tag="v1"))


def test_updating_a_version_changes_what_is_named() -> None:
    scene = Scene()
    v1 = scene.version("v1")
    before = scene.world.facts(VersionCreated)[0]
    scene.world.ask(UpdateVersion(version_id=v1, status="rejected", message="bad build", metadata={"a": "b"}))
    (after,) = scene.world.facts(VersionUpdated)
    assert (after.status, after.message, after.metadata) == ("rejected", "bad build", {"a": "b"})
    assert (after.tag, after.name, after.config, after.created_at) == ("v1", "v1", before.config, before.created_at)
    quiet(scene, UpdateVersion(version_id=v1, status="rejected"))


def test_a_version_may_change_its_tag_to_a_free_one() -> None:
    scene = Scene()
    v1, v2 = scene.version("v1"), scene.version("v2")
    assert refused(scene, UpdateVersion(version_id=v2, tag="v1")).refusal.kind == "conflict"
    scene.world.ask(UpdateVersion(version_id=v1, tag="v1.0"))
    scene.world.ask(UpdateVersion(version_id=v2, tag="v1", name=""))
    assert scene.world.facts(VersionUpdated)[-1].name == "v1"


def test_versions_outlive_their_deployment_but_can_not_be_changed_without_it() -> None:
    scene = Scene()
    v1 = scene.version("v1")
    scene.world.ask(DeleteDeployment(deployment_id=scene.deployment))
    assert refused(scene, UpdateVersion(version_id=v1, status="rejected")).refusal.kind == "not_found"
    scene.world.ask(SaveDeployment(deployment_id=scene.deployment, name="api"))
    assert refused(scene, CreateVersion(deployment_id=scene.deployment, tag="v1")).refusal.kind == "conflict"
    scene.world.ask(UpdateVersion(version_id=v1, status="rejected"))
