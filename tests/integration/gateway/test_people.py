"""Who is in a workspace, by name: whoever a fact of it names can be told by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from contracts.envelope import NIL_WORKSPACE
from contracts.fact import Fact
from contracts.facts.gateway import RoleGranted, UserCreated
from libs.eventlog.port import Append, NewFact
from libs.runtime import clock
from tests.integration.gateway.gateway_house import KEY, PATIENCE_S, House, another_user, house


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


async def told(house: House, *facts: Fact) -> None:
    """Have the system log tell of something that no command does."""
    made = [
        NewFact(id=str(uuid4()), fact=fact, time=clock.now(), correlation_id="-", causation_id="-", auth_id="service:test")
        for fact in facts
    ]
    appended = await house.deps.log.append(Append(workspace_id=NIL_WORKSPACE, facts=tuple(made)))
    assert await house.deps.system.reached(appended.head, PATIENCE_S)


async def joined(house: House, name: str, workspace_id: str) -> str:
    """A new user with a role in a workspace."""
    user_id = str(uuid4())
    await told(
        house,
        UserCreated(user_id=user_id, name=name, created_at=clock.now()),
        RoleGranted(user_id=user_id, workspace_id=workspace_id, role="member", granted_at=clock.now()),
    )
    return user_id


async def test_members_are_told_by_name_in_the_order_of_their_names(one: House) -> None:
    ids = {name: await joined(one, name, one.workspace_id) for name in ("zoe", "Bo", "ana")}
    me = (await one.send("POST", "/api/session", {"apiKey": KEY})).json()["user"]
    page = await one.call("GET", "/people", want=200)
    found = [(person["name"], person["id"]) for person in page["items"] if person["id"] != me["id"]]
    assert found == [("ana", ids["ana"]), ("Bo", ids["Bo"]), ("zoe", ids["zoe"])]
    assert me["name"] == next(person["name"] for person in page["items"] if person["id"] == me["id"])


async def test_an_admin_of_the_system_is_a_member_everywhere(one: House) -> None:
    made = await one.call("POST", "/api/v1/workspaces", {"name": "Other", "slug": "other"}, want=201)
    admin = str(uuid4())
    await told(one, UserCreated(user_id=admin, name="root", created_at=clock.now(), system_role="admin"))
    people = await one.call("GET", f"/api/v1/workspaces/{made['id']}/people", want=200)
    assert admin in {person["id"] for person in people["items"]}


async def test_members_of_other_workspaces_are_not_told(one: House) -> None:
    made = await one.call("POST", "/api/v1/workspaces", {"name": "Other", "slug": "other"}, want=201)
    stranger = await joined(one, "stranger", made["id"])
    assert stranger not in {person["id"] for person in (await one.call("GET", "/people", want=200))["items"]}
    key = await another_user(one)
    await one.call("GET", "/people", want=404, headers={"X-API-Key": key})
