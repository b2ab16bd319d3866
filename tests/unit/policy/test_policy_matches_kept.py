"""Who matches, and how many, is kept from one question to the next: whatever changes meanwhile, it is as if it were found anew."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from contracts.commands.policy.policies import DeletePolicy, SavePolicy
from contracts.commands.policy.reach import PolicyReach, PolicyTargets
from services.policy import reach, selector
from services.policy.selector import PairMatches, matches_of
from services.policy.state import Pair
from tests.unit.policy.policy_scenes import Scene, approval, uid

SELECTORS = (
    "true",
    'environment.name == "production"',
    'environment.metadata["stage"] == "last"',
    'resource.metadata["region"] == "eu"',
    'resource.metadata["region"] == "us" && environment.name == "production"',
    'resource.metadata["tier"] == "gold" || resource.name.endsWith("1")',
    'resource.metadata["region"] < 3',
    'resource.name.startsWith("r")',
)
NAMES = tuple(f"r{n}" for n in range(6))


class Changing:
    """A scene in which anything changes that answers are made from."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.scene = Scene()
        self.ids: list[str] = []
        for name in NAMES:
            self.scene.resource(name, region="eu")
        self.scene.appear(*(uid(f"resource {name}") for name in NAMES))
        self.scene.appear(uid("resource r0"), env=self.scene.staging)

    def change(self) -> None:
        chance, scene = self.chance, self.scene
        match chance.randrange(6):
            case 0 | 1:
                again = chance.choice(self.ids) if self.ids and chance.random() < 0.5 else None
                saved = scene.world.do(
                    SavePolicy(
                        policy_id=again,
                        name="p",
                        selector=chance.choice(SELECTORS),
                        priority=chance.randrange(3),
                        enabled=chance.random() < 0.8,
                        rules=(approval(chance.choice((1, 2))),),
                    )
                )
                if again is None:
                    self.ids.append(saved["id"])
            case 2 if self.ids:
                scene.world.do(DeletePolicy(policy_id=self.ids.pop(chance.randrange(len(self.ids)))))
            case 3:
                labels = {"region": chance.choice(("eu", "us")), "tier": chance.choice(("gold", "tin"))}
                scene.resource(chance.choice(NAMES), **dict(chance.sample(sorted(labels.items()), chance.randrange(3))))
            case 4:
                scene.environment("production", metadata={"stage": chance.choice(("first", "last"))})
            case _:
                scene.version(f"v{len(scene.world.log)}")


@pytest.mark.parametrize("seed", range(12))
def test_what_is_kept_is_what_would_be_found(seed: int) -> None:
    changing = Changing(seed)
    world = changing.scene.world
    for _ in range(25):
        changing.change()
        state = changing.scene.state
        for pair in state.pairs.values():
            kept, new = matches_of(state, pair), PairMatches(state, pair)
            # Not always all of them are asked about before something else changes.
            for one in changing.chance.sample(sorted(pair.targets), changing.chance.randrange(len(pair.targets) + 1)):
                assert kept.of(one, state.resources) == new.of(one, state.resources)
        if changing.chance.random() < 0.7:
            told = world.ask(PolicyReach())
            pages = {one: world.ask(PolicyTargets(policy_id=one)) for one in changing.ids}
            assert {one.policy_id: one.targets for one in told.items} == {one: page.total for one, page in pages.items()}
            for kept_apart in (reach._counts, reach._everyone, reach._enabled, selector._kept):
                kept_apart.clear()
            assert world.ask(PolicyReach()) == told
            assert {one: world.ask(PolicyTargets(policy_id=one)) for one in changing.ids} == pages


def test_after_a_policy_is_saved_only_its_selector_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = selector._ask

    def counted(policy_id: str, *given: Any) -> Any:
        asked.append(policy_id)
        return ask(policy_id, *given)

    scene = Scene()
    for name in NAMES:
        scene.resource(name, region="eu")
    scene.appear(*(uid(f"resource {name}") for name in NAMES))
    for n in range(5):
        scene.policy(approval(), selector=f'resource.metadata["region"] != "{n}"', name=f"p{n}")
    scene.version("v1")
    monkeypatch.setattr(selector, "_ask", counted)
    new = scene.policy(approval(), selector='resource.metadata["region"] != "us"', name="new")
    assert asked == [new] * len(NAMES)


def test_reach_looks_again_only_at_pairs_in_which_something_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(uid("resource r0"))
    scene.appear(uid("resource r0"), env=scene.staging)
    scene.policy(approval(), selector="true")
    scene.world.ask(PolicyReach())
    looked: list[str] = []
    held_in = reach._held_in

    def counted(pair: Pair) -> Any:
        looked.append(pair.environment_id)
        return held_in(pair)

    monkeypatch.setattr(reach, "_held_in", counted)
    scene.world.ask(PolicyReach())
    assert looked == []
    version = scene.version("v1")
    scene.world.ask(PolicyReach())
    looked.clear()
    scene.approve(version, env=scene.staging)
    (told,) = scene.world.ask(PolicyReach()).items
    assert looked == [scene.staging]
    assert (told.targets, told.held) == (2, 1)
