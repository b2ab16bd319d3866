"""An inventory with relationship rules; deployments and environments are given as facts."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.command import Refused, Wish
from contracts.commands.inventory import SaveRelationshipRule
from contracts.facts.inventory import (
    RelationsChanged,
    RelationshipRuleDeleted,
    RelationshipRuleSuspended,
    ResourceDeleted,
)
from contracts.facts.planner import DeploymentDeleted, DeploymentSaved, EnvironmentDeleted, EnvironmentSaved
from tests.unit.inventory.inventory_scenes import Scene, uid

VPC_OF_CLUSTER = (
    'from.type == "resource" && to.type == "resource" && from.kind == "Cluster" && to.kind == "VPC" '
    '&& from.metadata["vpc"] == to.metadata["id"]'
)
"""A cluster is related to the VPC that it names."""


def resource(id_: str) -> str:
    """The entity of a resource's id."""
    return f"resource/{id_}"


class RelationScene(Scene):
    """A workspace with rules; `app()` and `stage()` make deployments and environments."""

    def rule(self, cel: str = VPC_OF_CLUSTER, **fields: Any) -> str:
        """Save a relationship rule; returns its id."""
        rule_id = self.save_rule(cel, **fields)
        self.world.run()
        return rule_id

    def save_rule(self, cel: str, **fields: Any) -> str:
        """The same, before anybody acts on it."""
        rule_id: str = self.world.ask(SaveRelationshipRule(**{"name": "vpc", "reference": "vpc", "cel": cel, **fields}))["id"]
        return rule_id

    def cluster(self, name: str, vpc: str, **fields: Any) -> str:
        """A cluster that names its VPC; returns its entity."""
        entity = resource(self.save(name, **{"metadata": {"vpc": vpc}, **fields}))
        self.world.run()
        return entity

    def vpc(self, name: str, id_: str) -> str:
        """A VPC; returns its entity."""
        entity = resource(self.save(name, kind="VPC", metadata={"id": id_}))
        self.world.run()
        return entity

    def app(self, name: str, **fields: Any) -> str:
        """Planner saves a deployment; returns its entity."""
        fact = DeploymentSaved(**{"deployment_id": uid(name), "name": name, "created_at": self.world.now, **fields})
        self.happen(fact)
        return fact.stream

    def stage(self, name: str, **fields: Any) -> str:
        """Planner saves an environment; returns its entity."""
        fact = EnvironmentSaved(**{"environment_id": uid(name), "name": name, "created_at": self.world.now, **fields})
        self.happen(fact)
        return fact.stream

    def deltas(self) -> list[tuple[list[tuple[str, str]], list[tuple[str, str]]]]:
        """(added, removed) of every recorded delta."""
        return [
            ([tuple(one) for one in fact.added], [tuple(one) for one in fact.removed])
            for fact in self.world.facts(RelationsChanged)
        ]

    def related(self, rule_id: str) -> set[tuple[str, str]]:
        """The pairs that a rule relates, as the facts say."""
        pairs: set[tuple[str, str]] = set()
        for one in self.world.log:
            match one.fact:
                case RelationsChanged(rule_id=id_) as fact if id_ == rule_id:
                    assert not pairs & set(map(tuple, fact.added)), "what is related is not added again"
                    assert pairs >= set(map(tuple, fact.removed)), "what is not related is not removed"
                    pairs = (pairs | set(map(tuple, fact.added))) - set(map(tuple, fact.removed))
                case RelationshipRuleDeleted(rule_id=id_) | RelationshipRuleSuspended(rule_id=id_) if id_ == rule_id:
                    pairs = set()
                case ResourceDeleted() | DeploymentDeleted() | EnvironmentDeleted() as gone:
                    pairs = {pair for pair in pairs if gone.stream not in pair}
        return pairs


def refused(scene: Scene, wish: Wish) -> Refused:
    """The refusal of a wish, which appended nothing."""
    before = len(scene.world.log)
    with pytest.raises(Refused) as caught:
        scene.world.ask(wish)
    assert len(scene.world.log) == before
    return caught.value
