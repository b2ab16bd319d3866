"""anyApproval: have enough people approved the version for the environment?

An approval is one person's, on one content: it ends when the version's content is changed, when the rule says that it expires, and when
the person withdraws it. Whose approval counts at all is judged by what the person was when it decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contracts.shapes import AnyApproval, Rule
from libs.cel import CelProblems, contexts
from services.policy.finding import Finding, positions
from services.policy.fold_versions import is_of_content
from services.policy.instants import later, read, spoken
from services.policy.state import Approval, Version


@dataclass(frozen=True, slots=True)
class Given:
    """An approval that counts: since when, and until when (None: until something happens)."""

    record: Approval
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Quota:
    """So many people are needed, and these have approved; `who` they must be, or empty for anybody who counts."""

    needed: int
    who: str
    given: tuple[Given, ...]

    @property
    def missing(self) -> int:
        return max(0, self.needed - len(self.given))

    @property
    def since(self) -> datetime | None:
        """When the last one needed approved; None when none is needed, or some are missing."""
        if self.missing or self.needed <= 0:
            return None
        return sorted(one.since for one in self.given)[self.needed - 1]

    @property
    def until(self) -> datetime | None:
        """When so many have expired that some are missing; None for never."""
        lasting = sum(one.until is None for one in self.given)
        ends = sorted((one.until for one in self.given if one.until is not None), reverse=True)
        return ends[self.needed - lasting - 1] if 0 < self.needed - lasting <= len(ends) else None


class Unreadable(Exception):
    """A selector of people can not be judged."""


def judge_approval(body: AnyApproval, rule: Rule, version: Version, approvals: Sequence[Approval], now: datetime) -> Finding:
    """Count approvals of a version for an environment.

    A rejection does not count, and is no veto, unless the rule says that it blocks. A version older than the rule is exempt; a rule
    without a readable time exempts none.

    Args:
        approvals: one per person, any order.
    """
    against = [one for one in approvals if not one.approved] if body.rejection_blocks else []
    if against:
        return _rejected(against, version)
    if body.min_approvals <= 0 and not body.groups:
        return Finding("allowed", "No approval is needed.", satisfied_at=version.created_at, facts=positions((version.position,)))
    facts = positions(tuple(one.position for one in approvals))
    try:
        given, uncounted = _counting(body, version, approvals, now)
        quotas = _quotas(body, given)
    except Unreadable as problem:
        return Finding("blocked", str(problem), ended_by="a person who mends the rule", facts=facts)
    since = read(rule.created_at)
    exempt = since is not None and version.created_at < since
    if not any(quota.missing for quota in quotas):
        untils = [quota.until for quota in quotas if quota.until is not None]
        return Finding(
            "allowed",
            f"Approved {len(given)}/{body.min_approvals}.",
            detail=f"Approved {len(given)}/{body.min_approvals}, by {', '.join(_named(one.record) for one in given)}.",
            satisfied_at=max((quota.since for quota in quotas if quota.since is not None), default=version.created_at),
            look_again_at=None if exempt else min(untils, default=None),
            facts=facts,
        )
    if exempt:
        return Finding(
            "allowed",
            "The version is older than the rule, so it needs no approval.",
            satisfied_at=version.created_at,
            facts=positions((version.position,)),
        )
    return _waiting(body, quotas, uncounted, facts or positions((version.position,)))


def quotas_of(body: AnyApproval, version: Version, approvals: Sequence[Approval], now: datetime) -> tuple[Quota, ...]:
    """How many people are needed, and who has approved: of all, then of each group. Raises: Unreadable."""
    return _quotas(body, _counting(body, version, approvals, now)[0])


def _quotas(body: AnyApproval, given: tuple[Given, ...]) -> tuple[Quota, ...]:
    return (Quota(body.min_approvals, "", given), *(_group(one.selector, one.min_approvals, given) for one in body.groups))


def _counting(
    body: AnyApproval, version: Version, approvals: Sequence[Approval], now: datetime
) -> tuple[tuple[Given, ...], list[str]]:
    """The approvals that count, oldest first, and in words why the others do not."""
    given: list[Given] = []
    uncounted: list[str] = []
    for one in sorted(approvals, key=lambda record: (record.decided_at, record.user_id)):
        if not one.approved:
            uncounted.append(f"{one.told} rejected it")
        elif not is_of_content(one, version):
            uncounted.append(f"{one.told} approved what {version.tag} held before it was changed")
        elif body.author_may_approve is False and f"user:{one.user_id}" in version.authors:
            uncounted.append(f"{one.told} is an author of {version.tag}, and may not approve it")
        elif body.approver_selector is not None and not _picks(body.approver_selector, one):
            uncounted.append(f"{one.told} is not among those who may approve")
        else:
            until = later(one.decided_at, timedelta(minutes=body.expires_after_minutes)) if body.expires_after_minutes else None
            if until is not None and now >= until:
                uncounted.append(f"the approval of {one.told} expired at {spoken(until)}")
            else:
                given.append(Given(one, _since(one, body.expires_after_minutes), until))
    return tuple(given), uncounted


def _since(record: Approval, expires_after_minutes: int | None) -> datetime:
    """When a person's approval began to count without a break: one that is renewed in time goes on."""
    since = record.decided_at
    for earlier in reversed(record.earlier):
        if expires_after_minutes and later(earlier, timedelta(minutes=expires_after_minutes)) <= since:
            break
        since = earlier
    return since


def _group(selector: str, needed: int, given: tuple[Given, ...]) -> Quota:
    return Quota(needed, f"whom `{selector}` picks", tuple(one for one in given if _picks(selector, one.record)))


def _picks(selector: str, person: Approval) -> bool:
    """Whether a selector picks a person; a field that the person has not is no match. Raises: Unreadable."""
    user: dict[str, Any] = {"id": person.user_id, "name": person.name, "roles": list(person.roles)}
    try:
        verdict = contexts.USER.compile(selector).strict_verdict(user=user)
    except CelProblems as problems:
        raise Unreadable(f"The rule's selector of people can not be read: {problems}") from problems
    if verdict.is_error:
        raise Unreadable(
            f"The rule's selector of people, `{selector}`, has no answer for {person.told}: {verdict.message or 'it failed'}"
        )
    return verdict.is_match


def _rejected(against: Sequence[Approval], version: Version) -> Finding:
    """The newest rejection speaks, and all of them must go."""
    by_age = sorted(against, key=lambda one: (one.decided_at, one.user_id))
    names = [one.told for one in by_age]
    reasons = "; ".join(f"{one.told}: {one.reason}" for one in by_age if one.reason)
    who = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return Finding(
        "blocked",
        f"{version.tag} was rejected for this environment by {who}, and stays blocked until that is withdrawn.",
        detail=f"{version.tag} was rejected for this environment by {who}, and stays blocked until that is withdrawn. Said: {reasons}."
        if reasons
        else "",
        ended_by=" and ".join(f"{name} withdrawing the rejection" for name in names),
        facts=positions(tuple(one.position for one in by_age)),
    )


def _waiting(body: AnyApproval, quotas: Sequence[Quota], uncounted: Sequence[str], facts: tuple[int, ...]) -> Finding:
    some = [f"{len(quotas[0].given)}/{body.min_approvals} given"] if body.min_approvals > 0 else []
    some += [f"{len(quota.given)}/{quota.needed} of those {quota.who}" for quota in quotas[1:] if quota.missing]
    counts = ", ".join(some)
    detail = f"Waiting for approval: {counts}."
    if uncounted:
        detail += f" Not counted: {'; '.join(uncounted)}."
    message = f"Waiting for approval: {counts}."
    if body.expires_after_minutes:
        # The count goes down with time alone, which changes no verdict, so that it is only told to whoever asks.
        message = "Waiting for approval: not enough people have approved it lately."
    missing = [f"{_people(quota.missing)}{f' {quota.who}' if quota.who else ''}" for quota in quotas if quota.missing]
    return Finding("waiting", message, detail=detail, ended_by=f"approval by {' and '.join(missing)}", facts=facts)


def _people(missing: int) -> str:
    return "1 more person" if missing == 1 else f"{missing} more people"


def _named(record: Approval) -> str:
    return f"{record.name} ({record.user_id})" if record.name else record.user_id
