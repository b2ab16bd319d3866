"""What people stop, and what they let pass all the same: freezes with their overrides, and skips."""

from __future__ import annotations

from contracts.documents import stamp
from contracts.envelope import Recorded
from contracts.facts import policy
from services.gateway import documents
from services.gateway.readmodel.projection import Patches, projects
from services.gateway.rows import Delete, Merge, Put


@projects(policy.FreezeSaved)
def _freeze_saved(recorded: Recorded, fact: policy.FreezeSaved) -> Patches:
    # Whether it holds now is read from the fact itself: the times of the document are cut to milliseconds.
    kept = {"$fact": fact.model_dump(mode="json"), "$state": "open", "$createdAt": stamp(fact.created_at)}
    return (Put("freeze", fact.freeze_id, {**documents.freeze(recorded.workspace_id, fact), **kept}),)


@projects(policy.FreezeThawed)
def _freeze_thawed(recorded: Recorded, fact: policy.FreezeThawed) -> Patches:
    doc = {
        "thawedAt": stamp(fact.thawed_at),
        "thawedBy": fact.thawed_by,
        "thawReason": fact.reason or None,
        "$state": "thawed",
    }
    return (Merge("freeze", fact.freeze_id, doc),)


@projects(policy.FreezeOverridden)
def _freeze_overridden(recorded: Recorded, fact: policy.FreezeOverridden) -> Patches:
    doc = {**documents.freeze_override(fact), "$createdAt": stamp(fact.created_at)}
    return (Put("freeze_override", fact.override_id, doc),)


@projects(policy.SkipCreated)
def _skip_created(recorded: Recorded, fact: policy.SkipCreated) -> Patches:
    doc = {**documents.skip(recorded.workspace_id, fact), "$createdAt": stamp(fact.created_at)}
    return (Put("skip", fact.skip_id, doc),)


@projects(policy.SkipDeleted)
def _skip_deleted(recorded: Recorded, fact: policy.SkipDeleted) -> Patches:
    return (Delete("skip", fact.skip_id),)
