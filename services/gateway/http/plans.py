"""What a version would change on the targets of a deployment, without creating it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from contracts.commands.dispatcher import CreatePlan
from contracts.shapes import Json
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.rows import Table
from services.gateway.views import shown

routes = Routes("plans")

MAX_TEXT: Final = 16 * 1024 * 1024
"""Characters of texts in one answer. A result whose texts do not fit any more is shown as cut: its hash tells whether two are the same."""


@routes.add("POST", "/deployments/{deploymentId}/plan", answers={202: answers.Plan}, body=bodies.PlanBody)
async def create_deployment_plan(call: Call) -> Reply:
    """Ask what a version would change; nothing is created but the plan."""
    body: bodies.PlanBody = call.body
    version = body.version
    wish = CreatePlan(
        deployment_id=call.id("deploymentId", "Deployment"),
        tag=version.tag,
        name=version.name,
        config=version.config,
        job_agent_config=version.job_agent_config,
        version_metadata=version.metadata,
        metadata=body.metadata,
    )
    made = await call.ask(wish)
    plan = await call.store.get(call.workspace_id, "plan", made["id"])
    if plan is None:
        raise NotFound("Deployment")  # it was deleted in this moment
    return Reply(202, _document(call, plan, "computing", []))


@routes.add("GET", "/deployments/{deploymentId}/plan/{planId}", answers={200: answers.Plan})
async def get_deployment_plan(call: Call) -> Reply:
    """A plan with all that is known of it now."""
    deployment_id, plan_id = call.id("deploymentId", "Deployment"), call.id("planId", "Plan")
    store = call.store
    # The plan first: results that come between the looks make it no older than it says.
    plan = await store.get(call.workspace_id, "plan", plan_id)
    if plan is None or plan.get("$deployment") != deployment_id:
        raise NotFound("Plan")
    targets = await store.among(call.workspace_id, "plan_target", "$plan", [plan_id])
    results = await store.among(call.workspace_id, "plan_result", "$plan", [plan_id])
    texts = await store.many(call.workspace_id, "plan_text", list(_fitting(results)))
    statuses = Counter(one["status"] for one in results)
    if statuses["computing"] or not plan["$started"]:
        status = "computing"
    else:
        status = "failed" if statuses["errored"] else "completed"
    of: dict[str, list[Json]] = {}
    for one in results:
        of.setdefault(one["$target"], []).append(_result(one, texts.get(one["id"])))
    environments = await _names(call, "environment", [one["environmentId"] for one in targets])
    resources = await _names(call, "resource", [one["resourceId"] for one in targets])
    found: list[Json] = []
    for one in targets:
        environment_id, resource_id = one["environmentId"], one["resourceId"]
        mine = of.get(f"{plan_id}/{environment_id}/{resource_id}", [])
        found.append(
            {
                "environmentId": environment_id,
                "environmentName": environments.get(environment_id, ""),
                "resourceId": resource_id,
                "resourceName": resources.get(resource_id, ""),
                "hasChanges": any(result["hasChanges"] for result in mine),
                "results": mine,
            }
        )
    found.sort(key=lambda one: (one["environmentName"], one["resourceName"], one["environmentId"], one["resourceId"]))
    return Reply(200, _document(call, plan, status, results) | {"targets": found})


def _document(call: Call, plan: Json, status: str, results: Sequence[Json]) -> Json:
    of_status = Counter(one["status"] for one in results)
    changes = Counter(one.get("hasChanges") for one in results)
    return {
        **shown(plan),
        "status": status,
        "summary": {
            "total": len(results),
            "changed": changes[True],
            "unchanged": changes[False],
            "errored": of_status["errored"],
            "unsupported": of_status["unsupported"],
        },
        "targets": [],
        "expired": datetime.fromisoformat(plan["expiresAt"]) <= call.now(),
    }


def _fitting(results: Sequence[Json]) -> Iterator[str]:
    """The results whose texts fit into one answer."""
    room = MAX_TEXT
    for one in results:
        size = one.get("$size", 0)
        if 0 < size <= room:
            room -= size
            yield one["id"]


def _result(row: Json, texts: Json | None) -> Json:
    """Older clients decode every property as if it were there: what is not known is false, or empty."""
    return {
        "hasChanges": False,
        "contentHash": "",
        "current": "",
        "proposed": "",
        "cut": False,
        "message": "",
        "validations": [],
        **shown(row),
        **(shown(texts) if texts is not None else {"cut": True} if row.get("$size") else {}),
    }


async def _names(call: Call, table: Table, row_ids: Sequence[str]) -> dict[str, str]:
    """Names by id; what was deleted since keeps its last one."""
    ids = sorted(set(row_ids))
    rows = await call.store.many(call.workspace_id, table, ids)
    names = {row_id: row["name"] for row_id, row in rows.items()}
    gone = {f"{table}/{row_id}": row_id for row_id in ids if row_id not in names}
    last = await call.store.newest(call.workspace_id, "history", "$of", list(gone), by="$of")
    return names | {row_id: last[of]["name"] for of, row_id in gone.items() if of in last}
