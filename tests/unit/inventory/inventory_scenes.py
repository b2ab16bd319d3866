"""An inventory alone in a world: what planner would say is given as facts."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, uuid5

from contracts.commands.inventory import ResourceInput, SaveProvider, SaveResource, SetProviderResources
from contracts.fact import Fact
from contracts.facts.inventory import MatchesChanged, ResourceDeleted, ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved
from libs.simulation.world import World
from services.inventory.app import service


def uid(name: str) -> str:
    """A uuid that is the same in every run."""
    return str(uuid5(NAMESPACE_OID, name))


D, E = uid("deployment"), uid("environment")


def item(identifier: str, **fields: Any) -> ResourceInput:
    """A cluster as a client describes it."""
    return ResourceInput(**{"identifier": identifier, "name": identifier, "kind": "Cluster", "version": "v1", **fields})


class Scene:
    """A workspace; `provider()` makes providers, `save()` single resources."""

    def __init__(self) -> None:
        self.world = World([service])

    def provider(self, name: str = "sync") -> str:
        """The id of a provider, made when it is new."""
        provider_id: str = self.world.ask(SaveProvider(name=name))["id"]
        return provider_id

    def sync(self, provider_id: str, *items: ResourceInput) -> dict[str, int]:
        """A provider tells everything that it has; returns the counts."""
        counts: dict[str, int] = self.world.ask(SetProviderResources(provider_id=provider_id, resources=items))
        return counts

    def save(self, identifier: str, **fields: Any) -> str:
        """Save one resource by hand; returns its id."""
        resource_id: str = self.world.ask(SaveResource(resource=item(identifier, **fields)))["id"]
        return resource_id

    def deployment(self, selector: str, **fields: Any) -> None:
        """Planner saves the deployment."""
        fact = DeploymentSaved(
            **{"deployment_id": D, "name": "api", "resource_selector": selector, "created_at": self.world.now, **fields}
        )
        self.happen(fact)

    def environment(self, selector: str) -> None:
        """Planner saves the environment."""
        self.happen(EnvironmentSaved(environment_id=E, name="prod", resource_selector=selector, created_at=self.world.now))

    def happen(self, *facts: Fact) -> None:
        """Other services tell something, and inventory acts."""
        self.world.record(*facts)
        self.world.run()

    def there(self) -> dict[str, ResourceSaved]:
        """The resources that exist, by identifier, as the facts say."""
        there: dict[str, ResourceSaved] = {}
        for one in self.world.log:
            match one.fact:
                case ResourceSaved() as fact:
                    there[fact.identifier] = fact
                case ResourceDeleted() as fact:
                    assert there.pop(fact.identifier).resource_id == fact.resource_id
        return there

    def matched(self, entity_id: str = D) -> set[str]:
        """The resources that an entity's selector matches, as the facts say."""
        matched: set[str] = set()
        for fact in self.world.facts(MatchesChanged):
            if fact.entity_id == entity_id:
                assert not matched & set(fact.added), "what matches is not added again"
                assert matched >= set(fact.removed), "what does not match is not removed"
                matched = (matched | set(fact.added)) - set(fact.removed)
        return matched
