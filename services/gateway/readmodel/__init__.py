"""One recorded fact → what it does to the read tables. Pure, total over the facts it names, and blind to all others.

One module per topic; `projection` says what they have in common.
"""

from __future__ import annotations

from services.gateway.readmodel import (
    catalog,
    freezes,
    inventory,
    job_calls,
    jobs,
    plans,
    policies,
    targets,
    verifications,
    workflows,
)
from services.gateway.readmodel.projection import PROJECTIONS, pair_key, patches_of, pin_key

__all__ = [
    "PROJECTED",
    "pair_key",
    "patches_of",
    "pin_key",
    "catalog",
    "freezes",
    "inventory",
    "job_calls",
    "jobs",
    "plans",
    "policies",
    "targets",
    "verifications",
    "workflows",
]

PROJECTED = frozenset(PROJECTIONS)
"""The wire types of every fact that some table shows."""
