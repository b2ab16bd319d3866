"""Policies."""

from __future__ import annotations

from typing import Final

from contracts.commands.policy.policies import DeletePolicy, RuleInput, SavePolicy
from contracts.commands.policy.reach import (
    PolicyPreview,
    PolicyReach,
    PolicyReaches,
    PolicyTargetPage,
    PolicyTargets,
    PreviewPolicy,
)
from contracts.shapes import Json, Target
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.lists import page_of
from services.gateway.http.modules import check_modules
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound, Unprocessable, finding
from services.gateway.http.telling import told
from services.gateway.http.validation import canonical_uuid
from services.gateway.rows import Table
from services.gateway.store import NEWEST_FIRST
from services.gateway.views import shown

routes = Routes("policies")

_PARTS: Final[tuple[Table, ...]] = ("resource", "environment", "deployment")
"""What a target is made of."""


def _wish(body: bodies.CreatePolicy | bodies.UpsertPolicy, policy_id: str | None) -> SavePolicy:
    return SavePolicy(
        policy_id=policy_id,
        name=body.name,
        description=body.description,
        selector=body.selector,
        priority=body.priority,
        enabled=body.enabled,
        metadata=body.metadata,
        rules=tuple(
            RuleInput(
                id=one.id,
                any_approval=one.any_approval,
                environment_progression=one.environment_progression,
                gradual_rollout=one.gradual_rollout,
                deployment_window=one.deployment_window,
                deployment_dependency=one.deployment_dependency,
                version_cooldown=one.version_cooldown,
                version_selector=one.version_selector,
                retry=one.retry,
                plan_validation_opa=one.plan_validation_opa,
                verification=one.verification,
                rollback=one.rollback,
            )
            for one in body.rules
        ),
    )


@routes.add("GET", "/policies", answers={200: answers.Page[answers.Policy]}, query=bodies.Paging)
async def list_policies(call: Call) -> Reply:
    """Policies, newest first."""
    paging: bodies.Paging = call.query
    page = await call.store.find(call.workspace_id, "policy", order=NEWEST_FIRST, limit=paging.limit, offset=paging.offset)
    return page_of(await call.as_sent([shown(one) for one in page.items], "rules"), page.total, paging)


@routes.add("POST", "/policies", answers={202: answers.Policy}, body=bodies.CreatePolicy)
async def create_policy(call: Call) -> Reply:
    """Create a policy; ids of its rules are made."""
    await check_modules(call.body.rules)
    return await _saved(call, _wish(call.body, None))


# Declared before what is asked by id, since "reach" would be one.
@routes.add("GET", "/policies/reach", answers={200: answers.PolicyReaches})
async def get_reach(call: Call) -> Reply:
    """How many targets each policy applies to, and how many it holds now."""
    return Reply(200, told(PolicyReaches.model_validate(await call.look(PolicyReach()))))


@routes.add(
    "POST",
    "/policies/preview",
    answers={200: answers.PolicyPreview},
    body=bodies.PreviewOfPolicy,
    query=bodies.Paging,
    past=True,
)
async def preview_policy(call: Call) -> Reply:
    """What saving a policy would do, and whether it could be saved; nothing is changed."""
    body: bodies.PreviewOfPolicy = call.body
    paging: bodies.Paging = call.query
    await check_modules(body.rules)
    # Its secrets are sealed as those of a policy that is saved, so that nobody else sees them either.
    wish = await call.deps.configs.prepared(_wish(body, body.policy_id), call.workspace_id)
    assert isinstance(wish, SavePolicy)
    query = PreviewPolicy(policy=wish, limit=paging.limit, offset=paging.offset)
    found = PolicyPreview.model_validate(await call.look(query, with_rows=True))
    return Reply(200, await _named(call, found))


@routes.add("GET", "/policies/{policyId}/targets", answers={200: answers.PolicyTargets}, query=bodies.Paging)
async def list_policy_targets(call: Call) -> Reply:
    """The targets that a policy applies to, or would if it were enabled, by names of deployment, environment and resource."""
    paging: bodies.Paging = call.query
    query = PolicyTargets(policy_id=call.id("policyId", "Policy"), limit=paging.limit, offset=paging.offset)
    return Reply(200, await _named(call, PolicyTargetPage.model_validate(await call.look(query, with_rows=True))))


async def _named(call: Call, page: PolicyTargetPage) -> Json:
    """Targets with the names of what they are made of."""
    rows: dict[Table, dict[str, Json]] = {}
    for part in _PARTS:
        ids = sorted({getattr(one, f"{part}_id") for one in page.items})
        rows[part] = await call.store.many(call.workspace_id, part, ids)
    items = []
    for one in page.items:
        named = {f"{part}Name": rows[part].get(getattr(one, f"{part}_id"), {}).get("name", "") for part in _PARTS}
        key = Target(one.resource_id, one.environment_id, one.deployment_id).key
        identifier = rows["resource"].get(one.resource_id, {}).get("identifier", "")
        item = {**told(one), **named, "key": key, "resourceIdentifier": identifier}
        items.append(item if one.error else {name: value for name, value in item.items() if name != "error"})
    paging: bodies.Paging = call.query
    return {**told(page), "items": items, "limit": paging.limit, "offset": paging.offset}


@routes.add("GET", "/policies/{policyId}", answers={200: answers.Policy})
async def get_policy(call: Call) -> Reply:
    """A policy."""
    (found,) = await call.as_sent([await call.row("policy", call.id("policyId", "Policy"), "Policy")], "rules")
    return Reply(200, found)


@routes.add("PUT", "/policies/{policyId}", answers={202: answers.Policy}, body=bodies.UpsertPolicy)
async def upsert_policy(call: Call) -> Reply:
    """Create or replace a policy under the caller's id; its first creation time stays."""
    policy_id = canonical_uuid(call.path["policyId"])
    if policy_id is None:
        raise Unprocessable([finding("/params/policyId", 'must match format "uuid"', "format")])
    await call.check_free("policy", policy_id, "policy")
    await check_modules(call.body.rules)
    return await _saved(call, _wish(call.body, policy_id))


@routes.add("DELETE", "/policies/{policyId}", answers={202: answers.Policy})
async def delete_policy(call: Call) -> Reply:
    """Delete a policy."""
    gone = await call.ask(DeletePolicy(policy_id=call.id("policyId", "Policy")))
    deleted = await call.last_known("policy", gone["id"])
    if deleted is None:
        raise NotFound("Policy")
    return Reply(202, {**deleted, "rules": []})


async def _saved(call: Call, wish: SavePolicy) -> Reply:
    """The policy as it is now, with what is doubtful about it."""
    made = await call.ask(wish)
    (policy,) = await call.as_sent([await call.row("policy", made["id"], "Policy")], "rules")
    return Reply(202, {**policy, "warnings": made["warnings"]} if "warnings" in made else policy)
