"""What should run where: release targets, releases, and what people chose by hand."""

from __future__ import annotations

from contracts.documents import stamp
from contracts.envelope import Recorded
from contracts.facts import planner
from contracts.shapes import Target
from services.gateway.readmodel.projection import Patches, pair_key, projects, target_ids
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
    if fact.release_id is None:
        return ()
    target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
    return (Merge("target", target.key, {"$desired": fact.release_id}),)
