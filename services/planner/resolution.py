"""Resolves the variables of releases: for each declared key the first source that yields a value.

Sources, in order: the resource's own variable; the deployment variable's values; variable sets. What can not be resolved (a secret, a
reference to nothing, a value that is too large) is passed over, and a key without any value is absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from contracts.documents import deployment_document, environment_document, resource_document
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentVariableValueSaved
from contracts.shapes import Json, Target
from contracts.values import Reference, reference_of
from libs.cel import CelProblems, Program, contexts
from libs.runtime.ids import derived
from services.planner.inputs import NO_IDS, NO_VALUES, NOTHING, resource_entity
from services.planner.reading import Entity, Unresolvable, literal, read, size_of
from services.planner.state import PlannerState

MAX_VARIABLES_BYTES: Final = 128 * 1024
"""JSON of all variables of one release, so that a fact holds at least one. A value that does not fit beside those of the keys before it
(in alphabetical order) is passed over."""

_RELEASES: Final = "6f2c8f0e-3f0b-5f6b-9d43-7a1c52e0b9d4"
"""The namespace of release ids; it never changes."""

_KINDS: Final = ("resource", "deployment", "environment")
"""Among related entities, those of the first kind come first."""


def release_id(target: Target, version_id: str, variables: Json) -> str:
    """The id of a release is made from its content: the same content is the same release."""
    content = {"target": target.key, "version": version_id, "variables": variables}
    return derived(_RELEASES, orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode())


class Variables(NamedTuple):
    """What a release is made with, and how many bytes of JSON that is. `omitted`: the first keys of which no value fitted."""

    values: Json
    size: int
    omitted: tuple[str, ...] = ()


NO_VARIABLES: Final = Variables({}, 2)

MOST_OMITTED: Final = 20
"""Keys that did not fit which a release names at most."""

LONGEST_OMITTED: Final = 100
"""Characters of such a key that are repeated."""


class _Test:
    """A selector once everything but the resource is known; its answers are kept."""

    def __init__(self, program: Program, about: Json) -> None:
        self.program = program
        self._about = about
        self._answers: dict[str, bool] = {}

    def holds(self, resource_id: str, document: Json) -> bool:
        """Whether it matches; an error is no match."""
        answer = self._answers.get(resource_id)
        if answer is None:
            answer = self._answers[resource_id] = self.program.matches(resource=document, **self._about)
        return answer


class _Value(NamedTuple):
    """A value as it is, with its bytes of JSON, or the reference that it is; unresolvable when neither."""

    literal: Any = None
    size: int = 0
    reference: Reference | None = None


class _Candidate(NamedTuple):
    """A value that may be taken, and what the resource must be like; None: like anything."""

    value: _Value
    test: _Test | None


class _Key(NamedTuple):
    """A declared key, its bytes of JSON with what surrounds it, and what it may be, best first."""

    key: str
    size: int
    candidates: tuple[_Candidate, ...]


class _Set(NamedTuple):
    """A variable set: its values by key, and its selector."""

    values: dict[str, _Value]
    test: _Test


class Resolver:
    """Variables during one decision; shares what targets have in common."""

    def __init__(self, state: PlannerState) -> None:
        self._state = state
        self._inputs = state.inputs
        self._documents: dict[str, Json] = {}
        self._related: dict[tuple[str, str], Entity | None] = {}
        self._values: dict[str, dict[str, tuple[_Candidate, ...]]] = {}
        self._keys: dict[tuple[str, str], tuple[_Key, ...]] = {}
        self._sets: list[_Set] | None = None
        self._rules: dict[str, list[str]] = {}
        for rule_id in sorted(self._inputs.relations):
            self._rules.setdefault(self._inputs.references.get(rule_id, ""), []).append(rule_id)

    def release_of(self, target: Target, version_id: str) -> tuple[str, Variables]:
        """The release that a version has on a target today: its id and its variables."""
        variables = self.variables_of(target)
        return release_id(target, version_id, variables.values), variables

    def variables_of(self, target: Target) -> Variables:
        """The variables of a target's releases; none when its deployment declares none."""
        if target.deployment_id not in self._inputs.variable_ids:
            return NO_VARIABLES
        resource_id = target.resource_id
        saved = self._inputs.resource_variables.get(resource_id)
        own = saved.variables if saved is not None else {}
        values: Json = {}
        size = NO_VARIABLES.size
        omitted: list[str] = []
        for key, key_size, candidates in self._keys_of(target.deployment_id, target.environment_id):
            too_large = False
            for value in self._matching(resource_id, own, key, candidates):
                if value.reference is not None:
                    value = self._follow(resource_id, value.reference)
                if value.size and size + key_size + value.size <= MAX_VARIABLES_BYTES:
                    values[key] = value.literal
                    size += key_size + value.size
                    break
                too_large = too_large or value.size > 0
            if too_large and key not in values:
                omitted.append(key[:LONGEST_OMITTED])
        return Variables(values, size, tuple(omitted[:MOST_OMITTED]))

    # --- candidates ------------------------------------------------------------------------------------------------------------

    def _matching(self, resource_id: str, own: Json, key: str, candidates: Sequence[_Candidate]) -> Iterator[_Value]:
        """The values for a resource, best first: its own, then those of which the selector holds."""
        if key in own:
            yield _value(own[key])
        for value, test in candidates:
            if test is None or test.holds(resource_id, self._document(resource_id)):
                yield value

    def _keys_of(self, deployment_id: str, environment_id: str) -> tuple[_Key, ...]:
        """Declared keys in order: values of the deployment variable, then those of variable sets that may match."""
        pair = (deployment_id, environment_id)
        keys = self._keys.get(pair)
        if keys is None:
            if deployment_id not in self._values:
                self._values[deployment_id] = self._values_of(deployment_id)
            values = self._values[deployment_id]
            sets = self._of_sets(deployment_id, environment_id)
            keys = tuple(_Key(key, size_of(key) + 2, (*values[key], *sets.get(key, ()))) for key in sorted(values))
            self._keys[pair] = keys
        return keys

    def _values_of(self, deployment_id: str) -> dict[str, tuple[_Candidate, ...]]:
        """By declared key: greatest priority first, then lowest id. Selectors know the resource alone."""
        found = {}
        for key, variable_id in self._inputs.variable_ids.get(deployment_id, NO_IDS).items():
            values = sorted(self._inputs.values.get(variable_id, NO_VALUES).values(), key=_rank)
            found[key] = tuple(
                _Candidate(_value(one.value), test)
                for one in values
                if (test := _test(one.resource_selector)) is not None or not one.resource_selector
            )
        return found

    def _of_sets(self, deployment_id: str, environment_id: str) -> dict[str, list[_Candidate]]:
        """By declared key: greatest priority first, then by name and id. Selectors know resource, deployment and environment."""
        declared = self._inputs.variable_ids.get(deployment_id, NO_IDS)
        deployment = self._state.catalog.deployments.get(deployment_id)
        environment = self._state.catalog.environments.get(environment_id)
        about: Json = {
            "deployment": deployment_document(deployment) if deployment is not None else {},
            "environment": environment_document(self._inputs.workspace_id, environment) if environment is not None else {},
        }
        found: dict[str, list[_Candidate]] = {}
        for values, test in self._all_sets():
            wanted = [key for key in values if key in declared]
            if not wanted:
                continue
            program, here = test.program, test
            if program.roots != _RESOURCE_ALONE:
                here = _Test(program, about)
                if "resource" not in program.roots and not here.holds("", {}):
                    continue
            for key in wanted:
                found.setdefault(key, []).append(_Candidate(values[key], here))
        return found

    def _all_sets(self) -> list[_Set]:
        if self._sets is None:
            ordered = sorted(self._inputs.sets.values(), key=lambda one: (-one.priority, one.name, one.set_id))
            self._sets = [
                _Set({item.key: _value(item.value) for item in one.variables}, test)
                for one in ordered
                if (test := _test(one.selector)) is not None
            ]
        return self._sets

    def _document(self, resource_id: str) -> Json:
        document = self._documents.get(resource_id)
        if document is None:
            resource = self._inputs.resources.get(resource_id)
            document = {} if resource is None else resource_document(self._inputs.workspace_id, resource)
            self._documents[resource_id] = document
        return document

    # --- values ----------------------------------------------------------------------------------------------------------------

    def _follow(self, resource_id: str, reference: Reference) -> _Value:
        entity = self._related_to(resource_id, reference.reference)
        if entity is None:
            return _UNRESOLVABLE
        own = self._inputs.resource_variables.get(entity.resource_id) if isinstance(entity, ResourceSaved) else None
        try:
            found = read(entity, reference.path, self._inputs.workspace_id, own.variables if own is not None else {})
            return _Value(found, size_of(found))
        except Unresolvable:
            return _UNRESOLVABLE

    def _related_to(self, resource_id: str, reference: str) -> Entity | None:
        """The first of the entities that rules of this name relate to a resource, whatever the direction."""
        known = (resource_id, reference)
        if known not in self._related:
            mine = resource_entity(resource_id)
            related = [self._inputs.relations[rule_id].get(mine, NOTHING) for rule_id in self._rules.get(reference, ())]
            found = {other: entity for others in related for other in others if (entity := self._entity(other)) is not None}
            self._related[known] = found[min(found, key=lambda other: _place(other, found[other]))] if found else None
        return self._related[known]

    def _entity(self, entity: str) -> Entity | None:
        kind, _, id_ = entity.partition("/")
        match kind:
            case "resource":
                return self._inputs.resources.get(id_)
            case "deployment":
                return self._state.catalog.deployments.get(id_)
            case _:
                return self._state.catalog.environments.get(id_)


_RESOURCE_ALONE: Final = frozenset({"resource"})
_UNRESOLVABLE: Final = _Value()


def _value(value: Any) -> _Value:
    """A value as it was saved."""
    reference = reference_of(value)
    if reference is not None:
        return _Value(reference=reference)
    try:
        return _Value(literal(value), size_of(value))
    except Unresolvable:
        return _UNRESOLVABLE


def _test(selector: str | None) -> _Test | None:
    """A selector, ready to be asked; None when there is none, or it can not be compiled, which only an old one can."""
    if not selector:
        return None
    try:
        return _Test(contexts.TARGET.compile(selector), {})
    except CelProblems:
        return None


def _rank(value: DeploymentVariableValueSaved) -> tuple[int, str]:
    return -value.priority, value.value_id


def _place(name: str, entity: Entity) -> tuple[int, datetime, str]:
    return _KINDS.index(name.partition("/")[0]), entity.created_at, name
