"""Skips: letting a version pass one rule, and taking that back."""

from __future__ import annotations

from contracts.commands.policy.skips import CreateSkip, DeleteSkip
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.lists import page_of
from services.gateway.http.operation import Routes
from services.gateway.store import NEWEST_FIRST
from services.gateway.views import shown

routes = Routes("policies")


@routes.add("GET", "/policy-skips", answers={200: answers.Page[answers.Skip]}, query=bodies.SkipPaging)
async def list_policy_skips(call: Call) -> Reply:
    """Skips that name the version, environment and resource that are asked for, newest first."""
    paging: bodies.SkipPaging = call.query
    named = {"versionId": paging.version_id, "environmentId": paging.environment_id, "resourceId": paging.resource_id}
    page = await call.store.find(
        call.workspace_id,
        "skip",
        where={name: value for name, value in named.items() if value is not None},
        order=NEWEST_FIRST,
        limit=paging.limit,
        offset=paging.offset,
    )
    return page_of([shown(one) for one in page.items], page.total, paging)


@routes.add("POST", "/policy-skips", answers={202: answers.Skip}, body=bodies.SkipBody)
async def create_policy_skip(call: Call) -> Reply:
    """Let a version pass one rule."""
    body: bodies.SkipBody = call.body
    wish = CreateSkip(
        version_id=body.version_id,
        rule_id=body.rule_id,
        environment_id=body.environment_id,
        resource_id=body.resource_id,
        reason=body.reason,
        expires_at=body.expires_at,
    )
    made = await call.ask(wish)
    return Reply(202, await call.row("skip", made["id"], "Policy skip"))


@routes.add("DELETE", "/policy-skips/{skipId}", answers={202: answers.Accepted})
async def delete_policy_skip(call: Call) -> Reply:
    """Take a skip back."""
    gone = await call.ask(DeleteSkip(skip_id=call.id("skipId", "Policy skip")))
    return accepted(gone["id"], "Policy skip deleted")
