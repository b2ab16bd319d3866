"""What inventory answers: given what exists, when asked, then facts, or Refused, or nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from contracts.command import Asked, Refused, Wish
from contracts.commands.inventory import DeleteProvider, DeleteResource, SaveProvider, SaveResource, SetProviderResources
from contracts.facts.inventory import ProviderDeleted, ProviderSaved, ResourceDeleted, ResourceSaved
from libs.runtime.codec import decode, encode
from libs.simulation.world import WORKSPACE, refold
from services.inventory.app import service
from services.inventory.commands import save_resource
from services.inventory.state import InventoryState
from tests.unit.inventory.inventory_scenes import Scene, item, uid


def refused(scene: Scene, wish: Wish) -> Refused:
    """The refusal of a wish, which appended nothing."""
    before = len(scene.world.log)
    with pytest.raises(Refused) as caught:
        scene.world.ask(wish)
    assert len(scene.world.log) == before
    return caught.value


def test_a_provider_is_found_by_its_name() -> None:
    scene = Scene()
    first = scene.provider()
    assert scene.provider() == first
    assert len(scene.world.facts(ProviderSaved)) == 1
    assert scene.provider("other") != first


def test_a_provider_keeps_id_and_creation_time_when_its_metadata_changes() -> None:
    scene = Scene()
    first = scene.provider()
    created = scene.world.now
    scene.world.advance(60)
    assert scene.world.ask(SaveProvider(name="sync", metadata={"a": "b"}))["id"] == first
    saved = scene.world.facts(ProviderSaved)[-1]
    assert (saved.provider_id, saved.metadata, saved.created_at) == (first, {"a": "b"}, created)


def test_a_provider_is_renamed_by_its_id() -> None:
    scene = Scene()
    first = scene.provider()
    created = scene.world.now
    scene.sync(first, item("a"))
    scene.world.advance(60)
    assert scene.world.ask(SaveProvider(provider_id=first, name="renamed", metadata={"a": "b"}))["id"] == first
    saved = scene.world.facts(ProviderSaved)[-1]
    assert (saved.name, saved.metadata, saved.created_at) == ("renamed", {"a": "b"}, created)
    assert scene.provider("sync") != first, "the old name is free"
    assert scene.provider("renamed") == first
    assert scene.sync(first, item("a")) == {"saved": 0, "deleted": 0, "skipped": 0}


def test_a_provider_saved_as_it_is_under_its_id_appends_nothing() -> None:
    scene = Scene()
    first = scene.provider()
    head = len(scene.world.log)
    assert scene.world.ask(SaveProvider(provider_id=first, name="sync"))["id"] == first
    assert len(scene.world.log) == head


def test_a_provider_is_not_renamed_to_the_name_of_another() -> None:
    scene = Scene()
    first, second = scene.provider("first"), scene.provider("second")
    refusal = refused(scene, SaveProvider(provider_id=second, name="first")).refusal
    assert (refusal.kind, refusal.code) == ("conflict", "DUPLICATE_NAME")
    assert first in refusal.message
    assert scene.provider("first") == first


def test_an_id_that_no_provider_has_is_passed_over() -> None:
    scene = Scene()
    first = scene.provider()
    assert scene.world.ask(SaveProvider(provider_id=uid("another"), name="sync"))["id"] == first
    made = scene.world.ask(SaveProvider(provider_id=uid("another"), name="new"))["id"]
    assert made not in (first, uid("another"))


def test_an_empty_provider_is_deleted_and_its_name_is_free() -> None:
    scene = Scene()
    first = scene.provider()
    assert scene.world.ask(DeleteProvider(name="sync")) == {"id": first}
    assert [fact.provider_id for fact in scene.world.facts(ProviderDeleted)] == [first]
    assert scene.provider() != first


def test_a_provider_with_resources_is_not_deleted() -> None:
    scene = Scene()
    provider = scene.provider()
    scene.sync(provider, item("a"), item("b"))
    refusal = refused(scene, DeleteProvider(name="sync")).refusal
    assert (refusal.kind, refusal.message) == ("invalid", "Resource provider has resources: 2")
    scene.world.ask(DeleteResource(identifier="a"))
    scene.sync(provider)
    scene.world.ask(DeleteProvider(name="sync"))


def test_the_unknown_is_not_found() -> None:
    scene = Scene()
    for wish, named in (
        (DeleteProvider(name="nobody"), "nobody"),
        (SetProviderResources(provider_id=uid("x"), resources=()), uid("x")),
        (DeleteResource(identifier="nowhere"), "nowhere"),
    ):
        refusal = refused(scene, wish).refusal
        assert refusal.kind == "not_found"
        assert named in refusal.message


def test_a_set_replaces_everything_the_provider_has() -> None:
    scene = Scene()
    provider = scene.provider()
    assert scene.sync(provider, item("a"), item("b")) == {"saved": 2, "deleted": 0, "skipped": 0}
    before = scene.there()
    scene.world.advance(60)
    assert scene.sync(provider, item("b", name="new"), item("c")) == {"saved": 2, "deleted": 1, "skipped": 0}
    after = scene.there()
    assert sorted(after) == ["b", "c"]
    assert after["b"].resource_id == before["b"].resource_id
    assert after["b"].created_at == before["b"].created_at
    assert after["b"].updated_at == scene.world.now
    assert {one.provider_id for one in after.values()} == {provider}


def test_an_empty_set_deletes_all() -> None:
    scene = Scene()
    provider = scene.provider()
    scene.sync(provider, item("a"), item("b"))
    assert scene.sync(provider) == {"saved": 0, "deleted": 2, "skipped": 0}
    assert scene.there() == {}


def test_a_set_is_one_round_in_its_own_order_and_deletions_follow() -> None:
    scene = Scene()
    provider = scene.provider()
    names = [f"r{number * 7919 % 3000:04}" for number in range(3000)]
    scene.sync(provider, item("z"), item("y"))
    rounds = len(scene.world.rounds)
    scene.sync(provider, *(item(name) for name in names))
    assert len(scene.world.rounds) == rounds + 1
    told = [one.fact for one in scene.world.log[-3002:]]
    assert [fact.identifier for fact in told if isinstance(fact, ResourceSaved)] == names
    assert [fact.identifier for fact in told[3000:] if isinstance(fact, ResourceDeleted)] == ["y", "z"]


def test_a_set_writes_only_what_changed_among_many() -> None:
    scene = Scene()
    provider = scene.provider()
    items = [item(f"r{number}", metadata={"n": str(number)}) for number in range(500)]
    scene.sync(provider, *items)
    items[123] = item("r123", metadata={"n": "changed"})
    assert scene.sync(provider, *items) == {"saved": 1, "deleted": 0, "skipped": 0}
    assert scene.world.facts(ResourceSaved)[-1].metadata == {"n": "changed"}


def test_a_set_that_is_refused_writes_nothing_of_it() -> None:
    scene = Scene()
    provider = scene.provider()
    scene.sync(provider, item("a"))
    refused(scene, SetProviderResources(provider_id=provider, resources=(item("b"), item(""))))
    assert sorted(scene.there()) == ["a"]


def test_an_identical_set_appends_nothing() -> None:
    scene = Scene()
    provider = scene.provider()
    items = [item("a", config={"x": {"y": 1, "z": 2}}, metadata={"env": "prod"}), item("b")]
    scene.sync(provider, *items)
    head = len(scene.world.log)
    reordered = item("a", config={"x": {"z": 2, "y": 1}}, metadata={"env": "prod"})
    assert scene.sync(provider, reordered, item("b")) == {"saved": 0, "deleted": 0, "skipped": 0}
    assert len(scene.world.log) == head


def test_true_is_not_one() -> None:
    scene = Scene()
    for value in (1, True, 1.0):
        scene.save("a", config={"x": value})
    assert [fact.config["x"] for fact in scene.world.facts(ResourceSaved)] == [1, True, 1.0]


def test_an_unowned_resource_is_adopted() -> None:
    scene = Scene()
    resource = scene.save("a")
    provider = scene.provider()
    assert scene.sync(provider, item("a"))["saved"] == 1
    assert (scene.there()["a"].resource_id, scene.there()["a"].provider_id) == (resource, provider)


def test_resources_of_another_provider_are_skipped() -> None:
    scene = Scene()
    ours, theirs = scene.provider("ours"), scene.provider("theirs")
    scene.sync(theirs, item("a"))
    assert scene.sync(ours, item("a", name="mine"), item("b")) == {"saved": 1, "deleted": 0, "skipped": 1}
    assert (scene.there()["a"].name, scene.there()["a"].provider_id) == ("a", theirs)
    assert scene.sync(ours)["deleted"] == 1
    assert sorted(scene.there()) == ["a"]


def test_of_one_identifier_given_twice_the_last_counts() -> None:
    scene = Scene()
    assert scene.sync(scene.provider(), item("a", name="first"), item("a", name="last"))["saved"] == 1
    assert scene.there()["a"].name == "last"


def test_a_resource_saved_by_hand_stays_with_its_owner() -> None:
    scene = Scene()
    provider = scene.provider()
    scene.sync(provider, item("a", metadata={"env": "prod"}))
    scene.save("a")
    assert (scene.there()["a"].provider_id, scene.there()["a"].metadata) == (provider, {})
    assert scene.sync(provider, item("a", metadata={"env": "prod"}))["saved"] == 1, "the next set restores it"
    assert scene.save("b") == scene.there()["b"].resource_id
    assert scene.there()["b"].provider_id is None


def test_saving_a_resource_as_it_is_appends_nothing() -> None:
    scene = Scene()
    first = scene.save("a", config={"x": 1})
    head = len(scene.world.log)
    scene.world.advance(60)
    assert scene.save("a", config={"x": 1}) == first
    assert len(scene.world.log) == head


def test_the_creation_time_of_a_resource_stays_to_the_millisecond() -> None:
    scene = Scene()
    scene.world.advance(0.123456)
    scene.save("a")
    created = scene.there()["a"].created_at
    assert created.microsecond == 123000, "documents know milliseconds, so a resource is created at one"
    scene.world.advance(60)
    scene.save("a", name="new")
    assert (scene.there()["a"].created_at, scene.there()["a"].updated_at) == (created, created + timedelta(seconds=60))


@pytest.mark.parametrize("config", [{"n": 2**70}, {"deep": json.loads("[" * 400 + "]" * 400)}])
def test_a_config_that_can_not_be_kept_is_refused(config: dict[str, Any]) -> None:
    scene = Scene()
    asked = Asked(id=uid("x"), workspace_id=WORKSPACE, auth_id="user:ana", now=scene.world.now)
    with pytest.raises(Refused, match="config of resource 'a' holds an integer beyond 64 bits, or is nested too deeply"):
        save_resource(SaveResource(resource=item("a", config=config)), scene.world.room("inventory").state, asked)


def test_a_resource_that_returns_is_another_one() -> None:
    scene = Scene()
    first = scene.save("a")
    assert scene.world.ask(DeleteResource(identifier="a")) == {"id": first}
    assert scene.there() == {}
    assert scene.save("a") != first


def test_ids_follow_from_the_command_and_the_identifier() -> None:
    wish = SaveResource(resource=item("a"))
    one, two = (Scene().world.ask(wish, id=uid("command")) for _ in range(2))
    assert one == two
    assert one != Scene().world.ask(SaveResource(resource=item("b")), id=uid("command"))


def test_a_resource_too_large_for_the_log_is_refused() -> None:
    scene = Scene()
    provider = scene.provider()
    wish = SetProviderResources(provider_id=provider, resources=(item("a"), item("big", config={"x": "y" * 300_000})))
    refusal = refused(scene, wish).refusal
    assert refusal.kind == "invalid"
    assert refusal.message.startswith("Resource 'big' is too large")


def test_what_is_too_large_is_not_repeated_in_full() -> None:
    refusal = refused(Scene(), SaveResource(resource=item("i" * 300_000))).refusal
    assert len(refusal.message) < 400


def test_a_resource_without_an_identifier_is_refused() -> None:
    scene = Scene()
    assert refused(scene, SaveResource(resource=item(""))).refusal.kind == "invalid"
    assert (
        refused(scene, SetProviderResources(provider_id=scene.provider(), resources=(item("a"), item("")))).refusal.kind
        == "invalid"
    )


def test_folding_from_zero_and_a_snapshot_give_the_same_state() -> None:
    scene = Scene()
    provider = scene.provider()
    scene.environment("resource.name != 'b'")
    scene.sync(provider, item("a"), item("b"), item("c"))
    scene.sync(provider, item("b"))
    scene.save("d")
    scene.world.run()
    state = scene.world.room("inventory").state
    assert refold(service, scene.world.log) == state
    assert decode(InventoryState, encode(InventoryState, state)) == state


def test_a_provider_told_without_metadata_keeps_what_it_has() -> None:
    scene = Scene()
    first = scene.world.ask(SaveProvider(name="cloud", metadata={"owner": "ana"}))
    assert scene.world.ask(SaveProvider(name="cloud")) == first
    assert [fact.metadata for fact in scene.world.facts(ProviderSaved)] == [{"owner": "ana"}]
