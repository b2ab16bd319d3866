"""What is told step by step is what looking at everything again would tell: random edits, two histories side by side, restarts between."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unittest.mock import patch

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.inventory import DeleteResource
from contracts.documents import resource_document
from contracts.fact import Fact
from contracts.facts.planner import DeploymentDeleted, DeploymentSaved, EnvironmentDeleted, EnvironmentSaved
from libs.cel import contexts, document_index
from libs.runtime.codec import decode, encode
from libs.runtime.room import Room
from libs.simulation.audit import check_memory
from libs.simulation.world import WORKSPACE, World
from services.inventory import matches
from services.inventory.app import service
from services.inventory.state import InventoryState
from tests.unit.inventory.inventory_scenes import Scene, item, uid

NAMES = tuple("abcdefg")
PROVIDERS = ("left", "right")
ENTITIES = ("deployment/one", "deployment/two", "environment/one", "environment/two")
SELECTORS = (
    "true",
    "false",
    'resource.metadata["env"] == "prod"',
    'resource.metadata.env in ["prod", "test"]',
    'resource.metadata["env"] != "prod"',
    'resource.metadata["env"] == "prod" && resource.config.port == 1',
    'resource.name.startsWith("x")',
    'resource.identifier == "a" || resource.identifier == "b"',
    'has(resource.providerId) && !(resource.metadata.env == "dev")',
    "resource.config.port > 1",
)

FIELDS = st.fixed_dictionaries(
    {"name": st.sampled_from(("x1", "x2", "y"))},
    optional={
        "metadata": st.sampled_from(({"env": "prod"}, {"env": "test"}, {"env": "dev"})),
        "config": st.sampled_from(({"port": 1}, {"port": 2.5}, {"port": "1"})),
    },
)
ITEMS = st.dictionaries(st.sampled_from(NAMES), FIELDS, max_size=len(NAMES))
STEPS = st.one_of(
    st.tuples(st.just("save"), st.sampled_from(NAMES), FIELDS),
    st.tuples(st.just("delete"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("set"), st.sampled_from(PROVIDERS), ITEMS),
    st.tuples(st.just("select"), st.sampled_from(ENTITIES), st.sampled_from(SELECTORS)),
    st.tuples(st.just("end"), st.sampled_from(ENTITIES), st.none()),
    st.tuples(st.just("restart"), st.none(), st.none()),
)


@dataclass
class History:
    """One workspace, and what its selectors are."""

    scene: Scene = field(default_factory=Scene)
    selectors: dict[str, str] = field(default_factory=dict)

    def step(self, what: str, one: Any, other: Any) -> None:
        scene = self.scene
        match what:
            case "save":
                scene.save(one, **other)
            case "delete" if one in scene.there():
                scene.world.ask(DeleteResource(identifier=one))
            case "set":
                scene.sync(scene.provider(one), *(item(name, **fields) for name, fields in other.items()))
            case "select":
                self.selectors[one] = other
                scene.world.record(self._saved(one, other))
            case "end" if one in self.selectors:
                del self.selectors[one]
                kind, _, name = one.partition("/")
                gone = uid(name)
                deployment = kind == "deployment"
                scene.world.record(
                    DeploymentDeleted(deployment_id=gone) if deployment else EnvironmentDeleted(environment_id=gone)
                )
            case "restart":
                room = scene.world.room("inventory")
                room.state = decode(InventoryState, encode(InventoryState, room.state))

    def _saved(self, entity: str, selector: str) -> Fact:
        kind, _, name = entity.partition("/")
        fields = {"name": name, "resource_selector": selector, "created_at": self.scene.world.now}
        if kind == "deployment":
            return DeploymentSaved.model_validate({"deployment_id": uid(name), **fields})
        return EnvironmentSaved.model_validate({"environment_id": uid(name), **fields})

    def check(self) -> None:
        """Compare what is matched with every selector said of every resource, as the facts tell them."""
        self.scene.world.run()
        documents = [resource_document(WORKSPACE, one) for one in self.scene.there().values()]
        naive = {}
        for entity, selector in self.selectors.items():
            program = contexts.SELECTOR.compile(selector)
            matched = {one["id"] for one in documents if program.verdict(resource=one).is_match}
            if matched:
                kind, _, name = entity.partition("/")
                naive[f"{kind}/{uid(name)}"] = matched
        state: InventoryState = self.scene.world.room("inventory").state
        assert {entity: set(ids) for entity, ids in state.matches.items()} == naive
        turned = {
            one: tuple(sorted(entity for entity, ids in naive.items() if one in ids)) for ids in naive.values() for one in ids
        }
        assert dict(state.matched_by) == turned


def check_again(world: World) -> None:
    """Every decision would be made again as it was, by one who folds from decision to decision while the other history goes on."""
    state, position = service.initial(WORKSPACE), 0
    for _, round_ in world.rounds:
        if round_.append.decision is None:
            continue
        told = orjson.loads(round_.append.decision)
        for one in world.log[position : told["decided_upto"]]:
            state = service.evolve(state, one) if one.type in service.reads else state
        position = told["decided_upto"]
        room: Room[InventoryState] = Room(service, WORKSPACE)
        move = round_.append.move
        assert move is not None
        room.state, room.position, room.stored, room.decided = state, position, move.old, move.old.position
        if told["trigger"]["kind"] == "facts":
            room.pending = [one for one in world.log[told["trigger"]["from"] - 1 : position] if one.type in service.reads]
        again = room.again(told["trigger"], datetime.fromisoformat(told["decided_at"]))
        assert again is not None
        assert [(new.id, new.fact) for new in again.append.facts] == [(new.id, new.fact) for new in round_.append.facts]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(SELECTORS), min_size=len(ENTITIES), max_size=len(ENTITIES)),
    st.lists(st.tuples(st.integers(0, 1), STEPS, st.sampled_from((True, True, False))), min_size=8, max_size=50),
    st.sampled_from((0, matches.FEW)),
)
def test_matches_are_what_a_look_at_everything_tells(
    selectors: list[str], steps: list[tuple[int, tuple[str, Any, Any], bool]], few: int
) -> None:
    # Small worlds go the ways of large ones: many resources at once, and look-ups in columns.
    with patch.object(matches, "FEW", few), patch.object(document_index, "FEWEST_DOCUMENTS", 0):
        histories = (History(), History())
        for history in histories:
            for entity, selector in zip(ENTITIES, selectors, strict=True):
                history.step("select", entity, selector)
        for which, step, acts in steps:
            histories[which].step(*step)
            if acts:
                histories[which].scene.world.run()
        for history in histories:
            history.check()
            check_memory(history.scene.world, [service])
            check_again(history.scene.world)
