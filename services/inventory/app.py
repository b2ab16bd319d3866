"""Inventory, wired: what the host or the simulation runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.envelope import Recorded
from libs.runtime.service import Draft, Service
from services.inventory import commands, relationship_rules, variable_sets, variables
from services.inventory.matches import decide_matches
from services.inventory.relations import decide_relations
from services.inventory.state import READS, InventoryState, evolve, initial


def react(state: InventoryState, recorded: Sequence[Recorded], now: datetime) -> tuple[Draft, ...]:
    """Who matches, then who is related; the one does not bear on the other."""
    return (*decide_matches(state, recorded, now), *decide_relations(state, recorded, now))


service: Final[Service[InventoryState]] = Service(
    name="inventory",
    state_version=2,
    reads=READS,
    initial=initial,
    evolve=evolve,
    react=react,
    commands={**commands.COMMANDS, **variables.COMMANDS, **variable_sets.COMMANDS, **relationship_rules.COMMANDS},
    queries=relationship_rules.QUERIES,
)
