"""What should run where: release targets, releases, and what people chose by hand."""

from __future__ import annotations

from contracts.documents import stamp
from contracts.envelope import Recorded
from contracts.facts import planner
from contracts.shapes import Json, Target
from services.gateway.readmodel.projection import Patches, pair_key, pin_key, projects, target_ids
from services.gateway.rows import Delete, Merge, Patch, Put


@projects(planner.TargetsChanged)
def _targets_changed(recorded: Recorded, fact: planner.TargetsChanged) -> Patches:
    def changed(resource_id: str, gone: bool) -> Patch:
        target = Target(resource_id, fact.environment_id, fact.deployment_id)
        # A target that vanished keeps its row: when it comes back its history counts again.
        doc = {
            **target_ids(target),
            "$pair": pair_key(fact.deployment_id, fact.environment_id),
            "$resource": resource_id,
            "$gone": gone,
        }
        return Merge("target", target.key, doc)

    return (*(changed(one, False) for one in fact.added), *(changed(one, True) for one in fact.removed))


@projects(planner.ReleasesCreated)
def _releases_created(recorded: Recorded, fact: planner.ReleasesCreated) -> Patches:
    created = {"createdAt": stamp(fact.created_at)}
    patches: list[Patch] = []
    for item in fact.items:
        target = Target(item.resource_id, fact.environment_id, fact.deployment_id)
        doc = {
            "id": item.release_id,
            "releaseTarget": target_ids(target),
            "variables": item.variables,
            "encryptedVariables": [],
            "$version": fact.version_id,
        }
        patches.append(Merge("release", item.release_id, doc, first=created))
        patches.append(Merge("target", target.key, {"$desired": item.release_id}))
    return tuple(patches)


@projects(planner.RollbackStarted)
def _rollback_started(recorded: Recorded, fact: planner.RollbackStarted) -> Patches:
    target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
    desired = (Merge("target", target.key, {"$desired": fact.release_id}),) if fact.release_id is not None else ()
    # One to another release of the same version marks nothing: that version is good.
    left = () if fact.version_id == fact.to_version_id else (fact.version_id,)
    return *desired, *(_mark(target, fact, one) for one in (*left, *fact.also_marked))


def _mark(target: Target, fact: planner.RollbackStarted, version_id: str) -> Patch:
    since = stamp(fact.started_at)
    doc = {
        "versionId": version_id,
        "reason": fact.reason or None,
        "since": since,
        # A person who rolls back names none of these.
        "jobId": fact.job_id or None,
        "policyId": fact.policy_id or None,
        "ruleId": fact.rule_id or None,
        "$createdAt": since,
        "$target": target.key,
        **_places(target.deployment_id, target.environment_id),
    }
    return Put("mark", f"{target.key}/{version_id}", doc)


@projects(planner.MarkLifted)
def _mark_lifted(recorded: Recorded, fact: planner.MarkLifted) -> Patches:
    targets = (Target(one, fact.environment_id, fact.deployment_id) for one in fact.resource_ids)
    return tuple(Delete("mark", f"{target.key}/{fact.version_id}") for target in targets)


@projects(planner.RedeployRequested)
def _redeploy_requested(recorded: Recorded, fact: planner.RedeployRequested) -> Patches:
    # A person wants the version all the same, which ends its mark.
    targets = ((Target(one.resource_id, fact.environment_id, fact.deployment_id), one.version_id) for one in fact.items)
    return tuple(Delete("mark", f"{target.key}/{version_id}") for target, version_id in targets)


@projects(planner.VersionPinned)
def _version_pinned(recorded: Recorded, fact: planner.VersionPinned) -> Patches:
    doc = {
        "versionId": fact.version_id,
        "reason": fact.reason or None,
        "pinnedAt": stamp(fact.pinned_at),
        **_places(fact.deployment_id, fact.environment_id),
    }
    pin = Put("pin", pin_key(fact.deployment_id, fact.environment_id, fact.resource_id), doc)
    if fact.resource_id is None:
        return (pin,)
    target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
    return pin, Delete("mark", f"{target.key}/{fact.version_id}")


@projects(planner.PinReleased)
def _pin_released(recorded: Recorded, fact: planner.PinReleased) -> Patches:
    return (Delete("pin", pin_key(fact.deployment_id, fact.environment_id, fact.resource_id)),)


def _places(deployment_id: str, environment_id: str) -> Json:
    return {"$deployment": deployment_id, "$environment": environment_id}
