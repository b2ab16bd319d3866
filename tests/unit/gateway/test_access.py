"""Who is asking: keys, expiry, revocation, and which workspaces exist for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from immutables import Map

from contracts.facts.gateway import RoleGranted
from services.gateway.access import Identity, credential, identify, may_see, name_of, roles_of, visible
from services.gateway.state import ApiKey, SystemState, User, Workspace, evolve
from tests.unit.gateway.readmodel_scenes import recorded

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PREFIX, SECRET = "0" * 16, "1" * 64


def system(expires_at: datetime | None = None, *, admin: bool = False) -> SystemState:
    key = ApiKey("k", "u", PREFIX, sha256(SECRET.encode()).hexdigest(), expires_at, "ci", NOW)
    mine, other = Workspace("w1", "One", "one", NOW), Workspace("w2", "Two", "two", NOW - timedelta(days=1))
    return SystemState(
        workspaces=Map({one.id: one for one in (mine, other)}),
        users=Map({"u": User("u", "ana", admin)}),
        members=Map({"u": frozenset({"w1", "gone"})}),
        keys=Map({PREFIX: key}),
    )


@pytest.mark.parametrize(
    "api_key, authorization, expected",
    [
        (None, None, None),
        ("k", None, "k"),
        (" k ", "Bearer x", "k"),
        (None, "Bearer x", "x"),
        (None, "bearer x", "x"),
        (None, "Basic x", ""),
        ("", None, ""),
    ],
)
def test_where_a_credential_is_looked_for(api_key: str | None, authorization: str | None, expected: str | None) -> None:
    assert credential(api_key, authorization) == expected


def test_a_known_key_names_its_user() -> None:
    assert identify(system(), f"{PREFIX}.{SECRET}", NOW) == Identity("u", is_admin=False)


@pytest.mark.parametrize(
    "presented", ["", "x", f"{PREFIX}.{SECRET[:-1]}2", f"{'2' * 16}.{SECRET}", f"{PREFIX}.{SECRET}\n", f"{PREFIX}.{'é' * 64}"]
)
def test_any_other_key_names_nobody(presented: str) -> None:
    assert identify(system(), presented, NOW) is None


def test_a_key_ends_at_the_instant_it_expires() -> None:
    state = system(expires_at=NOW)
    assert identify(state, f"{PREFIX}.{SECRET}", NOW - timedelta(microseconds=1)) is not None
    assert identify(state, f"{PREFIX}.{SECRET}", NOW) is None


def test_the_key_of_a_user_who_is_gone_names_nobody() -> None:
    state = SystemState(keys=system().keys)
    assert identify(state, f"{PREFIX}.{SECRET}", NOW) is None


def test_a_member_sees_own_workspaces_and_an_admin_all() -> None:
    member, admin = Identity("u", is_admin=False), Identity("a", is_admin=True)
    assert [one.id for one in visible(system(), member)] == ["w1"]
    assert [one.id for one in visible(system(), admin)] == ["w2", "w1"]
    assert not may_see(system(), member, "w2")
    assert not may_see(system(), admin, "gone")


def test_roles_are_those_of_the_workspace_and_admins_of_the_system_are_admins_everywhere() -> None:
    given = RoleGranted(user_id="u", workspace_id="w1", role="member", granted_at=NOW)
    state = replace(system(), roles=Map({"u/w1": frozenset({"member"}), "x/w1": frozenset({"admin"})}))
    assert roles_of(state, Identity("u", is_admin=False), "w1") == ("member",)
    assert roles_of(state, Identity("u", is_admin=False), "w2") == ()
    assert roles_of(state, Identity("u", is_admin=True), "w1") == ("admin", "member")
    folded = evolve(system(), recorded(1, given))
    assert roles_of(folded, Identity("u", is_admin=False), "w1") == ("member",)
    assert (name_of(state, Identity("u", is_admin=False)), name_of(state, Identity("x", is_admin=False))) == ("ana", "")
