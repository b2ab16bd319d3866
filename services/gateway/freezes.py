"""How a freeze stands at an instant, read from its row. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from contracts.documents import stamp
from contracts.facts.policy import FreezeSaved
from contracts.shapes import Json
from libs.freezes import spell_of
from services.gateway.views import shown


def standing(row: Json, now: datetime, present: Collection[str]) -> Json:
    """A freeze as the API shows it, with whether it holds now.

    Args:
        present: ids of the systems, environments and deployments that are there; what is for another one is dead and holds nothing.
    """
    dead = "scopeId" in row and row["scopeId"] not in present
    doc = {**shown(row), "active": False, "dead": dead}
    if dead or row["$state"] != "open":
        return doc
    spell = spell_of(FreezeSaved.model_validate(row["$fact"]), now)
    doc["active"] = spell.holds
    if spell.next_change is not None:
        doc["nextChange"] = stamp(spell.next_change)
    return doc


def standings(rows: Sequence[Json], now: datetime, present: Collection[str]) -> list[Json]:
    """Several of them, in their order."""
    return [standing(one, now, present) for one in rows]
