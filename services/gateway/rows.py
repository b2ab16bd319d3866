"""Changes to the read tables, as data: what one fact does to rows, and what a run of facts does to them together. Pure.

A row is a JSON document under (workspace, table, id). Keys that begin with `$` are for the gateway's own look-ups and never leave it.
Each row also has `since`, the position of the fact that made it, which orders rows of equal time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from contracts.shapes import Json

Table = Literal[
    "system",
    "link",
    "deployment",
    "deployment_variable",
    "deployment_variable_value",
    "environment",
    "provider",
    "resource",
    "resource_variables",
    "variable_set",
    "relationship_rule",
    "version",
    "dependency",
    "agent",
    "policy",
    "freeze",
    "freeze_override",
    "skip",
    "release",
    "target",
    "pin",
    "mark",
    "job",
    "workflow",
    "workflow_run",
    "plan",
    "plan_target",
    "plan_result",
    "plan_text",
    "verification",
    "measurement",
    "history",
]

FIELDS: dict[Table, frozenset[str]] = {
    "system": frozenset(),
    "link": frozenset({"systemId", "$entity"}),
    "deployment": frozenset({"name"}),
    "deployment_variable": frozenset({"deploymentId"}),
    "deployment_variable_value": frozenset({"deploymentVariableId", "$deployment"}),
    "environment": frozenset({"name"}),
    "provider": frozenset({"name"}),
    "resource": frozenset({"identifier", "providerId"}),
    "resource_variables": frozenset(),
    "variable_set": frozenset(),
    "relationship_rule": frozenset(),
    "version": frozenset({"deploymentId"}),
    "dependency": frozenset({"deploymentVersionId", "dependencyDeploymentId"}),
    "agent": frozenset(),
    "policy": frozenset(),
    "freeze": frozenset({"$state"}),
    "freeze_override": frozenset({"freezeId"}),
    "skip": frozenset({"versionId", "environmentId", "resourceId"}),
    "release": frozenset(),
    "target": frozenset({"$pair", "$resource", "$gone"}),
    "pin": frozenset({"$deployment", "$environment"}),
    "mark": frozenset({"$target", "$deployment", "$environment"}),
    "job": frozenset({"$target", "$deployment", "$environment", "$run", "jobAgentId", "status", "externalId"}),
    "workflow": frozenset({"slug"}),
    "workflow_run": frozenset({"workflowId"}),
    "plan": frozenset({"$deployment"}),
    "plan_target": frozenset({"$plan", "$deployment"}),
    "plan_result": frozenset({"$plan", "$deployment"}),
    "plan_text": frozenset({"$deployment"}),
    "verification": frozenset({"jobId"}),
    "measurement": frozenset({"$series"}),
    "history": frozenset({"$of"}),
}
"""Every table, and the top-level keys by which its rows may be looked up (each selective one has an index)."""

TABLES: tuple[Table, ...] = tuple(FIELDS)


@dataclass(frozen=True, slots=True)
class Put:
    """The row is this document now."""

    table: Table
    id: str
    doc: Json


@dataclass(frozen=True, slots=True)
class Merge:
    """The row gets these top-level keys; it is made when it is not there. Keys of `first` are set only where the row lacks them."""

    table: Table
    id: str
    doc: Json
    first: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delete:
    """The row is gone."""

    table: Table
    id: str


@dataclass(frozen=True, slots=True)
class DeleteWhere:
    """All rows whose key has this value are gone."""

    table: Table
    field: str
    value: str


Patch = Put | Merge | Delete | DeleteWhere


@dataclass(frozen=True, slots=True)
class Change:
    """A patch and the position of the fact it comes from."""

    position: int
    patch: Patch


@dataclass(slots=True)
class Step:
    """What a run of changes comes to, at most one operation per row.

    Attributes:
        where: done first.
        deletes: rows to remove, done before the others; a row that was removed and made again is in here and in `puts`.
        puts: (since, document) by row.
        merges: (since, first, document) by row.
    """

    where: DeleteWhere | None = None
    deletes: dict[Table, set[str]] = field(default_factory=dict)
    puts: dict[Table, dict[str, tuple[int, Json]]] = field(default_factory=dict)
    merges: dict[Table, dict[str, tuple[int, Json, Json]]] = field(default_factory=dict)

    def add(self, position: int, patch: Put | Merge | Delete) -> None:
        """Take one more change of a row, after those that are here."""
        table, row = patch.table, patch.id
        puts = self.puts.setdefault(table, {})
        merges = self.merges.setdefault(table, {})
        match patch:
            case Put():
                known = puts.get(row) or merges.pop(row, None)
                puts[row] = (known[0] if known is not None else position, patch.doc)
            case Merge():
                if (put := puts.get(row)) is not None:
                    puts[row] = (put[0], {**patch.first, **put[1], **patch.doc})
                elif row in self.deletes.get(table, ()):
                    puts[row] = (position, {**patch.first, **patch.doc})
                elif (merge := merges.get(row)) is not None:
                    merges[row] = (merge[0], {**patch.first, **merge[1]}, {**merge[2], **patch.doc})
                else:
                    merges[row] = (position, patch.first, patch.doc)
            case Delete():
                puts.pop(row, None)
                merges.pop(row, None)
                self.deletes.setdefault(table, set()).add(row)


def compact(changes: Iterable[Change]) -> list[Step]:
    """The changes as few set-based steps: one, and another after each `DeleteWhere`."""
    steps = [Step()]
    for change in changes:
        patch = change.patch
        if isinstance(patch, DeleteWhere):
            steps.append(Step(where=patch))
        else:
            steps[-1].add(change.position, patch)
    return steps
