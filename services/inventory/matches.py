"""Decides which resources the selectors of deployments and environments match; records what changed.

A changed resource is evaluated against each selector once, a changed selector over all resources once, and nothing else is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from immutables import Map

from contracts.envelope import Recorded
from contracts.facts.inventory import MatchesChanged, ResourceDeleted, ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved
from contracts.shapes import Json
from libs.cel import contexts
from libs.cel.problems import CelProblems
from libs.runtime.service import Draft
from services.inventory.state import InventoryState

IDS_PER_FACT: Final = 2_000

_NONE: Final[Map[str, bool]] = Map()


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
    if not resources and not selectors:
        return ()
    drafts: list[Draft] = []
    for entity in sorted(state.selectors if resources else selectors):
        known = state.matches.get(entity, _NONE)
        look_at: Iterable[str] = resources
        if entity in selectors:
            look_at = {**dict.fromkeys(state.resources), **dict.fromkeys(known)}
        matched = _matched(state.selectors[entity].source, look_at, state.resources)
        changes = sorted((one, one in matched) for one in look_at if (one in matched) != (one in known))
        for start in range(0, len(changes), IDS_PER_FACT):
            part = changes[start : start + IDS_PER_FACT]
            cause = selectors.get(entity) or resources[part[0][0]]
            drafts.append(Draft(_delta(entity, part), cause))
    return tuple(drafts)


def _delta(entity: str, changes: Sequence[tuple[str, bool]]) -> MatchesChanged:
    kind, _, entity_id = entity.partition("/")
    which: Literal["deployment", "environment"] = "deployment" if kind == "deployment" else "environment"
    return MatchesChanged(
        entity=which,
        entity_id=entity_id,
        added=tuple(one for one, matches in changes if matches),
        removed=tuple(one for one, matches in changes if not matches),
    )


def _matched(source: str, resource_ids: Iterable[str], resources: Mapping[str, Json]) -> set[str]:
    """Which of these resources exist and match. Only asked "is it in?", so that the order of the set reaches no fact."""
    if source == "false":
        return set()
    existing = [one for one in resource_ids if one in resources]
    if source == "true":
        return set(existing)
    return {existing[row] for row in _filter(source, [resources[one] for one in existing])}


def _filter(source: str, documents: Sequence[Json]) -> Sequence[int]:
    try:
        program = contexts.SELECTOR.compile(source)
    except CelProblems:
        # Selectors are checked when they are saved. One that got past that opens nothing.
        return ()
    return program.filter(documents)
