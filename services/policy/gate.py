"""What the rules of a set of policies say about a version in an environment: judged once for all targets that these policies apply to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.shapes import GradualRollout, Rule
from services.policy.approval import judge_approval
from services.policy.dependency import Answers, judge_dependencies
from services.policy.finding import Finding, RuleKey, positions
from services.policy.progression import Tally, count, judge_progression
from services.policy.rollout import start_of
from services.policy.selector import Match, Matched, PairMatches, matches_of
from services.policy.state import Held, Pair, State, Version, approval_key

SELECTOR_TYPE = "policySelector"


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdicts that are the same for every target with these policies, and what their rollouts start with.

    Attributes:
        allows: whether all findings allow.
        until: the next instant at which time alone could end that; None for never.
        rollouts: rollout rules, still to be judged target by target.
        covered: whether a rollout waits for what the targets before came to.
    """

    findings: tuple[tuple[RuleKey, Finding], ...]
    allows: bool
    until: datetime | None
    facts: tuple[int, ...]
    rollouts: tuple[tuple[RuleKey, GradualRollout], ...]
    start: datetime | None
    covered: bool


@dataclass(slots=True)
class Judge:
    """One decision's view of the state at an instant; keeps what it computed, so that nothing is counted twice in it.

    Attributes:
        without: ids of rules that are not asked.
        wordy: whether the sentences of the moment are wanted too.
    """

    state: State
    now: datetime
    without: frozenset[str] = frozenset()
    wordy: bool = False
    _gates: dict[tuple[str, str, str, Matched], Gate] = field(default_factory=dict)
    _tallies: dict[tuple[str, str, str, frozenset[str], bool], Tally] = field(default_factory=dict)
    _together: dict[Matched, bool] = field(default_factory=dict)
    _covered: dict[str, bool] = field(default_factory=dict)
    _matches: dict[str, PairMatches] = field(default_factory=dict)
    _answers: Answers = field(default_factory=dict)
    _alike: dict[Finding, Finding] = field(default_factory=dict)

    def matches(self, pair: Pair) -> PairMatches:
        """The policies of all targets of a pair."""
        key = pair.key
        matches = self._matches.get(key)
        if matches is None:
            matches = self._matches[key] = matches_of(self.state, pair)
        return matches

    def matched(self, pair: Pair, resource_id: str) -> Matched:
        """The policies of a target."""
        return self.matches(pair).of(resource_id, self.state.resources)

    def gate(self, pair: Pair, version: Version, matched: Matched) -> Gate:
        """The verdicts of these policies on a version in the pair's environment."""
        key = (pair.deployment_id, pair.environment_id, version.version_id, matched)
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = self._judge(pair, version, matched)
        return gate

    def dependencies(self, version: Version, resource_id: str) -> Finding | None:
        """Whether what a version depends on runs on a resource; None for one that depends on nothing."""
        if not version.dependencies:
            return None
        finding = judge_dependencies(self.state, version, resource_id, self._answers, wordy=self.wordy)
        # Targets with the same finding share it, so that they are grouped by identity; a sentence of the moment is a target's own.
        return finding if self.wordy else self._alike.setdefault(finding, finding)

    def tally(self, pair: Pair | None, version_id: str, statuses: frozenset[str], verified: bool) -> Tally:
        """How a version did in an environment."""
        if pair is None:
            return count(None, version_id, statuses, verified)
        key = (pair.deployment_id, pair.environment_id, version_id, statuses, verified)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = count(pair, version_id, statuses, verified)
        return tally

    def together(self, matched: Matched) -> bool:
        """Whether targets with these policies wait for one another, so that they are judged together."""
        known = self._together.get(matched)
        if known is None:
            rules = [rule for match in matched for rule in self._rules(match)]
            known = any(rule.gradual_rollout is not None for rule in rules) and self.covered(matched)
            self._together[matched] = known
        return known

    def covered(self, matched: Matched) -> bool:
        """Whether a verification or rollback rule applies."""
        return any(rule.verification is not None or rule.rollback is not None for match in matched for rule in self._rules(match))

    def any_covered(self, pair: Pair, waiting: Sequence[Mapping[str, Held]]) -> bool:
        """Whether any of the targets that wait in rollouts of a pair waits for others; found once per decision."""
        known = self._covered.get(pair.key)
        if known is None:
            rules = [rule for policy in self.state.policies.values() for rule in policy.saved.rules]
            known = any(rule.verification is not None or rule.rollback is not None for rule in rules) and any(
                self.together(self.matched(pair, one)) for targets in waiting for one in targets
            )
            self._covered[pair.key] = known
        return known

    def _rules(self, match: Match) -> list[Rule]:
        return [rule for rule in self.state.policies[match.policy_id].saved.rules if rule.id not in self.without]

    def _judge(self, pair: Pair, version: Version, matched: Matched) -> Gate:
        state, environment_id = self.state, pair.environment_id
        approvals = state.approvals.get(approval_key(version.version_id, environment_id), ())
        found: list[tuple[RuleKey, Finding]] = []
        rollouts: list[tuple[RuleKey, GradualRollout]] = []
        for match in matched:
            policy = state.policies[match.policy_id]
            mine = (policy.position,)
            if match.error:
                found.append((RuleKey(match.policy_id, "", SELECTOR_TYPE), _unreadable(match, policy.saved.name, mine)))
            for rule in self._rules(match):
                if rule.any_approval is not None:
                    finding = judge_approval(rule.any_approval, rule, version, approvals)
                    found.append((RuleKey(match.policy_id, rule.id, "anyApproval"), _resting_on(finding, mine)))
                if rule.environment_progression is not None:
                    finding = judge_progression(
                        rule.environment_progression, version, environment_id, state, self.now, self.tally
                    )
                    found.append((RuleKey(match.policy_id, rule.id, "environmentProgression"), _resting_on(finding, mine)))
                if rule.gradual_rollout is not None:
                    rollouts.append((RuleKey(match.policy_id, rule.id, "gradualRollout"), rule.gradual_rollout))
        untils = [finding.look_again_at for _, finding in found if finding.allows and finding.look_again_at is not None]
        return Gate(
            findings=tuple(found),
            allows=all(finding.allows for _, finding in found),
            until=min(untils, default=None),
            facts=positions((version.position,), *(finding.facts for _, finding in found)),
            rollouts=tuple(rollouts),
            start=start_of(version, _of_type(found, "anyApproval"), _of_type(found, "environmentProgression")),
            covered=bool(rollouts) and self.covered(matched),
        )


def _of_type(found: list[tuple[RuleKey, Finding]], rule_type: str) -> list[Finding]:
    return [finding for key, finding in found if key.rule_type == rule_type]


def _resting_on(finding: Finding, facts: tuple[int, ...]) -> Finding:
    return replace(finding, facts=positions(finding.facts, facts))


def _unreadable(match: Match, name: str, facts: tuple[int, ...]) -> Finding:
    return Finding(
        "blocked",
        f"The selector of policy {name!r} has no answer for this target, so the policy blocks: {match.error}",
        ended_by="a person who mends the policy's selector",
        facts=facts,
    )
