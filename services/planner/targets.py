"""Decides what the release targets are: resource × environment × deployment where both selectors match and the two share a system.

Only what changed is looked at: the resources of a changed match, beside the other side's matches; a whole pair when a link or an
entity of it came or went. Nobody else computes a target.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from contracts.envelope import Recorded
from contracts.facts.inventory import MatchesChanged
from contracts.facts.planner import (
    DeploymentDeleted,
    DeploymentLinked,
    DeploymentUnlinked,
    EnvironmentDeleted,
    EnvironmentLinked,
    EnvironmentUnlinked,
    SystemDeleted,
    TargetsChanged,
)
from contracts.shapes import Target
from libs.runtime.service import Draft
from services.planner.catalog import NO_IDS, Catalog, deployment_key, environment_key
from services.planner.rollouts import NO_PAIR, NO_PAIRS, all_pairs, pair_of
from services.planner.state import PlannerState

IDS_PER_FACT: Final = 2_000

_PairIds = tuple[str, str]
"""Deployment and environment."""


@dataclass(frozen=True, slots=True)
class TargetChanges:
    """What was decided: the facts, and the targets that vanish with them."""

    drafts: tuple[Draft, ...] = ()
    vanishing: frozenset[Target] = frozenset()


@dataclass(slots=True)
class _Touched:
    """What to look at, each with the newest fact that says so: whole pairs, and resources that a deployment's or an environment's
    selector began or ceased to match. The latter by their side alone: of many pairs most have nothing to do with them."""

    pairs: dict[_PairIds, Recorded] = field(default_factory=dict)
    of_deployment: dict[str, dict[str, Recorded]] = field(default_factory=dict)
    of_environment: dict[str, dict[str, Recorded]] = field(default_factory=dict)

    def pairs_of(self, catalog: Catalog) -> set[_PairIds]:
        """Every pair to look at. To be sorted before anything follows from it."""
        found = set(self.pairs)
        for deployment_id in self.of_deployment:
            found.update((deployment_id, one) for one in catalog.environments_beside(deployment_id))
        for environment_id in self.of_environment:
            found.update((one, environment_id) for one in catalog.deployments_beside(environment_id))
        return found

    def singles(self, pair: _PairIds) -> tuple[Mapping[str, Recorded], Mapping[str, Recorded]]:
        """Changed matches of either side of a pair."""
        return self.of_deployment.get(pair[0], {}), self.of_environment.get(pair[1], {})


def decide_targets(state: PlannerState, recorded: Sequence[Recorded]) -> TargetChanges:
    """The targets that appeared and vanished, in order of deployment, environment and resource id."""
    touched = _touched(state, recorded)
    drafts: list[Draft] = []
    vanishing: list[Target] = []
    for pair in sorted(touched.pairs_of(state.catalog)):
        whole = touched.pairs.get(pair)
        singles = touched.singles(pair)
        changes = _changes(state, pair, None if whole is not None else singles)
        if not changes:
            continue
        vanishing.extend(Target(one, pair[1], pair[0]) for one, appears in changes if not appears)
        for start in range(0, len(changes), IDS_PER_FACT):
            part = changes[start : start + IDS_PER_FACT]
            causes = [cause for cause in (whole, *(side.get(part[0][0]) for side in singles)) if cause is not None]
            drafts.append(Draft(_delta(pair, part), max(causes, key=lambda cause: cause.position)))
    return TargetChanges(tuple(drafts), frozenset(vanishing))


def _touched(state: PlannerState, recorded: Sequence[Recorded]) -> _Touched:
    touched = _Touched()
    for one in recorded:
        match one.fact:
            case MatchesChanged() as fact:
                side = touched.of_deployment if fact.entity == "deployment" else touched.of_environment
                side.setdefault(fact.entity_id, {}).update(dict.fromkeys((*fact.added, *fact.removed), one))
            case _:
                touched.pairs.update(dict.fromkeys(_pairs_of(state, one), one))
    return touched


def _pairs_of(state: PlannerState, recorded: Recorded) -> Iterator[_PairIds]:
    """Pairs that a fact about links or entities may have joined or parted."""
    catalog = state.catalog
    match recorded.fact:
        case DeploymentLinked() as fact:
            for environment_id in catalog.environments_of.get(fact.system_id, NO_IDS):
                yield fact.deployment_id, environment_id
        case EnvironmentLinked() as fact:
            for deployment_id in catalog.deployments_of.get(fact.system_id, NO_IDS):
                yield deployment_id, fact.environment_id
        case DeploymentUnlinked() | DeploymentDeleted() as fact:
            for environment_id in state.pairs.get(fact.deployment_id, NO_PAIRS):
                yield fact.deployment_id, environment_id
        case EnvironmentUnlinked() | EnvironmentDeleted() as fact:
            for deployment_id, of_deployment in state.pairs.items():
                if fact.environment_id in of_deployment:
                    yield deployment_id, fact.environment_id
        case SystemDeleted():
            # Its members are folded away by now; any pair may have been held together by it alone.
            yield from all_pairs(state.pairs)


def _changes(state: PlannerState, pair: _PairIds, singles: Sequence[Collection[str]] | None) -> list[tuple[str, bool]]:
    """Resource ids of targets that appear (True) or vanish (False), sorted; among these resources, or with None among all."""
    catalog = state.catalog
    deployment_id, environment_id = pair
    there = (pair_of(state.pairs, deployment_id, environment_id) or NO_PAIR).places
    of_deployment = of_environment = NO_IDS
    if catalog.combines(deployment_id, environment_id):
        of_deployment = catalog.matches.get(deployment_key(deployment_id), NO_IDS)
        of_environment = catalog.matches.get(environment_key(environment_id), NO_IDS)
    fewer = min(of_deployment, of_environment, key=len)
    look_at: dict[str, None] = {}
    if singles is None:
        look_at = {**dict.fromkeys(fewer), **dict.fromkeys(there)}
    else:
        for changed in singles:
            # What appears is matched by both sides, what vanishes is there: so the shortest of the lists is gone through.
            if len(changed) <= len(fewer) + len(there):
                look_at.update(dict.fromkeys(changed))
            else:
                look_at.update((one, None) for one in fewer if one in changed)
                look_at.update((one, None) for one in there if one in changed)
    changes = []
    for one in look_at:
        matched = one in of_deployment and one in of_environment
        if matched != (one in there):
            changes.append((one, matched))
    return sorted(changes)


def _delta(pair: _PairIds, changes: Sequence[tuple[str, bool]]) -> TargetsChanged:
    return TargetsChanged(
        deployment_id=pair[0],
        environment_id=pair[1],
        added=tuple(one for one, appears in changes if appears),
        removed=tuple(one for one, appears in changes if not appears),
    )
