"""Whom policies reach: the targets that each applies to and how many of them it holds, as they are saved or as they would be.

What is found of a pair is kept as long as what it was found from is the same: for most pairs nothing has happened since the last answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from immutables import Map

from contracts.command import Asked, Refused
from contracts.commands.policy.reach import (
    PolicyPreview,
    PolicyReach,
    PolicyReaches,
    PolicyTarget,
    PolicyTargetPage,
    PolicyTargets,
    PolicyWarning,
    PreviewPolicy,
    Reach,
)
from contracts.facts.policy import ClearanceWithdrawn, PolicySaved
from contracts.shapes import Json
from libs.runtime.kept import Kept
from services.policy.commands import save_policy
from services.policy.evaluation import walk
from services.policy.fold import apply
from services.policy.gate import Judge
from services.policy.selector import Matched, PairMatches
from services.policy.state import Pair, Policy, State

Place = tuple[str, str]
"""A target: the key of its pair, and its resource."""

KEPT_PAIRS: Final = 512
KEPT_COUNTS: Final = 20_000
"""Pairs whose counts are kept: a few numbers for each policy that applies there."""


class _Counts(NamedTuple):
    """How many targets of a pair each policy applies to, and holds; and what that was found from."""

    basis: tuple[object, ...]
    targets: Counter[str]
    held: Counter[str]


_counts: Kept[tuple[str, str], _Counts] = Kept(KEPT_COUNTS)
_everyone: Kept[tuple[str, str], PairMatches] = Kept(KEPT_PAIRS)
_enabled: Kept[str, tuple[Map[str, Policy], Map[str, Policy]]] = Kept(KEPT_PAIRS)


def policy_reach(wish: PolicyReach, state: State, asked: Asked, position: int) -> PolicyReaches:
    """Count the targets of every policy; of one that is not enabled, those that it would apply to."""
    targets: Counter[str] = Counter()
    held: Counter[str] = Counter()
    all_on = _all_on(state)
    for pair in state.pairs.values():
        counts = _counts_of(all_on, pair)
        targets.update(counts.targets)
        held.update(counts.held)
    return PolicyReaches(
        items=tuple(Reach(policy_id=one, targets=targets[one], held=held[one]) for one in sorted(state.policies))
    )


def policy_targets(wish: PolicyTargets, state: State, asked: Asked, position: int) -> PolicyTargetPage:
    """A page of the targets of a policy. Raises: Refused: `not_found`."""
    if wish.policy_id not in state.policies:
        raise Refused("not_found", f"There is no policy {wish.policy_id}.")
    picked = _picked_now(state, wish.policy_id)
    held = {place for place in _held(state, wish.policy_id) if place in picked}
    return PolicyTargetPage(items=_page(state, picked, held, wish.limit, wish.offset), total=len(picked), held=len(held))


def preview_policy(wish: PreviewPolicy, state: State, asked: Asked, position: int) -> PolicyPreview:
    """What would follow at this moment from saving a policy. It is decided as if it were saved, so that both say the same.

    Raises:
        Refused: as saving it would be.
    """
    decided = save_policy(wish.policy, state, asked)
    policy_id: str = decided.answer["id"]
    after = state
    withdrawn = 0
    for draft in decided.drafts:
        match draft.fact:
            case PolicySaved() as saved:
                after = apply(state, saved, state.position + 1)
            case ClearanceWithdrawn(resource_ids=ids) if ids is not None:
                withdrawn += len(ids)
            case _:
                pass
    before, picked = _picked_now(state, policy_id), _picked(after, policy_id)
    held_before = sum(place in before for place in _held(state, policy_id))
    held = _would_hold(after, policy_id, picked, asked) if after.policies[policy_id].saved.enabled else set()
    return PolicyPreview(
        items=_page(after, picked, held, wish.limit, wish.offset),
        total=len(picked),
        held=len(held),
        total_before=len(before),
        held_before=held_before,
        added=len(picked.keys() - before.keys()),
        removed=len(before.keys() - picked.keys()),
        withdrawn=withdrawn,
        warnings=_warnings(decided.answer),
    )


def _warnings(answer: Json) -> tuple[PolicyWarning, ...]:
    return tuple(PolicyWarning.model_validate(one) for one in answer.get("warnings", ()))


def _switched_on(state: State, policy_ids: Iterable[str]) -> State:
    """The state with these policies alone, enabled: what they would apply to has nothing to do with others."""
    known = ((one, state.policies[one]) for one in policy_ids if one in state.policies)
    on = {one: Policy(policy.saved.model_copy(update={"enabled": True}), policy.position) for one, policy in known}
    return replace(state, policies=Map(on))


def _all_on(state: State) -> State:
    """The state with all policies enabled; their map is the same one for the same policies."""
    known = _enabled.get(state.workspace_id)
    if known is None or known[0] is not state.policies:
        known = _enabled.keep(state.workspace_id, (state.policies, _switched_on(state, state.policies).policies))
    return replace(state, policies=known[1])


def _everyone_of(all_on: State, pair: Pair) -> PairMatches:
    """The policies of each target of a pair, those among them that are not enabled."""
    key = (all_on.workspace_id, pair.key)
    known = _everyone.get(key)
    if known is None or not known.is_of(all_on, pair):
        known = _everyone.keep(
            key, PairMatches(all_on, pair, known if known is not None and known.is_about(all_on, pair) else None)
        )
    return known


def _counts_of(all_on: State, pair: Pair) -> _Counts:
    deployment, environment = all_on.deployments.get(pair.deployment_id), all_on.environments.get(pair.environment_id)
    basis = (all_on.policies, deployment, environment, all_on.resources, pair.targets, pair.held)
    key = (all_on.workspace_id, pair.key)
    known = _counts.get(key)
    if known is None or not all(one is other for one, other in zip(known.basis, basis, strict=True)):
        matches = _everyone_of(all_on, pair)
        # Most targets have the policies that many others have.
        alike = Counter(matches.of(one, all_on.resources) for one in pair.targets)
        targets: Counter[str] = Counter()
        for matched, count in alike.items():
            for match in matched:
                targets[match.policy_id] += count
        held = Counter({policy_id: len(resources) for policy_id, resources in _held_in(pair).items()})
        known = _counts.keep(key, _Counts(basis, targets, held))
    return known


def _picked_now(state: State, policy_id: str) -> dict[Place, str]:
    """The targets that a policy applies to, or would if it were enabled; and what is wrong with its selector there."""
    if policy_id not in state.policies:
        return {}
    all_on = _all_on(state)
    picked: dict[Place, str] = {}
    for key, pair in state.pairs.items():
        matches = _everyone_of(all_on, pair)
        errors: dict[int, tuple[Matched, str | None]] = {}
        for one in pair.targets:
            matched = matches.of(one, state.resources)
            known = errors.get(id(matched))
            if known is None:
                error = next((match.error for match in matched if match.policy_id == policy_id), None)
                known = errors[id(matched)] = (matched, error)
            if known[1] is not None:
                picked[key, one] = known[1]
    return picked


def _picked(state: State, policy_id: str) -> dict[Place, str]:
    """The same of a policy that is not saved: it alone is asked, and nothing of it is kept."""
    alone = _switched_on(state, (policy_id,))
    picked: dict[Place, str] = {}
    if not alone.policies:
        return picked
    for key, pair in alone.pairs.items():
        matches = PairMatches(alone, pair)
        for one in pair.targets:
            for match in matches.of(one, alone.resources):
                picked[key, one] = match.error
    return picked


def _held_in(pair: Pair) -> Mapping[str, set[str]]:
    """By policy, the targets of a pair on which one of its rules was last recorded not to allow a version."""
    found: dict[str, set[str]] = {}
    for by_rule in pair.held.values():
        for rule, verdicts in by_rule.items():
            if rule.policy_id:
                against = (one for one, known in verdicts.items() if known.verdict != "allowed" and one in pair.targets)
                found.setdefault(rule.policy_id, set()).update(against)
    return found


def _held(state: State, policy_id: str) -> Iterator[Place]:
    for key, pair in state.pairs.items():
        for one in _held_in(pair).get(policy_id, ()):
            yield key, one


def _would_hold(state: State, policy_id: str, picked: Iterable[Place], asked: Asked) -> set[Place]:
    """Of these targets, those on which a rule of the policy does not allow a version that they look at."""
    judge = Judge(state, asked.now)
    of_pair: dict[str, list[str]] = {}
    for key, one in picked:
        of_pair.setdefault(key, []).append(one)
    held: set[Place] = set()
    for key in sorted(of_pair):
        found = walk(judge, state.pairs[key], of_pair[key])
        for verdicts in found.findings.values():
            for one, findings in verdicts.items():
                if any(rule.policy_id == policy_id and not finding.allows for rule, finding in findings):
                    held.add((key, one))
    return held.intersection(picked)


def _page(state: State, picked: Mapping[Place, str], held: set[Place], limit: int, offset: int) -> tuple[PolicyTarget, ...]:
    """A part of them, by names."""

    def named(place: Place) -> tuple[str, ...]:
        key, resource_id = place
        pair = state.pairs[key]
        names = (
            state.deployment_name(pair.deployment_id),
            state.environment_name(pair.environment_id),
            state.resource_name(resource_id),
        )
        return (*names, key, resource_id)

    start = max(offset, 0)
    return tuple(
        PolicyTarget(
            resource_id=place[1],
            environment_id=state.pairs[place[0]].environment_id,
            deployment_id=state.pairs[place[0]].deployment_id,
            held=place in held,
            error=picked[place],
        )
        for place in sorted(picked, key=named)[start : start + max(limit, 0)]
    )
