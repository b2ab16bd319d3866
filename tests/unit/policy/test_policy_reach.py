"""Whom a policy reaches: as it is saved, and as it would be, before anybody saves it."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.commands.policy.reach import PolicyReach, PolicyTargets, PreviewPolicy
from tests.unit.policy.policy_scenes import Scene, approval, uid

EU, US = uid("resource eu"), uid("resource us")
IN_PRODUCTION = 'environment.name == "production"'
IN_EU = 'resource.metadata["region"] == "eu"'


def shop() -> Scene:
    """Two targets in production and one in staging."""
    scene = Scene()
    scene.resource("us", region="us")
    scene.resource("eu", region="eu")
    scene.appear(EU, US)
    scene.appear(EU, env=scene.staging)
    return scene


def reach(scene: Scene) -> dict[str, tuple[int, int]]:
    """(targets, held) by policy."""
    return {one.policy_id: (one.targets, one.held) for one in scene.world.ask(PolicyReach()).items}


def preview(scene: Scene, *rules: RuleInput, limit: int = 50, offset: int = 0, **said: Any) -> Any:
    return scene.world.ask(PreviewPolicy(policy=SavePolicy(name="p", rules=rules, **said), limit=limit, offset=offset))


def test_a_policy_reaches_what_its_selector_picks_and_holds_what_its_rules_do_not_allow() -> None:
    scene = shop()
    careful, wide = scene.policy(approval(), selector=IN_PRODUCTION), scene.policy(selector=IN_EU, name="wide")
    assert reach(scene) == {careful: (2, 0), wide: (2, 0)}
    version = scene.version("v1")
    assert reach(scene) == {careful: (2, 2), wide: (2, 0)}
    scene.approve(version)
    assert reach(scene) == {careful: (2, 0), wide: (2, 0)}


def test_a_policy_that_is_off_holds_nothing_and_would_reach_the_same() -> None:
    scene = shop()
    careful = scene.policy(approval(), selector=IN_PRODUCTION, enabled=False)
    scene.version("v1")
    assert reach(scene) == {careful: (2, 0)}


def test_the_targets_of_a_policy_come_by_their_names_and_in_pages() -> None:
    scene = shop()
    careful = scene.production_policy(approval())
    scene.version("v1")
    first = scene.world.ask(PolicyTargets(policy_id=careful, limit=1))
    second = scene.world.ask(PolicyTargets(policy_id=careful, limit=1, offset=1))
    assert [one.resource_id for one in (*first.items, *second.items)] == [EU, US]
    assert (first.total, first.held, first.items[0].held) == (2, 2, True)
    with pytest.raises(Refused) as refused:
        scene.world.ask(PolicyTargets(policy_id=uid("nothing")))
    assert refused.value.refusal.kind == "not_found"


def test_a_selector_without_an_answer_reaches_the_target_and_says_why() -> None:
    scene = shop()
    broken = scene.policy(selector='resource.metadata["region"] < 3')
    (first, *_) = scene.world.ask(PolicyTargets(policy_id=broken)).items
    assert first.error


def test_what_a_policy_would_do_is_told_before_it_is_saved() -> None:
    scene = shop()
    before = len(scene.world.log)
    seen = preview(scene, approval(), selector=IN_PRODUCTION)
    assert (seen.total, seen.added, seen.removed, seen.total_before, seen.held) == (2, 2, 0, 0, 0)
    assert len(scene.world.log) == before


def test_a_change_of_selector_tells_who_comes_and_who_goes() -> None:
    scene = shop()
    careful = scene.production_policy(approval())
    seen = preview(scene, approval(), policy_id=careful, selector=IN_EU, limit=1)
    assert (seen.total_before, seen.total, seen.added, seen.removed, len(seen.items)) == (2, 2, 1, 1, 1)
    assert reach(scene)[careful] == (2, 0)


def test_more_approvals_are_told_with_the_clearances_they_take_away() -> None:
    scene = shop()
    careful = scene.production_policy(approval())
    version = scene.version("v1")
    assert preview(scene, approval(), policy_id=careful, selector=IN_PRODUCTION).held == 2
    scene.approve(version)
    stays = preview(scene, approval(), policy_id=careful, selector=IN_PRODUCTION)
    more = preview(scene, approval(2), policy_id=careful, selector=IN_PRODUCTION)
    assert (stays.held, stays.withdrawn) == (0, 0)
    assert (more.held_before, more.held, more.withdrawn) == (0, 2, 2)
    off = preview(scene, approval(2), policy_id=careful, selector=IN_PRODUCTION, enabled=False)
    assert (off.total, off.held) == (2, 0)


def test_a_preview_is_refused_as_saving_would_be_and_warns_of_what_saving_would_warn() -> None:
    scene = shop()
    with pytest.raises(Refused) as refused:
        preview(scene, selector="resource.name ==")
    (detail,) = refused.value.refusal.details
    assert (detail["path"], detail["line"]) == ("/body/selector", 1)
    seen = preview(scene, selector='resource.nmae == "eu"')
    assert [one.path for one in seen.warnings] == ["/body/selector"]
