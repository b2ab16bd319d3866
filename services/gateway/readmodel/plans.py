"""What a version would change: plans, their targets, their results, and the texts of these."""

from __future__ import annotations

from contracts.documents import stamp
from contracts.envelope import Recorded
from contracts.facts import dispatcher
from contracts.shapes import Json
from services.gateway.readmodel.projection import Patches, projects
from services.gateway.rows import DeleteWhere, Merge, Patch, Put, Table

_TABLES: tuple[Table, ...] = ("plan", "plan_target", "plan_result", "plan_text")


def without_plans_of(deployment_id: str) -> tuple[Patch, ...]:
    """A deployment goes with all that was planned of it."""
    return tuple(DeleteWhere(table, "$deployment", deployment_id) for table in _TABLES)


@projects(dispatcher.PlanRequested)
def _plan_requested(recorded: Recorded, fact: dispatcher.PlanRequested) -> Patches:
    doc: Json = {
        "id": fact.plan_id,
        "createdAt": stamp(fact.created_at),
        "expiresAt": stamp(fact.expires_at),
        "$deployment": fact.deployment_id,
        "$started": False,
    }
    return (Put("plan", fact.plan_id, doc),)


@projects(dispatcher.PlanResultsStarted)
def _plan_results_started(recorded: Recorded, fact: dispatcher.PlanResultsStarted) -> Patches:
    of = {"$plan": fact.plan_id, "$deployment": fact.deployment_id}
    patches: list[Patch] = [
        Put(
            "plan_target",
            f"{fact.plan_id}/{environment_id}/{resource_id}",
            {"environmentId": environment_id, "resourceId": resource_id, **of},
        )
        for environment_id, resource_id in fact.targets
    ]
    for item in fact.results:
        doc: Json = {
            "id": item.result_id,
            "status": "computing",
            "jobAgentId": item.agent_id,
            "$target": f"{fact.plan_id}/{item.environment_id}/{item.resource_id}",
            **of,
        }
        patches.append(Put("plan_result", item.result_id, doc))
    if fact.last:
        patches.append(Merge("plan", fact.plan_id, {"$started": True}))
    return tuple(patches)


@projects(dispatcher.PlanResultRecorded)
def _plan_result_recorded(recorded: Recorded, fact: dispatcher.PlanResultRecorded) -> Patches:
    texts = {"current": fact.current, "proposed": fact.proposed}
    doc: Json = {
        "status": fact.status,
        "hasChanges": fact.has_changes,
        "contentHash": fact.content_hash,
        "message": fact.message,
        "cut": fact.cut,
        "validations": [_validation(one) for one in fact.validations],
        "evaluatedAt": stamp(fact.recorded_at) if fact.validations else None,
        "$size": sum(map(len, texts.values())),
    }
    patches: list[Patch] = [Merge("plan_result", fact.result_id, doc)]
    if doc["$size"]:
        patches.append(Put("plan_text", fact.result_id, {**texts, "$deployment": fact.deployment_id}))
    return tuple(patches)


def _validation(one: dispatcher.PlanValidation) -> Json:
    doc: Json = {
        "policyId": one.policy_id,
        "ruleId": one.rule_id,
        "name": one.name,
        "passed": one.passed,
        "violations": [{"message": text} for text in one.violations],
    }
    if one.error is not None:
        doc["error"] = one.error
    return doc


@projects(dispatcher.PlanReported)
def _plan_reported(recorded: Recorded, fact: dispatcher.PlanReported) -> Patches:
    doc = {"reportError": fact.error} if fact.error is not None else {"pullRequest": fact.pull_request}
    if fact.error is None and fact.pull_request is None:
        return ()
    return (Merge("plan", fact.plan_id, doc),)
