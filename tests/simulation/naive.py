"""What should be true of a workspace, computed from its newest documents alone: everything anew, every time, as plainly as possible.

It is the opposite of how the services work, which is the point: whatever they keep up to date step by step must come to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from contracts.documents import resource_document, stamp
from contracts.envelope import Recorded
from contracts.facts import inventory, planner
from contracts.shapes import Json, Target
from contracts.values import is_object, is_sensitive, reference_of
from libs.cel import Environment, contexts

Ids = tuple[str, ...]
ABSENT = object()


class Documents:
    """The newest documents of a workspace, by id, as its log tells them."""

    def __init__(self, workspace_id: str, log: Iterable[Recorded]) -> None:
        self.workspace_id = workspace_id
        self.resources: dict[str, inventory.ResourceSaved] = {}
        self.resource_variables: dict[str, dict[str, Any]] = {}
        self.sets: dict[str, inventory.VariableSetSaved] = {}
        self.rules: dict[str, inventory.RelationshipRuleSaved] = {}
        self.systems: set[str] = set()
        self.links: set[tuple[str, str]] = set()
        self.deployments: dict[str, planner.DeploymentSaved] = {}
        self.environments: dict[str, planner.EnvironmentSaved] = {}
        self.variables: dict[str, planner.DeploymentVariableSaved] = {}
        self.values: dict[str, planner.DeploymentVariableValueSaved] = {}
        self.versions: dict[str, planner.VersionCreated | planner.VersionUpdated] = {}
        self.pins: dict[tuple[str, str, str | None], str] = {}
        for one in log:
            self._take(one.fact)

    def _take(self, fact: object) -> None:
        match fact:
            case inventory.ResourceSaved():
                self.resources[fact.resource_id] = fact
            case inventory.ResourceDeleted():
                self.resources.pop(fact.resource_id, None)
                self.resource_variables.pop(fact.resource_id, None)
                self.pins = {key: pin for key, pin in self.pins.items() if key[2] != fact.resource_id}
            case inventory.ResourceVariablesSaved():
                self.resource_variables[fact.resource_id] = fact.variables
            case inventory.VariableSetSaved():
                self.sets[fact.set_id] = fact
            case inventory.VariableSetDeleted():
                del self.sets[fact.set_id]
            case inventory.RelationshipRuleSaved():
                self.rules[fact.rule_id] = fact
            case inventory.RelationshipRuleDeleted():
                del self.rules[fact.rule_id]
            case planner.SystemSaved():
                self.systems.add(fact.system_id)
            case planner.SystemDeleted():
                self.systems.discard(fact.system_id)
                self.links = {link for link in self.links if link[0] != fact.system_id}
            case planner.DeploymentLinked():
                self.links.add((fact.system_id, fact.deployment_id))
            case planner.EnvironmentLinked():
                self.links.add((fact.system_id, fact.environment_id))
            case planner.DeploymentUnlinked():
                self.links.discard((fact.system_id, fact.deployment_id))
            case planner.EnvironmentUnlinked():
                self.links.discard((fact.system_id, fact.environment_id))
            case planner.DeploymentSaved():
                self.deployments[fact.deployment_id] = fact
            case planner.DeploymentDeleted():
                del self.deployments[fact.deployment_id]
                self._entity_gone(fact.deployment_id)
                gone = {key for key, one in self.variables.items() if one.deployment_id == fact.deployment_id}
                self.variables = {key: one for key, one in self.variables.items() if key not in gone}
                self.values = {key: one for key, one in self.values.items() if one.variable_id not in gone}
            case planner.EnvironmentSaved():
                self.environments[fact.environment_id] = fact
            case planner.EnvironmentDeleted():
                del self.environments[fact.environment_id]
                self._entity_gone(fact.environment_id)
            case planner.DeploymentVariableSaved():
                self.variables[fact.variable_id] = fact
            case planner.DeploymentVariableDeleted():
                del self.variables[fact.variable_id]
                self.values = {key: one for key, one in self.values.items() if one.variable_id != fact.variable_id}
            case planner.DeploymentVariableValueSaved():
                self.values[fact.value_id] = fact
            case planner.DeploymentVariableValueDeleted():
                del self.values[fact.value_id]
            case planner.VersionCreated() | planner.VersionUpdated():
                self.versions[fact.version_id] = fact
            case planner.VersionPinned():
                self.pins[fact.deployment_id, fact.environment_id, fact.resource_id] = fact.version_id
            case planner.PinReleased():
                self.pins.pop((fact.deployment_id, fact.environment_id, fact.resource_id), None)
            case _:
                pass

    def _entity_gone(self, entity_id: str) -> None:
        self.links = {link for link in self.links if link[1] != entity_id}
        self.pins = {key: pin for key, pin in self.pins.items() if entity_id not in key[:2]}

    # --- who matches, and what the targets are -----------------------------------------------------------------------------------

    def matches(self) -> dict[str, set[str]]:
        """The resources that each deployment's and environment's selector matches, by `deployment/<id>` or `environment/<id>`."""
        found = {}
        for entity in (*self.deployments.values(), *self.environments.values()):
            found[entity.stream] = {
                one for one in self.resources if _true(contexts.SELECTOR, entity.resource_selector, resource=self.resource(one))
            }
        return found

    def targets(self) -> set[Target]:
        """Every resource × environment × deployment where both match and the two share a system."""
        matches = self.matches()
        found = set()
        for deployment_id in self.deployments:
            for environment_id in self.environments:
                if not any((one, deployment_id) in self.links and (one, environment_id) in self.links for one in self.systems):
                    continue
                both = matches[f"deployment/{deployment_id}"] & matches[f"environment/{environment_id}"]
                found |= {Target(one, environment_id, deployment_id) for one in both}
        return found

    # --- who is related to whom --------------------------------------------------------------------------------------------------

    def relations(self) -> dict[str, set[tuple[str, str]]]:
        """The ordered pairs of entities that each relationship rule relates."""
        entities = {entity: self.related_document(entity) for entity in self.entities()}
        return {
            rule_id: {
                (one, other)
                for one, left in entities.items()
                for other, right in entities.items()
                if one != other and _true(contexts.RELATION, rule.cel, **{"from": left, "to": right})
            }
            for rule_id, rule in self.rules.items()
        }

    def entities(self) -> Iterator[str]:
        """All that can be related."""
        yield from (f"resource/{one}" for one in self.resources)
        yield from (f"deployment/{one}" for one in self.deployments)
        yield from (f"environment/{one}" for one in self.environments)

    def related_document(self, entity: str) -> Json:
        """An entity as relationship rules know it."""
        kind, _, id_ = entity.partition("/")
        if kind == "resource":
            one = self.resources[id_]
            document: Json = {"type": kind, "id": id_, "name": one.name, "metadata": one.metadata, "kind": one.kind}
            document |= {"version": one.version, "identifier": one.identifier, "config": one.config}
            document["variables"] = self.resource_variables.get(id_, {})
            if one.provider_id is not None:
                document["providerId"] = one.provider_id
            return document
        entity_ = self.deployments[id_] if kind == "deployment" else self.environments[id_]
        document = {"type": kind, "id": id_, "name": entity_.name, "metadata": entity_.metadata}
        if entity_.description:
            document["description"] = entity_.description
        return document

    # --- which variables, which version ------------------------------------------------------------------------------------------

    def resolved(self, target: Target) -> Json:
        """The variables of a release on a target."""
        found = {}
        for variable in self.variables.values():
            if variable.deployment_id == target.deployment_id:
                value = next(self._candidates(target, variable), ABSENT)
                if value is not ABSENT:
                    found[variable.key] = value
        return found

    def _candidates(self, target: Target, variable: planner.DeploymentVariableSaved) -> Iterator[Any]:
        """Values that can be resolved, the one that counts first."""
        resource = self.resource(target.resource_id)
        own = self.resource_variables.get(target.resource_id, {})
        written = [own[variable.key]] if variable.key in own else []
        values = [one for one in self.values.values() if one.variable_id == variable.variable_id]
        for one in sorted(values, key=lambda one: (-one.priority, one.value_id)):
            if not one.resource_selector or _true(contexts.TARGET, one.resource_selector, resource=resource):
                written.append(one.value)
        around = {
            "resource": resource,
            "deployment": self._deployment(target.deployment_id),
            "environment": self._environment(target.environment_id),
        }
        for one_set in sorted(self.sets.values(), key=lambda one: (-one.priority, one.name, one.set_id)):
            if one_set.selector and _true(contexts.TARGET, one_set.selector, **around):
                written += [item.value for item in one_set.variables if item.key == variable.key]
        for value in written:
            resolved = self._value(target.resource_id, value)
            if resolved is not ABSENT:
                yield resolved

    def _value(self, resource_id: str, value: Any) -> Any:
        reference = reference_of(value)
        if is_sensitive(value):
            return ABSENT
        if reference is None:
            return value
        me = f"resource/{resource_id}"
        names = {rule_id for rule_id, rule in self.rules.items() if rule.reference == reference.reference}
        others = {
            other if one == me else one
            for rule_id, pairs in self.relations().items()
            if rule_id in names
            for one, other in pairs
            if me in (one, other)
        }
        if not others:
            return ABSENT
        return self._field(min(others, key=self._order), reference.path)

    def _order(self, entity: str) -> tuple[int, datetime, str]:
        kind, _, id_ = entity.partition("/")
        documents: Any = {"resource": self.resources, "deployment": self.deployments, "environment": self.environments}[kind]
        return ("resource", "deployment", "environment").index(kind), documents[id_].created_at, id_

    def _field(self, entity: str, path: Ids) -> Any:
        """A field of a related entity, as deep as the histories use it."""
        kind, _, id_ = entity.partition("/")
        if not path:
            return ABSENT
        if path[0].lower() == "metadata":
            documents: Any = {"resource": self.resources, "deployment": self.deployments, "environment": self.environments}[kind]
            metadata = documents[id_].metadata
            return metadata.get(path[1], ABSENT) if len(path) == 2 else {"object": metadata} if len(path) == 1 else ABSENT
        if path[0].lower() == "variables":
            if kind != "resource" or len(path) != 2:
                return ABSENT
            value = self.resource_variables.get(id_, {}).get(path[1], ABSENT)
            return (
                ABSENT
                if reference_of(value) or is_sensitive(value) or (is_object(value) and isinstance(value["object"], list))
                else value
            )
        if path[0].lower() in ("name", "id") and len(path) == 1:
            return self.related_document(entity)[path[0].lower()]
        return ABSENT

    def version(self, target: Target) -> str | None:
        """The version that a target takes where no policy holds anything: its pin, else the newest; None when none is ready."""
        pins = (self.pins.get((target.deployment_id, target.environment_id, scope)) for scope in (target.resource_id, None))
        pinned = next((pin for pin in pins if pin is not None), None)
        ready = [
            one
            for one in self.versions.values()
            if one.deployment_id == target.deployment_id and one.status == "ready" and pinned in (None, one.version_id)
        ]
        newest = max(ready, key=lambda one: (one.created_at, one.version_id), default=None)
        return None if newest is None else newest.version_id

    # --- documents as selectors know them ----------------------------------------------------------------------------------------

    def resource(self, resource_id: str) -> Json:
        """A resource."""
        return resource_document(self.workspace_id, self.resources[resource_id])

    def _deployment(self, deployment_id: str) -> Json:
        one = self.deployments[deployment_id]
        return {"id": deployment_id, "name": one.name, "slug": one.name, "metadata": one.metadata}

    def _environment(self, environment_id: str) -> Json:
        one = self.environments[environment_id]
        created = stamp(one.created_at)
        return {"id": environment_id, "name": one.name, "metadata": one.metadata, "createdAt": created}


def _true(known: Environment, source: str, /, **variables: Any) -> bool:
    return known.compile(source).matches(**variables)
