"""What runs behind releases, as pages list it: jobs, agents, providers, and how far the services are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, get_args

from contracts.documents import stamp
from contracts.shapes import ACTIVE, JobStatus, Json, Target
from libs.eventlog.port import EventLog
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.lists import page_of
from services.gateway.http.operation import Routes
from services.gateway.rows import Table
from services.gateway.store import NEWEST_FIRST, ReadStore
from services.gateway.views import shown

routes = Routes("board")

_EVERY: Final[tuple[str, ...]] = get_args(JobStatus)
_STATES: Final[dict[str, tuple[str, ...]]] = {
    "queued": ("pending", "queued"),
    "running": ("inProgress", "actionRequired"),
    "finished": tuple(one for one in _EVERY if one not in ACTIVE),
}
_BAD: Final = tuple(one for one in _STATES["finished"] if one not in ("successful", "cancelled", "skipped"))
_SERVICES: Final = ("inventory", "planner", "policy", "dispatcher", "verifier")
_READS: Final = "read"
"""Under this name the projector of the read tables parks facts."""


@routes.add("GET", "/board/jobs", answers={200: answers.JobBoard}, query=bodies.JobBoardQuery)
async def list_board_jobs(call: Call) -> Reply:
    """Jobs of releases and of workflow runs by the names of what they are of, newest first, and how many stand how."""
    query: bodies.JobBoardQuery = call.query
    told = {
        "jobAgentId": query.job_agent_id,
        "$deployment": query.deployment_id,
        "$environment": query.environment_id,
    }
    where: dict[str, str | tuple[str, ...]] = {name: one for name, one in told.items() if one is not None}
    tally = await call.store.tally(call.workspace_id, "job", ("status",), where)
    counts = _counts({status: jobs for (status,), jobs in tally.items()})
    if query.state is not None:
        where["status"] = tuple(one for one in _STATES[query.state] if query.status in (None, one))
    elif query.status is not None:
        where["status"] = query.status
    page = await call.store.find(
        call.workspace_id, "job", where=where, order=NEWEST_FIRST, limit=query.limit, offset=query.offset
    )
    items = await _in_short(call, page.items)
    listed = {"items": items, "total": page.total, "limit": query.limit, "offset": query.offset}
    return Reply(200, {**listed, "counts": counts})


@routes.add("GET", "/board/agents", answers={200: answers.AgentsAtWork}, query=bodies.Paging)
async def list_board_agents(call: Call) -> Reply:
    """Agents, what they have to do, and what went wrong last."""
    paging: bodies.Paging = call.query
    page = await call.store.find(call.workspace_id, "agent", order=NEWEST_FIRST, limit=paging.limit, offset=paging.offset)
    return page_of(await _at_work(call, page.items), page.total, paging)


@routes.add("GET", "/board/providers", answers={200: answers.ProvidersInShort}, query=bodies.Paging)
async def list_board_providers(call: Call) -> Reply:
    """Providers of resources, how many they own, and when they last told of a change."""
    paging: bodies.Paging = call.query
    store, where = call.store, call.workspace_id
    page = await store.find(where, "provider", order=NEWEST_FIRST, limit=paging.limit, offset=paging.offset)
    ids = [one["id"] for one in page.items]
    newest = await store.newest(where, "resource", "providerId", ids, by="updatedAt")
    owned = await store.tally(where, "resource", ("providerId",), {"providerId": tuple(ids)})
    items = []
    for one in page.items:
        last = newest.get(one["id"], {})
        items.append(
            {
                "id": one["id"],
                "name": one["name"],
                "createdAt": one["createdAt"],
                "metadata": one["metadata"],
                "resources": owned.get((one["id"],), 0),
                "changedAt": last.get("updatedAt") or last.get("createdAt"),
            }
        )
    return page_of(items, page.total, paging)


@routes.add("GET", "/board/system", answers={200: answers.SystemStanding}, past=False)
async def get_system_standing(call: Call) -> Reply:
    """How far each service is with the facts of the workspace, and what nobody could handle."""
    deps, where = call.deps, call.workspace_id
    # Before the head is read: whoever has come further meanwhile is not behind.
    positions, rows = deps.positions(where), await deps.store.checkpoint(where)
    checkpoints = [await deps.log.checkpoint(name, where) for name in _SERVICES]
    head = await deps.log.head(where)
    newest = await deps.log.read(where, head - 1, 1) if head else []
    stopped = {one["service"]: one["stopped"].get(where, "") for one in deps.health()}
    services = [
        {"name": name, "position": positions.get(name), "decided": checkpoint.position, "stopped": str(stopped.get(name) or "")}
        for name, checkpoint in zip(_SERVICES, checkpoints, strict=True)
    ]
    body = {
        "version": deps.version,
        "position": head,
        "recordedAt": stamp(newest[0].recorded_time) if newest else None,
        "rows": rows,
        "services": services,
        "parked": await _parked(deps.log, where),
    }
    return Reply(200, body)


async def _parked(log: EventLog, workspace_id: str) -> list[Json]:
    return [
        {"consumer": consumer, "position": position, "error": error}
        for consumer in (*_SERVICES, _READS)
        for position, error in await log.parked(consumer, workspace_id)
    ]


def _counts(by_status: Mapping[str, int]) -> dict[str, int]:
    """How many jobs are queued, run and have finished."""
    return {name: sum(by_status.get(one, 0) for one in statuses) for name, statuses in _STATES.items()}


async def _at_work(call: Call, agents: Sequence[Json]) -> list[Json]:
    """Agents with what they have to do; as many queries for all of them as for one."""
    ids = [one["id"] for one in agents]
    tally = await call.store.tally(call.workspace_id, "job", ("jobAgentId", "status"), {"jobAgentId": tuple(ids)})
    by_agent: dict[str, dict[str, int]] = {one: {} for one in ids}
    for (agent_id, status), jobs in tally.items():
        by_agent[agent_id][status] = jobs
    last = await _last_bad(call, by_agent)
    told = ("id", "name", "type", "config", "metadata")
    return [
        {**{name: one[name] for name in told}, **_counts(by_agent[one["id"]]), "lastError": last.get(one["id"])} for one in agents
    ]


async def _last_bad(call: Call, by_agent: Mapping[str, Mapping[str, int]]) -> dict[str, Json]:
    """Of each agent the newest job that did not end well, if any."""
    newest: dict[str, Json] = {}
    for status in _BAD:
        # By one status at a time: so an index leads to the newest, however many there are.
        whose = [one for one, counts in by_agent.items() if status in counts]
        found = await call.store.newest(call.workspace_id, "job", "jobAgentId", whose, by="$createdAt", where={"status": status})
        for agent_id, job in found.items():
            known = newest.get(agent_id)
            if known is None or (known["$createdAt"], known["id"]) < (job["$createdAt"], job["id"]):
                newest[agent_id] = job
    return {agent_id: _error(job) for agent_id, job in newest.items()}


def _error(job: Json) -> Json:
    at = job.get("completedAt") or job["updatedAt"]
    return {"jobId": job["id"], "status": job["status"], "message": job.get("message") or "", "at": at}


# --- jobs by the names of what they are of ------------------------------------------------------------------------------------------


async def _in_short(call: Call, rows: Sequence[Json]) -> list[Json]:
    """Jobs, in the order of their rows."""
    targets = {row["id"]: Target.parse(row["$target"]) for row in rows if "$target" in row}
    there = [one for one in targets.values() if one is not None]
    names = _Names(call.store, call.workspace_id)
    await asyncio.gather(
        names.load("agent", (row["jobAgentId"] for row in rows)),
        names.load("version", (row["$version"] for row in rows if "$version" in row)),
        names.load("workflow_run", (row["$run"] for row in rows if "$run" in row)),
        names.load("deployment", (one.deployment_id for one in there)),
        names.load("environment", (one.environment_id for one in there)),
        names.load("resource", (one.resource_id for one in there)),
    )
    await names.load("workflow", (one["workflowId"] for one in names.all("workflow_run")))
    jobs = await call.views.jobs(rows, with_context=False)
    return [_short(names, row, job, targets.get(row["id"])) for row, job in zip(rows, jobs, strict=True)]


class _Names:
    """Rows that are looked up together, one look-up for each kind of thing."""

    def __init__(self, store: ReadStore, workspace_id: str) -> None:
        self._store = store
        self._workspace_id = workspace_id
        self._found: dict[Table, Mapping[str, Json]] = {}

    async def load(self, table: Table, ids: Iterable[str]) -> None:
        """Look up these rows of a table."""
        self._found[table] = await self._store.many(self._workspace_id, table, sorted({one for one in ids if one}))

    def all(self, table: Table) -> Iterable[Json]:
        """Every row that was found in a table."""
        return self._found[table].values()

    def pick(self, table: Table, row_id: str | None, *keys: str) -> Json | None:
        """These keys of a row; None when it is not there."""
        row = self._found[table].get(row_id or "")
        return {key: row[key] for key in keys} if row is not None else None


def _short(names: _Names, row: Json, job: Json, target: Target | None) -> Json:
    version = names.pick("version", row.get("$version"), "id", "tag")
    resource_id, environment_id, deployment_id = target or (None, None, None)
    return {
        "id": row["id"],
        "status": row["status"],
        "message": row.get("message") or "",
        "createdAt": row["createdAt"],
        "startedAt": row.get("startedAt"),
        "completedAt": row.get("completedAt"),
        "deadlineAt": job.get("deadlineAt"),
        "agent": names.pick("agent", row["jobAgentId"], "id", "name", "type"),
        "target": row.get("$target"),
        "deployment": names.pick("deployment", deployment_id, "id", "name"),
        "environment": names.pick("environment", environment_id, "id", "name"),
        "resource": names.pick("resource", resource_id, "id", "name", "identifier"),
        "version": {"versionId": version["id"], "tag": version["tag"]} if version is not None else None,
        "run": _run(names, row),
        "lease": shown(row["lease"]) if row.get("lease") else None,
        "delay": row.get("delay"),
    }


def _run(names: _Names, row: Json) -> Json | None:
    run = names.pick("workflow_run", row.get("$run"), "id", "workflowId")
    if run is None:
        return None
    workflow = names.pick("workflow", run["workflowId"], "name")
    return {"id": run["id"], "workflow": workflow["name"] if workflow is not None else "", "step": row["$step"]}
