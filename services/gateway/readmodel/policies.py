"""Policies."""

from __future__ import annotations

from contracts.documents import stamp
from contracts.envelope import Recorded
from contracts.facts import policy
from services.gateway import documents
from services.gateway.readmodel.projection import Patches, projects, saved
from services.gateway.rows import Delete


@projects(policy.PolicySaved)
def _policy_saved(recorded: Recorded, fact: policy.PolicySaved) -> Patches:
    return saved(recorded, "policy", documents.policy(recorded.workspace_id, fact), stamp(fact.created_at))


@projects(policy.PolicyDeleted)
def _policy_deleted(recorded: Recorded, fact: policy.PolicyDeleted) -> Patches:
    return (Delete("policy", fact.policy_id),)
