"""The read tables are nothing but the log: live rows, rows projected from zero and rows made again are the same."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from contracts.facts.planner import SystemSaved
from libs.eventlog.memory import MemoryLog
from libs.eventlog.migration import migrate
from libs.eventlog.port import Append, EventLog, NewFact
from libs.eventlog.postgres import PostgresLog
from libs.runtime import clock
from libs.runtime.feed import Feed
from libs.runtime.settings import Settings
from services.gateway.adapters.memory import MemoryRows
from services.gateway.adapters.projector import CONSUMER, Projector
from services.gateway.adapters.reading import PostgresStore
from services.gateway.adapters.writing import PostgresSink
from services.gateway.readmodel import patches_of
from services.gateway.rows import TABLES, Change
from services.gateway.serve import MIGRATIONS, rebuild
from tests.integration.gateway.gateway_house import PATIENCE_S, House, house
from tests.integration.gateway.test_story_in_process import shop

pytestmark = pytest.mark.integration

METRIC = {
    "name": "m",
    "intervalSeconds": 1,
    "count": 1,
    "provider": {"type": "sleep", "durationSeconds": 1},
    "successCondition": "result.ok",
}


async def told(one: House) -> int:
    """Tell a story that touches every table; the position at its end."""
    ids = await shop(one)
    rules = [{"verification": {"metrics": [METRIC]}}, {"rollback": {}}]
    policy = await one.call("POST", "/policies", {"name": "p", "rules": rules}, want=202)
    versions = f"/deployments/{ids['deployment']}/versions"
    await one.call("POST", versions, {"tag": "v1", "name": "", "status": "ready"}, want=200)
    state = f"/release-targets/{ids['target']}/state"
    await one.until(lambda: one.call("GET", state, want=200), _verified)
    provider = await one.call("PUT", "/resource-providers", {"id": "", "name": "sync"}, want=202)
    items = [
        {
            "identifier": f"r{number}",
            "name": "n",
            "kind": "k",
            "version": "v",
            "config": {},
            "metadata": {},
            "createdAt": "2026-01-01",
        }
        for number in range(3)
    ]
    for part in (items, items[:1]):
        await one.call("PUT", f"/resource-providers/{provider['id']}/set", {"resources": part}, want=202)
    await one.call("DELETE", one.path_of("cluster/a:b"), want=200)
    await one.call("DELETE", f"/systems/{ids['system']}/environments/{ids['environment']}", want=202)
    await one.call("PUT", f"/systems/{ids['system']}/environments/{ids['environment']}", want=202)
    await one.call("DELETE", f"/policies/{policy['id']}", want=202)
    await _told_of_the_rest(one, ids)
    await _told_of_what_makes_no_release(one, ids)
    gone = (await one.call("POST", "/deployments", {"name": "gone", "slug": "x"}, want=202))["id"]
    await one.call("DELETE", f"/deployments/{gone}", want=202)
    return await one.deps.log.head(one.workspace_id)


LATER = "2100-01-01T00:00:00Z"


async def _told_of_the_rest(one: House, ids: dict[str, str]) -> None:
    """Variables, relations, dependencies, choices: what is made of each stays, and something of it goes."""
    for number in range(2):
        variable, value = str(uuid4()), str(uuid4())
        body: dict[str, Any] = {"deploymentId": ids["deployment"], "key": f"k{number}"}
        await one.call("PUT", f"/deployment-variables/{variable}", body, want=202)
        body = {"deploymentVariableId": variable, "value": number, "priority": 0}
        await one.call("PUT", f"/deployment-variable-values/{value}", body, want=202)
    await one.call("DELETE", f"/deployment-variables/{variable}", want=202)
    await one.call("PATCH", f"{one.path_of('r0')}/variables", {"a": {"b": 1}}, want=202)
    for path, body in (
        ("/variable-sets", {"name": "s", "selector": "true", "variables": [{"key": "k", "value": "1"}]}),
        ("/relationship-rules", {"name": "r", "reference": "r", "cel": "from.name == to.name", "metadata": {}}),
    ):
        made = [(await one.call("POST", path, body, want=201))["id"] for _ in range(2)]
        await one.call("DELETE", f"{path}/{made[0]}", want=202)
    other = (await one.call("POST", "/deployments", {"name": "db", "slug": "x", "supersession": "every"}, want=202))["id"]
    versions = f"/deployments/{ids['deployment']}/versions"
    body = {"tag": "v2", "name": "", "status": "building", "dependencies": {other: {"versionSelector": "true"}}}
    second = (await one.call("POST", versions, body, want=200))["id"]
    await one.call("PATCH", f"/deployment-versions/{second}", {"message": "m"}, want=202)
    pair = f"/deployments/{ids['deployment']}/environments/{ids['environment']}"
    await one.call("PUT", f"{pair}/pin", {"versionId": second}, want=202)
    await one.call("DELETE", f"{pair}/pin", want=202)
    await one.call("PUT", f"{pair}/pin", {"versionId": second}, want=202)
    await _told_of_freezes(one, other, second)


async def _told_of_freezes(one: House, deployment: str, version: str) -> None:
    """Freezes, overrides and skips; none of them holds or lets go anything else that is told."""
    freezes = [{"reason": "r", "scope": "deployment", "scopeId": deployment, "startsAt": LATER} for _ in range(2)]
    made = [(await one.call("POST", "/freezes", body, want=202))["id"] for body in freezes]
    override = {"versionId": version, "reason": "r", "expiresAt": LATER}
    await one.call("POST", f"/freezes/{made[0]}/overrides", override, want=202)
    await one.call("PATCH", f"/freezes/{made[0]}", {"link": "https://example.org"}, want=202)
    await one.call("POST", f"/freezes/{made[1]}/thaw", {"reason": "over"}, want=202)
    rules = [{"anyApproval": {"minApprovals": 1}}]
    policy = await one.call("POST", "/policies", {"name": "off", "enabled": False, "rules": rules}, want=202)
    skip = {"versionId": version, "ruleId": policy["rules"][0]["id"]}
    skips = [(await one.call("POST", "/policy-skips", skip, want=202))["id"] for _ in range(2)]
    await one.call("DELETE", f"/policy-skips/{skips[0]}", want=202)


async def _told_of_what_makes_no_release(one: House, ids: dict[str, str]) -> None:
    """A plan whose results are there, and workflows with a run that ended and one that goes on."""
    plan = f"/deployments/{ids['deployment']}/plan"
    made = await one.call("POST", plan, {"version": {"tag": "v3"}}, want=202)
    await one.until(lambda: one.call("GET", f"{plan}/{made['id']}", want=200), lambda found: found["status"] != "computing")
    puller = str(uuid4())
    await one.call("PUT", f"/job-agents/{puller}", {"name": "puller", "type": "http-pull", "config": {}}, want=202)
    step = {"name": "s", "ref": puller, "config": {}, "selector": "true"}
    bodies = [{"name": f"w{number}", "inputs": [], "jobAgents": [step]} for number in range(2)]
    workflows = [(await one.call("POST", "/workflows", body, want=201))["id"] for body in bodies]
    await one.call("DELETE", f"/workflows/{workflows[0]}", want=202)
    runs = [await one.call("POST", f"/workflows/{workflows[1]}/runs", {"inputs": {}}, want=201) for _ in range(2)]
    await one.call("POST", f"/workflow-runs/{runs[0]['id']}/cancel", {"reason": "r"}, want=202)


def _verified(state: Any) -> bool:
    found = state.get("latestJob", {}).get("verifications", [])
    return bool(found) and found[0]["status"] == "passed"


async def copy(source: EventLog, target: EventLog, workspace_id: str, to: int) -> None:
    """Append the same facts to another log."""
    facts = tuple(
        NewFact(
            id=one.id,
            fact=one.fact,
            time=one.time,
            correlation_id=one.correlation_id,
            causation_id=one.causation_id,
            auth_id=one.auth_id,
        )
        for one in await source.read(workspace_id, 0, to)
    )
    assert (await target.append(Append(workspace_id=workspace_id, facts=facts))).head == to


async def dumped(conninfo: str, workspace_id: str) -> dict[tuple[str, str], tuple[int, Any]]:
    """Every row of a workspace in Postgres."""
    rows: dict[tuple[str, str], tuple[int, Any]] = {}
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        for table in TABLES:
            query = SQL("SELECT id, since, doc FROM {} WHERE workspace_id = %s::uuid").format(Identifier("read", table))
            for row_id, since, doc in await (await connection.execute(query, (workspace_id,))).fetchall():
                rows[table, row_id] = since, doc
    return rows


async def spoil(conninfo: str) -> None:
    """Make live rows wrong in every way there is."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute("DELETE FROM read.version")
        await connection.execute("UPDATE read.job SET doc = '{}'")
        await connection.execute(
            'INSERT INTO read.system SELECT workspace_id, gen_random_uuid()::text, 1, \'{"name": "ghost"}\' FROM read.checkpoint'
        )


async def test_live_rows_are_those_of_a_projection_from_zero_and_of_a_rebuild(postgres: str) -> None:
    await migrate(postgres)
    await migrate(postgres, component="gateway", folder=MIGRATIONS)
    async with house() as one:
        head = await told(one)
        workspace_id, source = one.workspace_id, one.deps.log
        assert isinstance(source, MemoryLog)
        assert await one.projector.reached(workspace_id, head, PATIENCE_S)
        await one.projector.stop()
        zero, reached = MemoryRows(), await one.rows.checkpoint(workspace_id)
        facts = await source.read(workspace_id, 0, reached)
        assert await zero.apply(
            workspace_id, 0, reached, [Change(fact.position, patch) for fact in facts for patch in patches_of(fact)]
        )
        assert zero.dump(workspace_id) == one.rows.dump(workspace_id)
        async with PostgresLog.open(postgres) as log:
            await copy(source, log, workspace_id, head)
            await compared(postgres, log, workspace_id, head)


async def compared(postgres: str, log: PostgresLog, workspace_id: str, head: int) -> None:
    """Rows in memory, live rows in Postgres, and rows that were made again after they had been spoilt are equal."""
    rows, store = MemoryRows(), PostgresStore(postgres)
    memory = Projector(feed=Feed(log), sink=rows, store=rows)
    live = Projector(feed=Feed(log), sink=PostgresSink(postgres), store=store)
    for projector in (memory, live):
        projector.start()
        assert await projector.reached(workspace_id, head, PATIENCE_S)
    wanted = rows.dump(workspace_id)
    # A mark takes a rollback to a version that was good before, and texts of plans an agent that shows some.
    assert set(TABLES) - {table for table, _ in wanted} <= {"mark", "plan_text"}
    assert await dumped(postgres, workspace_id) == wanted
    await spoil(postgres)
    assert await dumped(postgres, workspace_id) != wanted
    assert await rebuild(Settings(postgres=postgres)) == 0
    assert await dumped(postgres, workspace_id) == wanted
    assert await store.checkpoint(workspace_id) == head
    # The projector that ran all the time goes on behind it.
    id_, now = str(uuid4()), clock.now()
    fact = SystemSaved(system_id=str(uuid4()), name="later", created_at=now)
    new = NewFact(id=id_, fact=fact, time=now, correlation_id=id_, causation_id=id_, auth_id="service:test")
    await log.append(Append(workspace_id=workspace_id, facts=(new,)))
    for projector in (memory, live):
        assert await projector.reached(workspace_id, head + 1, PATIENCE_S)
        await projector.stop()
    assert await dumped(postgres, workspace_id) == rows.dump(workspace_id)
    await store.close()


async def test_readers_see_the_old_rows_until_the_new_are_complete_and_what_can_not_be_held_is_parked(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(postgres)
    await migrate(postgres, component="gateway", folder=MIGRATIONS)
    workspace_id, now = str(uuid4()), clock.now()
    async with PostgresLog.open(postgres) as log:
        store = PostgresStore(postgres)
        facts = [SystemSaved(system_id=str(uuid4()), name=name, created_at=now) for name in ("a", "b", "c")]
        ids = [str(uuid4()) for _ in facts]
        news = (
            NewFact(id=id_, fact=fact, time=now, correlation_id=id_, causation_id=id_, auth_id="service:test")
            for id_, fact in zip(ids, facts, strict=True)
        )
        await log.append(Append(workspace_id=workspace_id, facts=tuple(news)))
        assert await rebuild(Settings(postgres=postgres)) == 0
        seen = []
        written = PostgresSink._written

        async def watched(self: PostgresSink, connection: Any, workspace: str, shown: Any) -> None:
            seen.append((await store.find(workspace_id, "system")).total)
            if any("'b'" in str(change) for _, changes in shown for change in changes):
                raise psycopg.DataError("no room for b")
            await written(self, connection, workspace, shown)

        monkeypatch.setattr(PostgresSink, "_written", watched)
        assert await rebuild(Settings(postgres=postgres)) == 1
        assert seen == [3, 3, 3, 3]
        assert [row["name"] for row in (await store.find(workspace_id, "system")).items] == ["a", "c"]
        assert [position for position, _ in await log.parked(CONSUMER, workspace_id)] == [2]
        assert await store.checkpoint(workspace_id) == 3
        await store.close()


async def test_an_outage_leaves_the_rows_as_they_were(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate(postgres)
    await migrate(postgres, component="gateway", folder=MIGRATIONS)
    workspace_id, now, id_ = str(uuid4()), clock.now(), str(uuid4())
    async with PostgresLog.open(postgres) as log:
        fact = SystemSaved(system_id=id_, name="a", created_at=now)
        new = NewFact(id=id_, fact=fact, time=now, correlation_id=id_, causation_id=id_, auth_id="service:test")
        await log.append(Append(workspace_id=workspace_id, facts=(new,)))
        assert await rebuild(Settings(postgres=postgres)) == 0
        before = await dumped(postgres, workspace_id)

        async def cut(*_: Any) -> None:
            raise psycopg.OperationalError("the connection is gone")

        with monkeypatch.context() as patch:
            patch.setattr(PostgresSink, "_written", cut)
            with pytest.raises(Exception, match="can not be reached"):
                await rebuild(Settings(postgres=postgres))
        assert await dumped(postgres, workspace_id) == before
        async with asyncio.timeout(PATIENCE_S):
            assert await rebuild(Settings(postgres=postgres)) == 0
        assert await dumped(postgres, workspace_id) == before
