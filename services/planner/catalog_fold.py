"""How facts change the catalog."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from immutables import Map

from contracts.fact import Fact
from contracts.facts.inventory import MatchesChanged
from contracts.facts.planner import (
    DeploymentDeleted,
    DeploymentLinked,
    DeploymentSaved,
    DeploymentUnlinked,
    EnvironmentDeleted,
    EnvironmentLinked,
    EnvironmentSaved,
    EnvironmentUnlinked,
    SystemDeleted,
    SystemSaved,
    VersionCreated,
    VersionUpdated,
)
from services.planner.catalog import NO_IDS, Catalog, deployment_key, environment_key

_V = TypeVar("_V")
_Links = Map[str, Map[str, bool]]

_NO_TAGS: Final[Map[str, str]] = Map()


def _system_saved(catalog: Catalog, fact: SystemSaved) -> Catalog:
    return replace(catalog, systems=catalog.systems.set(fact.system_id, fact))


def _system_deleted(catalog: Catalog, fact: SystemDeleted) -> Catalog:
    systems_of = catalog.systems_of
    for deployment_id in catalog.deployments_of.get(fact.system_id, NO_IDS):
        systems_of = _unlinked(systems_of, deployment_key(deployment_id), fact.system_id)
    for environment_id in catalog.environments_of.get(fact.system_id, NO_IDS):
        systems_of = _unlinked(systems_of, environment_key(environment_id), fact.system_id)
    return replace(
        catalog,
        systems=_without(catalog.systems, fact.system_id),
        deployments_of=_without(catalog.deployments_of, fact.system_id),
        environments_of=_without(catalog.environments_of, fact.system_id),
        systems_of=systems_of,
    )


def _deployment_linked(catalog: Catalog, fact: DeploymentLinked) -> Catalog:
    return replace(
        catalog,
        deployments_of=_linked(catalog.deployments_of, fact.system_id, fact.deployment_id),
        systems_of=_linked(catalog.systems_of, deployment_key(fact.deployment_id), fact.system_id),
    )


def _deployment_unlinked(catalog: Catalog, fact: DeploymentUnlinked) -> Catalog:
    return replace(
        catalog,
        deployments_of=_unlinked(catalog.deployments_of, fact.system_id, fact.deployment_id),
        systems_of=_unlinked(catalog.systems_of, deployment_key(fact.deployment_id), fact.system_id),
    )


def _environment_linked(catalog: Catalog, fact: EnvironmentLinked) -> Catalog:
    return replace(
        catalog,
        environments_of=_linked(catalog.environments_of, fact.system_id, fact.environment_id),
        systems_of=_linked(catalog.systems_of, environment_key(fact.environment_id), fact.system_id),
    )


def _environment_unlinked(catalog: Catalog, fact: EnvironmentUnlinked) -> Catalog:
    return replace(
        catalog,
        environments_of=_unlinked(catalog.environments_of, fact.system_id, fact.environment_id),
        systems_of=_unlinked(catalog.systems_of, environment_key(fact.environment_id), fact.system_id),
    )


def _deployment_saved(catalog: Catalog, fact: DeploymentSaved) -> Catalog:
    before = catalog.deployments.get(fact.deployment_id)
    names = catalog.deployment_ids
    if before is None or before.name != fact.name:
        names = (names if before is None else _without(names, before.name)).set(fact.name, fact.deployment_id)
    return replace(catalog, deployments=catalog.deployments.set(fact.deployment_id, fact), deployment_ids=names)


def _deployment_deleted(catalog: Catalog, fact: DeploymentDeleted) -> Catalog:
    before = catalog.deployments.get(fact.deployment_id)
    key = deployment_key(fact.deployment_id)
    deployments_of = catalog.deployments_of
    for system_id in catalog.systems_of.get(key, NO_IDS):
        deployments_of = _unlinked(deployments_of, system_id, fact.deployment_id)
    # Its versions stay: they belong to it again when a deployment is created under the same id.
    return replace(
        catalog,
        deployments=_without(catalog.deployments, fact.deployment_id),
        deployment_ids=_without(catalog.deployment_ids, before.name) if before else catalog.deployment_ids,
        deployments_of=deployments_of,
        systems_of=_without(catalog.systems_of, key),
        matches=_without(catalog.matches, key),
    )


def _environment_saved(catalog: Catalog, fact: EnvironmentSaved) -> Catalog:
    before = catalog.environments.get(fact.environment_id)
    names = catalog.environment_ids
    if before is None or before.name != fact.name:
        names = (names if before is None else _without(names, before.name)).set(fact.name, fact.environment_id)
    return replace(catalog, environments=catalog.environments.set(fact.environment_id, fact), environment_ids=names)


def _environment_deleted(catalog: Catalog, fact: EnvironmentDeleted) -> Catalog:
    before = catalog.environments.get(fact.environment_id)
    key = environment_key(fact.environment_id)
    environments_of = catalog.environments_of
    for system_id in catalog.systems_of.get(key, NO_IDS):
        environments_of = _unlinked(environments_of, system_id, fact.environment_id)
    return replace(
        catalog,
        environments=_without(catalog.environments, fact.environment_id),
        environment_ids=_without(catalog.environment_ids, before.name) if before else catalog.environment_ids,
        environments_of=environments_of,
        systems_of=_without(catalog.systems_of, key),
        matches=_without(catalog.matches, key),
    )


def _version_created(catalog: Catalog, fact: VersionCreated) -> Catalog:
    # Kept as the fact that would save it again, so that there is one kind of document; its parts are shared, not copied.
    return _version_saved(catalog, VersionUpdated.model_construct(**dict(fact)))


def _version_saved(catalog: Catalog, fact: VersionUpdated) -> Catalog:
    before = catalog.versions.get(fact.version_id)
    tags = catalog.version_ids.get(fact.deployment_id, _NO_TAGS)
    if before is None or before.tag != fact.tag:
        tags = (tags if before is None else _without(tags, before.tag)).set(fact.tag, fact.version_id)
    return replace(
        catalog,
        versions=catalog.versions.set(fact.version_id, fact),
        version_ids=catalog.version_ids.set(fact.deployment_id, tags),
    )


def _matches_changed(catalog: Catalog, fact: MatchesChanged) -> Catalog:
    entities = catalog.deployments if fact.entity == "deployment" else catalog.environments
    if fact.entity_id not in entities:
        # Decided before the entity's deletion was folded, recorded after it.
        return catalog
    new = catalog.matches.get(fact.stream, NO_IDS).mutate()
    for one in fact.added:
        new[one] = True
    for one in fact.removed:
        new.pop(one, None)
    return replace(catalog, matches=catalog.matches.set(fact.stream, new.finish()))


def _linked(links: _Links, one: str, other: str) -> _Links:
    return links.set(one, links.get(one, NO_IDS).set(other, True))


def _unlinked(links: _Links, one: str, other: str) -> _Links:
    left = _without(links.get(one, NO_IDS), other)
    return links.set(one, left) if left else _without(links, one)


def _without(map_: Map[str, _V], key: str) -> Map[str, _V]:
    return map_.delete(key) if key in map_ else map_


FOLDS: Final[Mapping[type[Fact], Callable[[Catalog, Any], Catalog]]] = {
    SystemSaved: _system_saved,
    SystemDeleted: _system_deleted,
    DeploymentLinked: _deployment_linked,
    DeploymentUnlinked: _deployment_unlinked,
    EnvironmentLinked: _environment_linked,
    EnvironmentUnlinked: _environment_unlinked,
    DeploymentSaved: _deployment_saved,
    DeploymentDeleted: _deployment_deleted,
    EnvironmentSaved: _environment_saved,
    EnvironmentDeleted: _environment_deleted,
    VersionCreated: _version_created,
    VersionUpdated: _version_saved,
    MatchesChanged: _matches_changed,
}
"""How each fact about the catalog changes it."""
