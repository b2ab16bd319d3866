"""How facts change what is desired and cleared. Work is proportional to the targets that a fact names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from immutables import Map

from contracts.facts.planner import ReleasesCreated, RollbackStarted, TargetsChanged
from contracts.facts.policy import ClearanceWithdrawn, TargetsCleared
from services.planner.catalog import Catalog
from services.planner.rollouts import EMPTY_PLACE, NO_PAIR, Clearance, Pairs, Place, pair_of, with_pair


def targets_changed(pairs: Pairs, catalog: Catalog, fact: TargetsChanged) -> Pairs:
    """A target that appears starts without anything desired or cleared; one that vanishes loses both."""
    pair = pair_of(pairs, fact.deployment_id, fact.environment_id) or NO_PAIR
    places = pair.places.mutate()
    for one in fact.removed:
        places.pop(one, None)
    for one in fact.added:
        if one not in places:
            places[one] = EMPTY_PLACE
    pairs = with_pair(pairs, fact.deployment_id, fact.environment_id, replace(pair, places=places.finish()))
    return without_unused(pairs, catalog, fact.deployment_id, fact.environment_id)


def located(pairs_of: Map[str, tuple[str, ...]], key: str, fact: TargetsChanged) -> Map[str, tuple[str, ...]]:
    """The pairs of each resource that is part of a target, after targets of one pair changed."""
    new = pairs_of.mutate()
    for one in fact.removed:
        if one in new:
            left = tuple(known for known in new[one] if known != key)
            if left:
                new[one] = left
            else:
                del new[one]
    for one in fact.added:
        known = new.get(one, ())
        if key not in known:
            new[one] = (*known, key)
    return new.finish()


def without_unused(pairs: Pairs, catalog: Catalog, deployment_id: str, environment_id: str) -> Pairs:
    """Drop a pair that has no target, once its deployment or environment is gone."""
    pair = pair_of(pairs, deployment_id, environment_id)
    if pair is None or pair.places or _both_exist(catalog, deployment_id, environment_id):
        return pairs
    return with_pair(pairs, deployment_id, environment_id, None)


def targets_cleared(pairs: Pairs, catalog: Catalog, gate_at: int, fact: TargetsCleared) -> Pairs:
    """Keep the clearance, in place of an older one of the same version; others that count no more are let go."""
    pair = pair_of(pairs, fact.deployment_id, fact.environment_id)
    if pair is None or fact.version_id not in catalog.versions:
        return pairs
    clearance = Clearance(fact.version_id, fact.at, fact.valid_until)
    newest_end = max(gate_at, pair.withdrawn_at)
    places = pair.places.mutate()
    for resource_id in fact.resource_ids:
        place = places.get(resource_id)
        if place is None:
            continue
        kept = [one for one in place.clearances if one.version_id != fact.version_id and one.at >= newest_end]
        places[resource_id] = Place(place.release_id, place.version_id, (*kept, clearance), place.resolved_id)
    return with_pair(pairs, fact.deployment_id, fact.environment_id, replace(pair, places=places.finish()))


def clearance_withdrawn(pairs: Pairs, catalog: Catalog, fact: ClearanceWithdrawn, position: int) -> Pairs:
    """Remember the position alone: whatever was cleared before it counts no more, and policy clears again what still holds."""
    pair = pair_of(pairs, fact.deployment_id, fact.environment_id)
    if pair is None:
        if not _both_exist(catalog, fact.deployment_id, fact.environment_id):
            return pairs
        pair = NO_PAIR
    return with_pair(pairs, fact.deployment_id, fact.environment_id, replace(pair, withdrawn_at=position))


def releases_created(pairs: Pairs, catalog: Catalog, fact: ReleasesCreated) -> Pairs:
    """The releases are desired now; clearances of older versions have had their time.

    So have those of newer versions that were known and yet not picked, because they were rejected or had ended: should such a version
    be fit again, policy judges it anew. Only what was cleared since then is still to be looked at.
    """
    pair = pair_of(pairs, fact.deployment_id, fact.environment_id)
    if pair is None:
        return pairs
    keep = _not_older(catalog, fact.version_id)
    places = pair.places.mutate()
    for item in fact.items:
        place = places.get(item.resource_id)
        if place is not None:
            since = (one for one in place.clearances if one.version_id == fact.version_id or one.at > fact.cleared_at)
            kept = tuple(one for one in since if keep(one))
            places[item.resource_id] = Place(item.release_id, fact.version_id, kept)
    return with_pair(pairs, fact.deployment_id, fact.environment_id, replace(pair, places=places.finish()))


def rollback_started(pairs: Pairs, catalog: Catalog, fact: RollbackStarted) -> Pairs:
    """The last good release is desired again; without one the target stays as it is. The marked version's clearance is over."""
    pair = pair_of(pairs, fact.deployment_id, fact.environment_id)
    place = pair.places.get(fact.resource_id) if pair is not None else None
    if pair is None or place is None:
        return pairs
    over = {fact.version_id, *fact.also_marked}
    kept = tuple(one for one in place.clearances if one.version_id not in over)
    if fact.release_id is None or fact.to_version_id is None:
        place = replace(place, clearances=kept)
    else:
        keep = _not_older(catalog, fact.to_version_id)
        place = Place(fact.release_id, fact.to_version_id, tuple(one for one in kept if keep(one)), fact.resolved_id)
    return with_pair(
        pairs, fact.deployment_id, fact.environment_id, replace(pair, places=pair.places.set(fact.resource_id, place))
    )


def _both_exist(catalog: Catalog, deployment_id: str, environment_id: str) -> bool:
    return deployment_id in catalog.deployments and environment_id in catalog.environments


def _not_older(catalog: Catalog, version_id: str) -> Callable[[Clearance], bool]:
    least = catalog.age_of(version_id)
    answers: dict[str, bool] = {}

    def keep(clearance: Clearance) -> bool:
        answer = answers.get(clearance.version_id)
        if answer is None:
            age = catalog.age_of(clearance.version_id)
            answer = answers[clearance.version_id] = age is not None and (least is None or age >= least)
        return answer

    return keep
