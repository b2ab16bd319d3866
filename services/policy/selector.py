"""Which policies apply to a target: their selectors over resource, deployment and environment.

A missing key is no match. Any other error counts as a match, and the policy then blocks with that error: a rule that can not be read
never opens. Answers are kept per pair and renewed when the documents they were made from are replaced; a selector that does not look
at the resource is asked once for all targets of a pair, and `sieve.py` tells which of the others need to be asked about a resource. Where
policies changed, only the selectors that are new are asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from immutables import Map

from contracts.documents import deployment_document, environment_document, resource_document
from contracts.facts.inventory import ResourceSaved
from contracts.facts.policy import PolicySaved
from contracts.shapes import Rule
from libs.cel import CelProblems, Program, contexts
from libs.runtime.kept import Kept
from services.policy.sieve import Sieve, Sieves, sieve_of
from services.policy.state import Pair, Policy, State

KEPT_PAIRS: Final = 512


class Match(NamedTuple):
    """A policy that applies; `error` says what is wrong with its selector, else it is empty."""

    policy_id: str
    error: str = ""


Matched = tuple[Match, ...]
"""The policies of a target, by priority; targets with equal ones are judged together."""


class PairMatches:
    """The policies of each target of a pair.

    Args:
        before: the same pair under other policies, where deployment and environment are the same documents: what it knows of selectors
            that did not change is not asked again.
    """

    def __init__(self, state: State, pair: Pair, before: PairMatches | None = None) -> None:
        self._policies: Map[str, Policy] = state.policies
        self._deployment = state.deployments.get(pair.deployment_id)
        self._environment = state.environments.get(pair.environment_id)
        self._known: dict[str, tuple[ResourceSaved | None, Matched]] = {}
        self._interned: dict[Matched, Matched] = {}
        self._documents: dict[str, Any] = {
            "deployment": deployment_document(self._deployment) if self._deployment else {},
            "environment": environment_document(state.workspace_id, self._environment) if self._environment else {},
        }
        self._workspace_id = state.workspace_id
        self._fixed: list[tuple[int, Match]] = []
        self._asked: dict[int, tuple[str, Program, Sieve]] = {}
        self._selectors: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        asked: list[tuple[int, Sieve]] = []
        for number, saved in enumerate(in_order(state.policies)):
            self._add(number, saved, asked)
        self._sieves = Sieves(asked)
        self._same: Matched | None = None if asked else tuple(match for _, match in self._fixed)
        self._before: dict[str, tuple[ResourceSaved | None, Matched]] = {}
        if before is not None and asked:
            self._take_over(before, asked)

    def is_of(self, state: State, pair: Pair) -> bool:
        """Whether these answers were made from the documents that the state holds now."""
        return self._policies is state.policies and self.is_about(state, pair)

    def is_about(self, state: State, pair: Pair) -> bool:
        """Whether they were, whatever policies there were then."""
        return self._deployment is state.deployments.get(pair.deployment_id) and self._environment is state.environments.get(
            pair.environment_id
        )

    def of(self, resource_id: str, resources: Mapping[str, ResourceSaved]) -> Matched:
        """The policies of one target."""
        if self._same is not None:
            return self._same
        resource = resources.get(resource_id)
        known = self._known.get(resource_id)
        if known is not None and known[0] is resource:
            return known[1]
        before = self._before.get(resource_id)
        if before is not None and before[0] is resource:
            found = self._renewed(before[1], resource)
        else:
            found = self._joined((), self._answers(self._sieves, resource))
        self._known[resource_id] = (resource, found)
        return found

    def _answers(self, sieves: Sieves, resource: ResourceSaved | None) -> Iterator[tuple[int, Match]]:
        document = resource_document(self._workspace_id, resource) if resource is not None else {}
        variables = {"resource": document, **self._documents}
        for number in sieves.of(document):
            match = _ask(*self._asked[number], variables)
            if match is not None:
                yield number, match

    def _joined(self, same: Iterable[Match], news: Iterable[tuple[int, Match]]) -> Matched:
        """All that apply to a target, in order; targets of which it is the same get the same object."""
        numbered = [*self._fixed, *((self._numbers[one.policy_id], one) for one in same), *news]
        numbered.sort()
        found = tuple(match for _, match in numbered)
        return self._interned.setdefault(found, found)

    def _take_over(self, before: PairMatches, asked: list[tuple[int, Sieve]]) -> None:
        """What was known of the targets under other policies; of selectors that are new nothing was."""
        self._before = before._known
        told = before._selectors
        self._unchanged = {one for one, selector in self._selectors.items() if told.get(one) == selector}
        self._fresh = Sieves([(number, sieve) for number, sieve in asked if self._asked[number][0] not in self._unchanged])
        self._looks = len(self._unchanged) < len(asked)
        self._renewals: dict[int, tuple[Matched, tuple[Match, ...], Matched]] = {}

    def _renewed(self, before: Matched, resource: ResourceSaved | None) -> Matched:
        """The policies of a target that had these before."""
        renewal = self._renewals.get(id(before))
        if renewal is None:
            same = tuple(one for one in before if one.policy_id in self._unchanged)
            renewal = self._renewals[id(before)] = (before, same, self._joined(same, ()))
        news = list(self._answers(self._fresh, resource)) if self._looks else None
        return self._joined(renewal[1], news) if news else renewal[2]

    def _add(self, number: int, saved: PolicySaved, asked: list[tuple[int, Sieve]]) -> None:
        """A policy for this pair: nothing, a match for all targets, or a selector to be asked about some of them."""
        if saved.selector == "":
            return
        try:
            program = contexts.TARGET.compile(saved.selector)
            sieve = sieve_of(saved.selector)
        except CelProblems as problems:
            self._fixed.append((number, Match(saved.policy_id, str(problems))))
            return
        if "resource" in program.roots:
            if not any(part.matches(**self._documents) for part in sieve.never):
                self._asked[number] = (saved.policy_id, program, sieve)
                self._selectors[saved.policy_id] = saved.selector
                self._numbers[saved.policy_id] = number
                asked.append((number, sieve))
            return
        match = _ask(saved.policy_id, program, sieve, self._documents)
        if match is not None:
            self._fixed.append((number, match))


def _ask(policy_id: str, program: Program, sieve: Sieve, documents: dict[str, Any]) -> Match | None:
    if program.matches(**documents):
        return Match(policy_id)
    # Why there is no answer takes much longer to find out than that there is one.
    if sieve.sure or sieve.denied.matches(**documents):
        return None
    verdict = program.verdict(**documents)
    return Match(policy_id, verdict.message or "it has no answer") if verdict.is_error else None


_kept: Kept[tuple[str, str, str], PairMatches] = Kept(KEPT_PAIRS)


def matches_of(state: State, pair: Pair) -> PairMatches:
    """The policies of each target of a pair, from memory when the documents are still the same objects."""
    key = (state.workspace_id, pair.deployment_id, pair.environment_id)
    known = _kept.get(key)
    if known is None or not known.is_of(state, pair):
        known = _kept.keep(key, PairMatches(state, pair, known if known is not None and known.is_about(state, pair) else None))
    return known


def in_order(policies: Mapping[str, Policy]) -> list[PolicySaved]:
    """Enabled policies: higher priority first, then the newer one."""
    enabled = [policy.saved for policy in policies.values() if policy.saved.enabled]
    return sorted(enabled, key=lambda one: (-one.priority, -one.created_at.timestamp(), one.policy_id))


_kinds: Kept[str, tuple[Map[str, Policy], frozenset[str]]] = Kept(KEPT_PAIRS)


def asks(state: State, kind: str) -> bool:
    """Whether any enabled policy of the workspace has a rule of a kind (its field's name); found once for the same policies."""
    known = _kinds.get(state.workspace_id)
    if known is None or known[0] is not state.policies:
        rules = [rule for policy in state.policies.values() if policy.saved.enabled for rule in policy.saved.rules]
        kinds = frozenset(name for rule in rules for name in Rule.model_fields if getattr(rule, name) is not None)
        known = _kinds.keep(state.workspace_id, (state.policies, kinds))
    return kind in known[1]


_readers: Kept[str, tuple[Map[str, Policy], bool]] = Kept(KEPT_PAIRS)


def reads_resources(state: State) -> bool:
    """Whether the selector of any enabled policy, or of its versions, looks at the resource, so that a changed resource may matter."""
    known = _readers.get(state.workspace_id)
    if known is None or known[0] is not state.policies:
        known = _readers.keep(state.workspace_id, (state.policies, _any_reads_resources(state.policies)))
    return known[1]


def _any_reads_resources(policies: Mapping[str, Policy]) -> bool:
    for saved in in_order(policies):
        picks = (rule.version_selector.selector for rule in saved.rules if rule.version_selector is not None)
        for source in (saved.selector, *picks):
            try:
                if source and "resource" in contexts.TARGET.compile(source).roots:
                    return True
            except CelProblems:
                continue
    return False
