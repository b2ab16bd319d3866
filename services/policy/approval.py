"""anyApproval: have enough people approved the version for the environment?"""

from __future__ import annotations

from collections.abc import Sequence

from contracts.shapes import AnyApproval, Rule
from services.policy.finding import Finding, positions
from services.policy.instants import read
from services.policy.state import Approval, Version


def judge_approval(body: AnyApproval, rule: Rule, version: Version, approvals: Sequence[Approval]) -> Finding:
    """Count approvals of a version for an environment.

    A rejection does not count, and is no veto. A version older than the rule is exempt; a rule without a readable time exempts none.

    Args:
        approvals: one per person, any order.
    """
    needed = body.min_approvals
    if needed <= 0:
        return Finding("allowed", "No approval is needed.", satisfied_at=version.created_at, facts=positions((version.position,)))
    given = sorted((one for one in approvals if one.approved), key=lambda one: (one.decided_at, one.user_id))
    facts = positions(tuple(one.position for one in approvals))
    if len(given) >= needed:
        return Finding(
            "allowed",
            f"Approved {len(given)}/{needed}.",
            detail=f"Approved {len(given)}/{needed}, by {', '.join(one.user_id for one in given)}.",
            satisfied_at=given[needed - 1].decided_at,
            facts=facts,
        )
    since = read(rule.created_at)
    if since is not None and version.created_at < since:
        return Finding(
            "allowed",
            "The version is older than the rule, so it needs no approval.",
            satisfied_at=version.created_at,
            facts=positions((version.position,)),
        )
    missing = needed - len(given)
    people = "1 more person" if missing == 1 else f"{missing} more people"
    return Finding(
        "waiting",
        f"Waiting for approval: {len(given)}/{needed} given.",
        ended_by=f"approval by {people}",
        facts=facts or positions((version.position,)),
    )
