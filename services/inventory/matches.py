"""Decides which resources the selectors of deployments and environments match; records what changed.

Only what can have changed is looked at. A changed resource: the selectors that an index of selectors says may match it, and those that
matched it before. A changed selector: the resources that an index of resources says it may match, and those it matched before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from contracts.envelope import Recorded
from contracts.facts.inventory import MatchesChanged, ResourceDeleted, ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved
from libs.cel import DocumentIndex
from libs.runtime.service import Draft
from services.inventory.indexes import DOCUMENTS, SELECTORS, program_of
from services.inventory.state import NOTHING, InventoryState

IDS_PER_FACT: Final = 2_000

FEW: Final = 200
"""So many changed resources are looked up among the selectors one by one; of more, each selector is looked up among them."""

_Change = tuple[str, list[tuple[str, bool]]]
"""An entity, and resource ids with whether the one matches the other now."""


def decide_matches(state: InventoryState, recorded: Sequence[Recorded], now: datetime) -> tuple[Draft, ...]:
    """The deltas of matches that follow from changed resources and selectors, in order of their entities and resource ids."""
    resources: dict[str, Recorded] = {}
    selectors: dict[str, Recorded] = {}
    first = recorded[0].position
    for one in recorded:
        match one.fact:
            case ResourceSaved() | ResourceDeleted() as fact:
                resources[fact.resource_id] = one
            case DeploymentSaved() | EnvironmentSaved() as fact:
                selector = state.selectors.get(fact.stream)
                if selector is not None and selector.changed_at >= first:
                    selectors[fact.stream] = one
    deltas: dict[str, list[tuple[str, bool]]] = {}
    for changes in (_of_resources(state, resources, selectors), _of_selectors(state, selectors)):
        for entity, delta in changes:
            if delta:
                deltas.setdefault(entity, []).extend(delta)
    drafts: list[Draft] = []
    for entity, delta in sorted(deltas.items()):
        delta.sort()
        for start in range(0, len(delta), IDS_PER_FACT):
            part = delta[start : start + IDS_PER_FACT]
            drafts.append(Draft(_fact(entity, part), selectors.get(entity) or resources[part[0][0]]))
    return tuple(drafts)


def _fact(entity: str, changes: Sequence[tuple[str, bool]]) -> MatchesChanged:
    kind, _, entity_id = entity.partition("/")
    which: Literal["deployment", "environment"] = "deployment" if kind == "deployment" else "environment"
    return MatchesChanged(
        entity=which,
        entity_id=entity_id,
        added=tuple(one for one, matches in changes if matches),
        removed=tuple(one for one, matches in changes if not matches),
    )


def _of_selectors(state: InventoryState, entities: Iterable[str]) -> Iterator[_Change]:
    """What changed selectors gained and lost among all resources."""
    for entity in entities:
        known = state.matches.get(entity, NOTHING)
        program = program_of(state.selectors[entity].source)
        matched = DOCUMENTS.of(state.resources).select(program) if program is not None else []
        yield entity, [(one, True) for one in matched if one not in known]
        kept = frozenset(matched)
        yield entity, [(one, False) for one in known if one not in kept]


def _of_resources(
    state: InventoryState, resource_ids: Mapping[str, Recorded], looked_at: Mapping[str, Recorded]
) -> Iterator[_Change]:
    """What changed resources gained and lost, of all selectors but those that are looked at by themselves."""
    if len(resource_ids) > FEW:
        yield from _of_many_resources(state, resource_ids, looked_at)
        return
    for one in resource_ids:
        document = state.resources.get(one)
        matching = SELECTORS.of(state.selectors).matching(document) if document is not None else []
        now, before = dict.fromkeys(matching), dict.fromkeys(state.matched_by.get(one, ()))
        yield from ((entity, [(one, True)]) for entity in now if entity not in before and entity not in looked_at)
        yield from ((entity, [(one, False)]) for entity in before if entity not in now and entity not in looked_at)


def _of_many_resources(
    state: InventoryState, resource_ids: Mapping[str, Recorded], looked_at: Mapping[str, Recorded]
) -> Iterator[_Change]:
    most = len(resource_ids) * 2 > len(state.resources)
    documents = DOCUMENTS.of(state.resources) if most else _index_of(state, resource_ids)
    known: dict[str, dict[str, None]] = {}
    for one in resource_ids:
        for entity in state.matched_by.get(one, ()):
            known.setdefault(entity, {})[one] = None
    entities: dict[str, list[str]] = {}
    for entity, selector in state.selectors.items():
        if entity not in looked_at:
            entities.setdefault(selector.source, []).append(entity)
    for source, alike in entities.items():
        program = program_of(source)
        matched = [one for one in documents.select(program) if one in resource_ids] if program is not None else []
        kept = frozenset(matched)
        for entity in alike:
            before = known.get(entity, {})
            yield entity, [(one, True) for one in matched if one not in before]
            yield entity, [(one, False) for one in before if one not in kept]


def _index_of(state: InventoryState, resource_ids: Iterable[str]) -> DocumentIndex:
    index = DocumentIndex()
    for one in resource_ids:
        document = state.resources.get(one)
        if document is not None:
            index.put(one, document)
    return index
