"""Inventory, wired: what the host or the simulation runs."""

from __future__ import annotations

from typing import Final

from libs.runtime.service import Service
from services.inventory import commands, variable_sets, variables
from services.inventory.matches import decide_matches
from services.inventory.state import READS, InventoryState, evolve, initial

service: Final[Service[InventoryState]] = Service(
    name="inventory",
    state_version=2,
    reads=READS,
    initial=initial,
    evolve=evolve,
    react=decide_matches,
    commands={**commands.COMMANDS, **variables.COMMANDS, **variable_sets.COMMANDS},
)
