"""What versions of a deployment pass: which policies apply in each environment, and where they must have succeeded before."""

from __future__ import annotations

from contracts.commands.policy.gates import DeploymentGates, GatedEnvironment
from tests.unit.policy.policy_scenes import Scene, approval, progression, uid

EU, US = uid("resource eu"), uid("resource us")


def gates(scene: Scene, deployment: str | None = None) -> dict[str, GatedEnvironment]:
    """By environment."""
    found = scene.world.ask(DeploymentGates(deployment_id=deployment or scene.deployment))
    return {one.environment_id: one for one in found.items}


def shop() -> Scene:
    """Two targets in production and one in staging."""
    scene = Scene()
    scene.resource("us", region="us")
    scene.resource("eu", region="eu")
    scene.appear(EU, US)
    scene.appear(EU, env=scene.staging)
    return scene


def test_a_policy_is_a_gate_where_it_applies_on_as_many_targets_as_it_picks() -> None:
    scene = shop()
    eu = scene.policy(approval(), selector='resource.metadata["region"] == "eu"')
    production = scene.production_policy(approval())
    found = gates(scene)
    assert {one.policy_id: one.targets for one in found[scene.production].gates} == {eu: 1, production: 2}
    assert {one.policy_id: one.targets for one in found[scene.staging].gates} == {eu: 1}
    assert found[scene.production].targets == 2


def test_a_progression_names_the_environments_before() -> None:
    scene = shop()
    scene.production_policy(progression())
    ((upstream,),) = (one.upstream for one in gates(scene)[scene.production].gates)
    assert upstream.environment_ids == (scene.staging,)


def test_a_progression_of_which_the_selector_has_no_answer_names_none() -> None:
    scene = shop()
    scene.production_policy(progression('environment.metadata["tier"] == "1"'))
    ((upstream,),) = (one.upstream for one in gates(scene)[scene.production].gates)
    assert upstream.environment_ids == ()


def test_a_policy_that_is_off_is_no_gate() -> None:
    scene = shop()
    scene.production_policy(approval(), enabled=False)
    assert gates(scene)[scene.production].gates == ()


def test_without_targets_there_is_nothing_to_pass() -> None:
    assert gates(Scene()) == {}
    assert gates(shop(), uid("nothing")) == {}
