"""Policies."""

from __future__ import annotations

from contracts.commands.policy import DeletePolicy, RuleInput, SavePolicy
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.lists import page_of
from services.gateway.http.modules import check_modules
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound, Unprocessable, finding
from services.gateway.http.validation import canonical_uuid
from services.gateway.store import NEWEST_FIRST
from services.gateway.views import shown

routes = Routes("policies")


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
    page = await call.deps.store.find(call.workspace_id, "policy", order=NEWEST_FIRST, limit=paging.limit, offset=paging.offset)
    return page_of(await call.as_sent([shown(one) for one in page.items], "rules"), page.total, paging)


@routes.add("POST", "/policies", answers={202: answers.Policy}, body=bodies.CreatePolicy)
async def create_policy(call: Call) -> Reply:
    """Create a policy; ids of its rules are made."""
    await check_modules(call.body.rules)
    return await _saved(call, _wish(call.body, None))


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
