"""The table that the API is held against: every operation on what is deployed where, its statuses, its answer, its body.

Paths are below `/api/v1/workspaces/{workspaceId}`. Every operation may also answer 400 (the form), 401 (the credential) and 404 (the
workspace, and what its path names); one that takes a body 415. Where the clients in use overrule the published interface, or it says
nothing, the row has a note.
"""

from __future__ import annotations

from typing import Final

from tests.integration.api import (
    rows_of_catalog,
    rows_of_inventory,
    rows_of_jobs,
    rows_of_plans,
    rows_of_policies,
    rows_of_targets,
    rows_of_verifications,
    rows_of_workflows,
)
from tests.integration.api.row import Row

TABLE: Final = (
    *rows_of_catalog.SYSTEMS,
    *rows_of_catalog.DEPLOYMENTS,
    *rows_of_catalog.ENVIRONMENTS,
    *rows_of_catalog.VARIABLES,
    *rows_of_catalog.VERSIONS,
    *rows_of_inventory.RESOURCES,
    *rows_of_inventory.PROVIDERS,
    *rows_of_inventory.RULES,
    *rows_of_inventory.VARIABLE_SETS,
    *rows_of_targets.TARGETS,
    *rows_of_targets.JOBS,
    *rows_of_jobs.ENDS,
    *rows_of_jobs.AGENTS,
    *rows_of_targets.CHOICES,
    *rows_of_verifications.VERIFICATIONS,
    *rows_of_verifications.MARKS,
    *rows_of_plans.PLANS,
    *rows_of_policies.POLICIES,
    *rows_of_policies.FREEZES,
    *rows_of_policies.SKIPS,
    *rows_of_policies.EXPLANATIONS,
    *rows_of_workflows.WORKFLOWS,
)
ROWS: Final = {row.op: row for row in TABLE}
NOUNS: Final = frozenset(row.path.split("/")[1] for row in TABLE)
"""First segments of the paths that the table speaks of."""


def row_of(method: str, path: str) -> Row | None:
    """The operation of a method and a path below the workspace, not yet decoded; None when there is none."""
    parts = path.strip("/").split("/")
    found: list[tuple[int, Row]] = []
    for row in TABLE:
        wanted = row.path.strip("/").split("/")
        if row.method != method or len(wanted) != len(parts):
            continue
        if all(want.startswith("{") or want == part for want, part in zip(wanted, parts, strict=True)):
            found.append((sum(want == part for want, part in zip(wanted, parts, strict=True)), row))
    return max(found, key=lambda one: one[0])[1] if found else None
