"""From what a walk found to facts: only what changed, in few facts of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple, TypeVar

from immutables import Map

from contracts.envelope import Recorded
from contracts.facts.policy import ClearanceWithdrawn, RuleEvaluated, TargetsCleared, VerdictGroup, VersionSuperseded
from libs.runtime.service import Draft
from services.policy.candidates import fit_again
from services.policy.evaluation import Evaluation, Findings
from services.policy.finding import DECISIVE, DEPLOYABLE, IN_ORDER, NO_LONGER, TURN_CAME, Finding, RuleKey, positions
from services.policy.freezes import FREEZE, FREEZE_OVER
from services.policy.gate import Gate, Judge
from services.policy.state import Held, Pair, State

MOST_IDS = 2_000
MOST_WEIGHT = 40_000
"""Characters in one fact, where a group counts as 120, an id as 20, and each sentence as it is: a character may take four bytes, and a
fact must stay below 256 KB."""
MOST_SAID = 4_000
"""Characters of one sentence: names that people give have no end."""

RETOLD = 200
"""A wait that got longer is recorded again at once where it concerns at most so many targets; else when its old end is reached."""

T = TypeVar("T")
Changes = dict[RuleKey, dict[Finding, list[str]]]


def record(judge: Judge, pair: Pair, found: Evaluation, cause: Recorded | None) -> list[Draft]:
    """The facts of a walk.

    A withdrawal makes every clearance of the pair before it stale, so a round that withdraws does not clear: the withdrawal itself is
    reacted to, and what still holds is cleared then.
    """
    drafts = withdrawals(judge, pair, found, cause)
    for version_id, verdicts in found.findings.items():
        drafts += _evaluated(judge, pair, version_id, _changes(judge, pair, version_id, verdicts), cause)
    for version_id, ids in sorted(found.passed.items()):
        drafts += _evaluated(judge, pair, version_id, _passed(judge, pair, version_id, ids), cause)
    if not found.withdrawn:
        for version_id, targets in found.cleared.items():
            drafts += _clearances(judge, pair, version_id, targets, cause)
            drafts += _superseded(judge.state, pair, version_id, targets, cause)
    return drafts


def withdrawals(judge: Judge, pair: Pair, found: Evaluation, cause: Recorded | None) -> list[Draft]:
    """The withdrawals of a walk, by version and reason."""
    drafts = []
    for version_id, targets in sorted(found.withdrawn.items()):
        by_reason: dict[str, list[str]] = {}
        for one, reason in targets:
            by_reason.setdefault(reason, []).append(one)
        for reason in sorted(by_reason):
            for ids in chunks(sorted(by_reason[reason]), MOST_IDS):
                fact = ClearanceWithdrawn(
                    deployment_id=pair.deployment_id,
                    version_id=version_id,
                    environment_id=pair.environment_id,
                    resource_ids=tuple(ids),
                    reason=reason[:MOST_SAID],
                    withdrawn_at=judge.now,
                )
                drafts.append(Draft(fact, cause))
    return drafts


class Due(NamedTuple):
    """Targets of a pair with a recorded instant that came.

    Attributes:
        verdicts: by version and rule.
        clearances: with an unused clearance whose time is over, sorted.
    """

    verdicts: dict[tuple[str, RuleKey], list[str]]
    clearances: list[str]

    @property
    def targets(self) -> list[str]:
        """All of them, sorted."""
        return sorted({*self.clearances, *chain.from_iterable(self.verdicts.values())})


def due_of(pair: Pair, now: datetime) -> Due:
    """Who is due in a pair at an instant. Looks at everything that is recorded of it."""
    due: dict[tuple[str, RuleKey], list[str]] = {}
    for version_id in sorted(pair.held):
        for key in sorted(pair.held[version_id]):
            verdicts = pair.held[version_id][key].items()
            over = [one for one, held in verdicts if held.look_again_at is not None and held.look_again_at <= now]
            if over:
                due[version_id, key] = over
    return Due(due, _overdue(pair, now))


def _overdue(pair: Pair, now: datetime) -> list[str]:
    over = []
    for one in pair.open:
        clearance = pair.standings[one].cleared
        if clearance is not None and clearance.valid_until is not None and clearance.valid_until <= now:
            over.append(one)
    return sorted(over)


def expire(judge: Judge, pair: Pair, found: Evaluation, due: Due) -> list[Draft]:
    """Facts for recorded instants that came and that the walk did not come by: of versions and rules that matter no more."""
    drafts = []
    for (version_id, key), over in due.verdicts.items():
        handled = found.findings.get(version_id, {}).keys() | set(found.passed.get(version_id, ()))
        if passed_by := [one for one in over if one not in handled]:
            drafts += _evaluated(judge, pair, version_id, {key: {NO_LONGER: passed_by}}, None)
    decided = {one for targets in found.withdrawn.values() for one, _ in targets}
    decided |= {one for targets in found.cleared.values() for one, _ in targets}
    late = Evaluation()
    for one in due.clearances:
        if one not in decided:
            late.withdrawn.setdefault(pair.open[one], []).append((one, "The time it was cleared for is over."))
    return drafts + withdrawals(judge, pair, late, None)


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Runs of at most `size` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def difference(before: Held | None, finding: Finding, now: datetime) -> str:
    """Whether a verdict is news: "changed", "longer" (only the end of a wait moved away), or "" for no news.

    A rule that allowed from the start is no news. Of an allowance only its end matters, and only once it comes.
    """
    if before is None:
        return "" if finding.allows else "changed"
    at, then = finding.look_again_at, before.look_again_at
    if before.verdict != finding.verdict or (then is not None and then <= now):
        return "changed"
    if finding.allows:
        return "changed" if at is not None and then is not None and at < then else ""
    if before.message != finding.message[:MOST_SAID] or (at is None) != (then is None):
        return "changed"
    if at is None or then is None or at == then:
        return ""
    return "changed" if at < then else "longer"


# --- what changed --------------------------------------------------------------------------------------------------------------


def _changes(judge: Judge, pair: Pair, version_id: str, verdicts: dict[str, Findings]) -> Changes:
    recorded: Map[RuleKey, Map[str, Held]] = pair.held.get(version_id, Map())
    # Targets that were found the same share one tuple of findings, and those recorded the same share one record.
    alike: dict[int, list[str]] = {}
    for one, findings in verdicts.items():
        alike.setdefault(id(findings), []).append(one)
    changes: Changes = {}
    longer: Changes = {}
    for ids in alike.values():
        findings = verdicts[ids[0]]
        for key, finding in findings:
            known = recorded.get(key)
            if known is None:
                if not finding.allows:
                    changes.setdefault(key, {}).setdefault(finding, []).extend(ids)
                continue
            news: dict[int, str] = {}
            for one in ids:
                before = known.get(one)
                what = news.get(id(before))
                if what is None:
                    what = news[id(before)] = difference(before, finding, judge.now)
                if what:
                    to = changes if what == "changed" else longer
                    to.setdefault(key, {}).setdefault(finding, []).append(one)
        if recorded and not any(key in DECISIVE for key, _ in findings):
            _gone(judge, version_id, ids, findings, recorded, changes)
    for key, groups in longer.items():
        if sum(len(ids) for ids in groups.values()) <= RETOLD:
            for finding, ids in groups.items():
                changes.setdefault(key, {}).setdefault(finding, []).extend(ids)
    return changes


def _gone(
    judge: Judge, version_id: str, ids: list[str], findings: Findings, recorded: Map[RuleKey, Map[str, Held]], changes: Changes
) -> None:
    """Rules that held targets and are asked no more."""
    asked = {key for key, _ in findings}
    for key in sorted(recorded):
        if key in asked:
            continue
        finding = TURN_CAME if key == IN_ORDER else NO_LONGER
        if key.rule_type == FREEZE:
            finding = FREEZE_OVER
        elif key == DEPLOYABLE:
            finding = fit_again(judge.state.versions[version_id])
        _end(recorded[key], ids, finding, judge.now, changes.setdefault(key, {}))
        if not changes[key]:
            del changes[key]


def _passed(judge: Judge, pair: Pair, version_id: str, ids: list[str]) -> Changes:
    """Everything that is recorded of a version that these targets do not look at any more."""
    changes: Changes = {}
    for key, verdicts in sorted(pair.held[version_id].items()):
        ended: dict[Finding, list[str]] = {}
        _end(verdicts, ids, NO_LONGER, judge.now, ended)
        if ended:
            changes[key] = ended
    return changes


def _end(verdicts: Map[str, Held], ids: list[str], finding: Finding, now: datetime, to: dict[Finding, list[str]]) -> None:
    """End the verdicts on these targets that do not allow, and those whose time came."""
    for one in ids:
        before = verdicts.get(one)
        if before is not None and (before.verdict != "allowed" or _is_over(before, now)):
            to.setdefault(finding, []).append(one)


def _is_over(held: Held, now: datetime) -> bool:
    return held.look_again_at is not None and held.look_again_at <= now


# --- facts ---------------------------------------------------------------------------------------------------------------------


def _evaluated(judge: Judge, pair: Pair, version_id: str, changes: Changes, cause: Recorded | None) -> list[Draft]:
    drafts = []
    for key, by_finding in changes.items():
        for groups in _packed(by_finding.items()):
            fact = RuleEvaluated(
                deployment_id=pair.deployment_id,
                version_id=version_id,
                environment_id=pair.environment_id,
                policy_id=key.policy_id,
                rule_id=key.rule_id,
                rule_type=key.rule_type,
                groups=tuple(groups),
                evaluated_at=judge.now,
            )
            drafts.append(Draft(fact, cause))
    return drafts


def _packed(by_finding: Iterable[tuple[Finding, list[str]]]) -> Iterator[list[VerdictGroup]]:
    groups: list[VerdictGroup] = []
    ids = weight = 0
    for finding, all_ids in by_finding:
        for run in chunks(sorted(all_ids), MOST_IDS):
            group = _group(finding, run)
            heavy = 120 + 20 * len(run) + len(group.message) + len(group.ended_by)
            if groups and (ids + len(run) > MOST_IDS or weight + heavy > MOST_WEIGHT):
                yield groups
                groups, ids, weight = [], 0, 0
            groups.append(group)
            ids += len(run)
            weight += heavy
    if groups:
        yield groups


def _group(finding: Finding, ids: Sequence[str]) -> VerdictGroup:
    return VerdictGroup(
        verdict=finding.verdict,
        message=finding.message[:MOST_SAID],
        resource_ids=tuple(ids),
        satisfied_at=finding.satisfied_at,
        look_again_at=finding.look_again_at,
        ended_by=finding.ended_by[:MOST_SAID],
        facts=finding.facts,
    )


def _clearances(
    judge: Judge, pair: Pair, version_id: str, targets: list[tuple[str, Gate | None]], cause: Recorded | None
) -> list[Draft]:
    """Clearances of a version, targets with equal ground and end together."""
    grounds: dict[tuple[datetime | None, tuple[int, ...]], list[str]] = {}
    running = positions((judge.state.versions[version_id].position,))
    for one, gate in targets:
        ground = (gate.until, gate.facts) if gate is not None else (None, running)
        grounds.setdefault(ground, []).append(one)
    drafts = []
    for (until, facts), ids in grounds.items():
        for run in chunks(sorted(ids), MOST_IDS):
            fact = TargetsCleared(
                deployment_id=pair.deployment_id,
                version_id=version_id,
                environment_id=pair.environment_id,
                resource_ids=tuple(run),
                at=judge.state.position,
                valid_until=until,
                facts=facts,
                cleared_at=judge.now,
            )
            drafts.append(Draft(fact, cause))
    return drafts


def _superseded(
    state: State, pair: Pair, version_id: str, targets: list[tuple[str, Gate | None]], cause: Recorded | None
) -> list[Draft]:
    """Older versions that waited for targets which a newer one was just cleared for.

    Where every version goes in order none is passed over, and where a person pinned one it was not its age that decided.
    """
    deployment = state.deployments.get(pair.deployment_id)
    if deployment is not None and deployment.supersession == "every":
        return []
    drafts = []
    for older_id in sorted(pair.held, key=lambda one: state.versions[one].rank):
        if not state.is_newer(version_id, older_id):
            continue
        by_rule = pair.held[older_id].values()
        ids = [one for one, _ in targets if pair.pin_of(one) is None and any(_is_against(verdicts, one) for verdicts in by_rule)]
        for run in chunks(sorted(ids), MOST_IDS):
            fact = VersionSuperseded(
                deployment_id=pair.deployment_id,
                version_id=older_id,
                environment_id=pair.environment_id,
                by_version_id=version_id,
                resource_ids=tuple(run),
            )
            drafts.append(Draft(fact, cause))
    return drafts


def _is_against(verdicts: Map[str, Held], resource_id: str) -> bool:
    held = verdicts.get(resource_id)
    return held is not None and held.verdict != "allowed"
