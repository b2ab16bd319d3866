"""The system log: what its commands record, when they say no, and when they stay quiet."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.command import Refused
from contracts.commands.gateway import (
    Bootstrap,
    CreateApiKey,
    CreateWorkspace,
    DeleteWorkspace,
    RevokeApiKey,
    UpdateWorkspace,
)
from contracts.envelope import NIL_WORKSPACE
from contracts.facts.gateway import ApiKeyCreated, RoleGranted, UserCreated, WorkspaceCreated, WorkspaceUpdated
from libs.runtime import codec
from libs.simulation.world import World, refold
from services.gateway.app import service
from services.gateway.state import SystemState

FIRST = Bootstrap(key_prefix="a" * 16, key_secret_sha256="b" * 64)


@pytest.fixture
def world() -> World:
    made = World([service], workspace_id=NIL_WORKSPACE)
    made.do(FIRST)
    return made


def state(world: World) -> SystemState:
    found: SystemState = world.room("gateway").state
    return found


def admin(world: World) -> str:
    return world.facts(UserCreated)[0].user_id


def refusal(world: World, wish: object) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        world.do(wish)  # type: ignore[arg-type]  # every wish of this test is one
    return caught.value.refusal.kind, caught.value.refusal.code


def test_bootstrap_makes_workspace_admin_and_key(world: World) -> None:
    (workspace,) = world.facts(WorkspaceCreated)
    (user,) = world.facts(UserCreated)
    (key,) = world.facts(ApiKeyCreated)
    assert (workspace.slug, user.system_role, key.prefix) == ("default", "admin", "a" * 16)
    assert [fact.workspace_id for fact in world.facts(RoleGranted)] == [workspace.workspace_id]


def test_bootstrap_again_changes_nothing(world: World) -> None:
    before = len(world.log)
    assert world.do(FIRST) == {"workspace_id": world.facts(WorkspaceCreated)[0].workspace_id}
    assert len(world.log) == before


def test_bootstrap_with_another_key_adds_it_to_the_same_admin(world: World) -> None:
    world.do(Bootstrap(key_prefix="c" * 16, key_secret_sha256="d" * 64))
    assert len(world.facts(UserCreated)) == len(world.facts(WorkspaceCreated)) == 1
    assert {fact.user_id for fact in world.facts(ApiKeyCreated)} == {admin(world)}


def test_bootstrap_after_the_workspace_was_deleted_makes_another(world: World) -> None:
    world.do(DeleteWorkspace(workspace_id=world.facts(WorkspaceCreated)[0].workspace_id))
    world.do(FIRST)
    assert len({fact.workspace_id for fact in world.facts(WorkspaceCreated)}) == 2


@pytest.mark.parametrize(
    "prefix, digest, kind", [("a" * 16, "e" * 64, "conflict"), ("A" * 16, "e" * 64, "invalid"), ("a" * 16, "e", "invalid")]
)
def test_bootstrap_refuses_a_bad_or_foreign_key(world: World, prefix: str, digest: str, kind: str) -> None:
    assert refusal(world, Bootstrap(key_prefix=prefix, key_secret_sha256=digest))[0] == kind


def test_the_creator_of_a_workspace_becomes_its_admin(world: World) -> None:
    made = world.do(CreateWorkspace(name="Acme", slug="acme", user_id=admin(world)))["id"]
    assert state(world).slugs["acme"] == made
    assert made in state(world).members[admin(world)]


@pytest.mark.parametrize(
    "name, slug, expected",
    [
        ("Ac", "acme", ("invalid", "")),
        ("A" * 31, "acme", ("invalid", "")),
        ("Acme", "Acme", ("invalid", "INVALID_SLUG")),
        ("Acme", "ac", ("invalid", "INVALID_SLUG")),
        ("Acme", "default", ("conflict", "DUPLICATE_SLUG")),
    ],
)
def test_a_workspace_with_a_bad_name_or_slug_is_refused(world: World, name: str, slug: str, expected: tuple[str, str]) -> None:
    assert refusal(world, CreateWorkspace(name=name, slug=slug, user_id=admin(world))) == expected


def test_a_workspace_of_nobody_is_refused(world: World) -> None:
    assert refusal(world, CreateWorkspace(name="Acme", slug="acme", user_id=str(uuid4())))[0] == "not_found"


def test_a_workspace_changes_name_and_slug_and_frees_the_old_one(world: World) -> None:
    made = world.do(CreateWorkspace(name="Acme", slug="acme", user_id=admin(world)))["id"]
    world.do(UpdateWorkspace(workspace_id=made, slug="acme-2"))
    world.do(UpdateWorkspace(workspace_id=made, slug="acme-2", name="Acme"))
    assert len(world.facts(WorkspaceUpdated)) == 1
    assert refusal(world, UpdateWorkspace(workspace_id=made, slug="default")) == ("conflict", "DUPLICATE_SLUG")
    assert refusal(world, UpdateWorkspace(workspace_id=str(uuid4()), name="Other"))[0] == "not_found"
    world.do(CreateWorkspace(name="Other", slug="acme", user_id=admin(world)))


def test_a_deleted_workspace_is_gone_and_its_slug_free(world: World) -> None:
    made = world.do(CreateWorkspace(name="Acme", slug="acme", user_id=admin(world)))["id"]
    world.do(DeleteWorkspace(workspace_id=made))
    assert made not in state(world).workspaces
    assert refusal(world, DeleteWorkspace(workspace_id=made))[0] == "not_found"
    assert world.do(CreateWorkspace(name="Acme", slug="acme", user_id=admin(world)))["id"] != made


def test_keys_are_made_and_revoked(world: World) -> None:
    wish = CreateApiKey(user_id=admin(world), name="ci", key_prefix="c" * 16, key_secret_sha256="d" * 64)
    key = world.do(wish)["id"]
    assert state(world).keys["c" * 16].id == key
    assert refusal(world, wish)[0] == "conflict"
    assert refusal(world, wish.model_copy(update={"user_id": str(uuid4()), "key_prefix": "e" * 16}))[0] == "not_found"
    world.do(RevokeApiKey(key_id=key))
    assert "c" * 16 not in state(world).keys
    assert refusal(world, RevokeApiKey(key_id=key))[0] == "not_found"


def test_the_state_is_the_fold_of_the_log_and_survives_a_snapshot(world: World) -> None:
    world.advance(timedelta(minutes=1))
    made = world.do(CreateWorkspace(name="Acme", slug="acme", user_id=admin(world)))["id"]
    world.do(UpdateWorkspace(workspace_id=made, name="Acme 2"))
    assert refold(service, world.log, NIL_WORKSPACE) == state(world)
    assert codec.decode(SystemState, codec.encode(SystemState, state(world))) == state(world)
