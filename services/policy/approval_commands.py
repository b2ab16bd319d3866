"""Recording what people decide about versions: approving, rejecting, and withdrawing either."""

from __future__ import annotations

from contracts.command import Asked, Refused
from contracts.commands.policy.approvals import RecordApproval
from contracts.facts.policy import ApprovalRecorded
from libs.runtime.service import Decided, Draft
from services.policy.commands import withdrawn
from services.policy.fold_versions import is_of_content
from services.policy.state import Approval, State, Version, approval_key, pair_key


def record_approval(wish: RecordApproval, state: State, asked: Asked) -> Decided:
    """Record what a person decided, for each environment named, or for all that share a system with the deployment.

    The decision is on the content that the version has now. The same decision again appends nothing, unless it may mean more than the one
    before: on other content, by a person whose name or roles are others, or where approvals expire, so that it renews. To withdraw what
    was not decided appends nothing either.

    Raises:
        Refused: `not_found`, when the version or an environment is unknown.
    """
    version = state.versions.get(wish.version_id)
    if version is None:
        raise Refused("not_found", f"There is no version {wish.version_id}.")
    for environment_id in wish.environment_ids:
        if environment_id not in state.environments:
            raise Refused("not_found", f"There is no environment {environment_id}.")
    drafts: list[Draft] = []
    for environment_id in sorted(set(wish.environment_ids)) or state.environments_beside(version.deployment_id):
        records = state.approvals.get(approval_key(wish.version_id, environment_id), ())
        before = next((one for one in records if one.user_id == wish.user_id), None)
        if not _is_news(wish, before, version, state, asked):
            continue
        fact = ApprovalRecorded(
            version_id=wish.version_id,
            environment_id=environment_id,
            user_id=wish.user_id,
            user_name=wish.user_name,
            roles=tuple(sorted(set(wish.roles))),
            status=wish.status,
            reason=wish.reason,
            version_at=version.position,
            decided_at=asked.now,
        )
        drafts += (Draft(fact), *withdrawn(state, fact, (pair_key(version.deployment_id, environment_id),), asked))
    return Decided(tuple(drafts), {"id": wish.version_id})


def _is_news(wish: RecordApproval, before: Approval | None, version: Version, state: State, asked: Asked) -> bool:
    """Whether a decision says something that is not recorded."""
    if before is None:
        return wish.status != "withdrawn"
    if wish.status == "withdrawn":
        return True
    same = (before.approved, before.reason, before.name, before.roles)
    if same != (wish.status == "approved", wish.reason, wish.user_name, tuple(sorted(set(wish.roles)))):
        return True
    return not is_of_content(before, version) or (before.approved and before.decided_at < asked.now and _expires(state))


def _expires(state: State) -> bool:
    """Whether any rule lets approvals expire."""
    rules = (rule.any_approval for policy in state.policies.values() for rule in policy.saved.rules)
    return any(body is not None and body.expires_after_minutes is not None for body in rules)
