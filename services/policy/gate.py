"""What the rules of a set of policies say about a version in an environment: judged once for all targets that these policies apply to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.shapes import DeploymentWindow, GradualRollout, Rule
from services.policy.approval import judge_approval
from services.policy.dependency import Answers, judge_dependencies
from services.policy.finding import APPROVAL, DEPENDS, ROLLOUT, Finding, RuleKey, positions
from services.policy.freezes import FREEZE, FreezeFindings, Freezes
from services.policy.own import RETRY, SELECTOR, Own, OwnAnswers, OwnRule, own_rules
from services.policy.progression import Tally, count, judge_progression
from services.policy.retry import failed_attempts
from services.policy.rollout import Question, in_line, start_of
from services.policy.selector import Match, Matched, PairMatches, asks, matches_of
from services.policy.skips import gating_kinds, judge_skipped, skips_of, starting
from services.policy.state import Approval, Pair, Policy, Skip, State, Version, approval_key
from services.policy.version_selector import judge_version_selector, reads_resource
from services.policy.window import judge_window, open_from

SELECTOR_TYPE = "policySelector"
PROGRESSION = "environmentProgression"
WINDOW = "deploymentWindow"
STARTS = frozenset({APPROVAL, PROGRESSION})
"""Rules that a rollout starts with, once they are satisfied."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdicts that are the same for every target with these policies, and what their rollouts start with.

    Attributes:
        allows: whether all findings allow.
        until: the next instant at which time alone could end that; None for never.
        rollouts: rollout rules, still to be judged target by target.
        covered: whether a rollout waits for what the targets before came to.
        own: rules that every target answers for itself.
        undone_on: ends of a job because of which a rollback rule returns a target to its last good release.
    """

    findings: tuple[tuple[RuleKey, Finding], ...]
    allows: bool
    until: datetime | None
    facts: tuple[int, ...]
    rollouts: tuple[tuple[RuleKey, GradualRollout], ...]
    start: datetime | None
    covered: bool
    own: tuple[OwnRule, ...] = ()
    undone_on: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Asked:
    """A version that targets of a pair are asked about.

    Attributes:
        alike: whether nothing but the policies tells these targets apart: there are no skips, no freezes, and it depends on nothing.
        gates: by the identity of the policies, of which each combination is one object.
    """

    pair: Pair
    version: Version
    matches: PairMatches
    alike: bool
    gates: dict[int, Gate] = field(default_factory=dict)


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
    _gates: dict[tuple[str, str, str, Matched, tuple[int, ...]], Gate] = field(default_factory=dict)
    _own: dict[tuple[int, int, int, int], tuple[Gate, Gate, FreezeFindings, Finding | None, Own]] = field(default_factory=dict)
    _own_answers: OwnAnswers | None = None
    _asked: _Asked | None = None
    _windows: dict[RuleKey, Finding] = field(default_factory=dict)
    _rules_say: dict[tuple[RuleKey, str, str], tuple[RuleKey, Finding]] = field(default_factory=dict)
    _freezes: Freezes | None = None
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

    def gate(self, pair: Pair, version: Version, resource_id: str) -> Gate:
        """The verdicts on a version for a target: of its policies, of freezes and of what the version depends on.

        Targets for which they are the same get the same object.
        """
        asked = self._asked
        if asked is None or asked.pair is not pair or asked.version is not version:
            # Targets are asked about one version after the other: what is the same for all of them is found once.
            state = self.state
            alike = not (state.skips or state.freezes or version.dependencies)
            asked = self._asked = _Asked(pair, version, self.matches(pair), alike)
        matched = asked.matches.of(resource_id, self.state.resources)
        if asked.alike:
            gate = asked.gates.get(id(matched))
            if gate is None:
                gate = asked.gates[id(matched)] = self._shared(pair, version, matched, ())
            answers = self.answers.of(gate.own, pair, version, resource_id) if gate.own else ()
            return self._joined(gate, (), None, answers) if answers else gate
        skips = skips_of(self.state, version.version_id, pair.environment_id, resource_id, self.now) if self.state.skips else ()
        gate = self._shared(pair, version, matched, skips)
        frozen = self.freezes(pair, version, resource_id)
        dependency = self.dependencies(version, resource_id)
        answers = self.answers.of(gate.own, pair, version, resource_id) if gate.own else ()
        if not frozen and dependency is None and not answers:
            return gate
        return self._joined(gate, frozen, dependency, answers)

    def _shared(self, pair: Pair, version: Version, matched: Matched, skips: Sequence[Skip]) -> Gate:
        key = (pair.deployment_id, pair.environment_id, version.version_id, matched, tuple(one.position for one in skips))
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = self._judge(pair, version, matched, skips)
        return gate

    def retry(self, pair: Pair, version: Version, resource_id: str) -> Gate | None:
        """The verdicts on one more try of a release that failed on a target; None where no rule tries it again."""
        if not asks(self.state, "retry") or not failed_attempts(pair, resource_id, version.version_id):
            return None
        gate = self.gate(pair, version, resource_id)
        retries = self.answers.retries(gate.own, pair, version, resource_id, gate.undone_on)
        return self._joined(gate, (), None, retries) if retries is not None else None

    def _joined(self, gate: Gate, frozen: FreezeFindings, dependency: Finding | None, answers: Own) -> Gate:
        own = (id(gate), id(frozen), id(dependency), id(answers))
        known = self._own.get(own)
        if known is None:
            # What the key names by identity is kept beside it, so that nothing else can take its place.
            findings = (*frozen, *answers) if dependency is None else (*frozen, *answers, (DEPENDS, dependency))
            known = self._own[own] = (_with(gate, findings), gate, frozen, dependency, answers)
        return known[0]

    @property
    def answers(self) -> OwnAnswers:
        """What targets answer for themselves."""
        if self._own_answers is None:
            self._own_answers = OwnAnswers(self.state, self.now, wordy=self.wordy)
        return self._own_answers

    def freezes(self, pair: Pair, version: Version, resource_id: str) -> FreezeFindings:
        """What each freeze that concerns a target says about a version."""
        if not self.state.freezes:
            return ()
        if self._freezes is None:
            self._freezes = Freezes(self.state, self.now)
        return self._freezes.judge(pair, version, resource_id)

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
            known = any(rule.gradual_rollout is not None and in_line(rule.gradual_rollout) for rule in rules) and self.covered(
                matched
            )
            self._together[matched] = known
        return known

    def question(self, pair: Pair, version: Version, *, alone: bool = False, going: str | None = None) -> Question:
        """How the rollouts of a version in a pair stand."""

        def in_line(one: str) -> bool:
            return self.gate(pair, version, one).covered

        return Question(version, self.state, pair, self.now, in_line, self.wordy, alone, going)

    def covered(self, matched: Matched) -> bool:
        """Whether a verification or rollback rule applies."""
        return any(rule.verification is not None or rule.rollback is not None for match in matched for rule in self._rules(match))

    def any_covered(self, pair: Pair) -> bool:
        """Whether any of the targets of a pair waits for others in a rollout; found once per decision."""
        known = self._covered.get(pair.key)
        if known is None:
            may_be = asks(self.state, "verification") or asks(self.state, "rollback")
            known = may_be and any(self.together(self.matched(pair, one)) for one in pair.targets)
            self._covered[pair.key] = known
        return known

    def _rules(self, match: Match) -> Sequence[Rule]:
        rules = self.state.policies[match.policy_id].saved.rules
        return [rule for rule in rules if rule.id not in self.without] if self.without else rules

    def _judge(self, pair: Pair, version: Version, matched: Matched, skips: Sequence[Skip]) -> Gate:
        state, environment_id = self.state, pair.environment_id
        approvals = state.approvals.get(approval_key(version.version_id, environment_id), ())
        found: list[tuple[RuleKey, Finding]] = []
        rollouts: list[tuple[RuleKey, GradualRollout]] = []
        windows: list[tuple[DeploymentWindow, Rule]] = []
        own: list[OwnRule] = []
        undone_on: set[str] = set()
        rolls = bool(skips) and any(rule.gradual_rollout is not None for match in matched for rule in self._rules(match))
        for match in matched:
            policy = state.policies[match.policy_id]
            mine = (policy.position,)
            if match.error:
                found.append((RuleKey(match.policy_id, "", SELECTOR_TYPE), _unreadable(match, policy.saved.name, mine)))
            for rule in self._rules(match):
                if rule.rollback is not None:
                    undone_on.update(rule.rollback.on_job_statuses)
                passes = [one for one in skips if one.saved.rule_id == rule.id]
                if passes:
                    for kind in gating_kinds(rule):
                        skipped = judge_skipped(passes, version)
                        if rolls and kind in STARTS:
                            asked = self._start(kind, rule, version, environment_id, approvals)
                            skipped = starting(skipped, passes, version, asked)
                        found.append((RuleKey(match.policy_id, rule.id, kind), _resting_on(skipped, mine)))
                    own += [one for one in own_rules(rule, match.policy_id, policy.position) if one.key.rule_type == RETRY]
                    continue
                own += own_rules(rule, match.policy_id, policy.position)
                if rule.version_selector is not None and not reads_resource(rule.version_selector):
                    found.append(self._said(SELECTOR, policy, rule, pair, version, approvals))
                if rule.any_approval is not None:
                    found.append(self._said(APPROVAL, policy, rule, pair, version, approvals))
                if rule.deployment_window is not None:
                    windows.append((rule.deployment_window, rule))
                    found.append(self._said(WINDOW, policy, rule, pair, version, approvals))
                if rule.environment_progression is not None:
                    found.append(self._said(PROGRESSION, policy, rule, pair, version, approvals))
                if rule.gradual_rollout is not None:
                    rollouts.append((RuleKey(match.policy_id, rule.id, ROLLOUT), rule.gradual_rollout))
        start = start_of(version, _of_type(found, APPROVAL), _of_type(found, PROGRESSION))
        return Gate(
            findings=tuple(found),
            allows=all(finding.allows for _, finding in found),
            until=_until(found),
            facts=positions((version.position,), *(finding.facts for _, finding in found)),
            rollouts=tuple(rollouts),
            start=open_from(start, windows) if start is not None and rollouts else start,
            covered=any(in_line(body) for _, body in rollouts) and self.covered(matched),
            own=tuple(own),
            undone_on=frozenset(undone_on),
        )

    def _start(self, kind: str, rule: Rule, version: Version, environment_id: str, approvals: Sequence[Approval]) -> Finding:
        """What a rule that rollouts start with says."""
        if kind == APPROVAL:
            assert rule.any_approval is not None, "the rule has a body of this kind"
            return judge_approval(rule.any_approval, rule, version, approvals, self.now)
        assert rule.environment_progression is not None, "the rule has a body of this kind"
        return judge_progression(rule.environment_progression, version, environment_id, self.state, self.now, self.tally)

    def _said(
        self, kind: str, policy: Policy, rule: Rule, pair: Pair, version: Version, approvals: Sequence[Approval]
    ) -> tuple[RuleKey, Finding]:
        """What a rule says of a version in an environment: found once, whichever other policies apply to a target as well."""
        key = RuleKey(policy.saved.policy_id, rule.id, kind)
        place = (key, version.version_id, pair.environment_id)
        known = self._rules_say.get(place)
        if known is None:
            if kind == SELECTOR:
                assert rule.version_selector is not None, "the rule has a body of this kind"
                finding = judge_version_selector(rule.version_selector, version, self.answers.documents(pair, version))
            elif kind == WINDOW:
                finding = self._window(key, rule)
            else:
                finding = self._start(kind, rule, version, pair.environment_id, approvals)
            known = self._rules_say[place] = (key, _resting_on(finding, (policy.position,)))
        return known

    def _window(self, key: RuleKey, rule: Rule) -> Finding:
        """How a window stands: the same for all versions and targets, so it is found once in a decision."""
        known = self._windows.get(key)
        if known is None:
            assert rule.deployment_window is not None, "the rule has a body of this kind"
            known = self._windows[key] = judge_window(rule.deployment_window, rule, self.now)
        return known


def _with(gate: Gate, own: FreezeFindings) -> Gate:
    """A gate for targets of which more is found; the freezes are told first."""
    ends = [one for one in (gate.until, _until(own)) if one is not None]
    return replace(
        gate,
        findings=tuple(sorted((*gate.findings, *own), key=lambda one: one[0].rule_type != FREEZE)),
        allows=gate.allows and all(finding.allows for _, finding in own),
        until=min(ends, default=None),
        facts=positions(gate.facts, *(finding.facts for _, finding in own)),
    )


def _until(found: Sequence[tuple[RuleKey, Finding]]) -> datetime | None:
    """When time alone ends what these allow; None for never."""
    untils = [finding.look_again_at for _, finding in found if finding.allows and finding.look_again_at is not None]
    return min(untils, default=None)


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
