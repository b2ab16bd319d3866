"""What a fact touches: which rows may read otherwise after it, and which pages want to ask again for what they show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from contracts.envelope import Recorded
from contracts.facts import dispatcher, inventory, planner, policy
from contracts.shapes import Target as Key
from services.gateway.board.standing import PROGRESSION
from services.gateway.board.state import Board, pair_key

_BY_PREFIX: Final = {
    "policy.policy_": "policies",
    "policy.freeze_": "freezes",
    "policy.skip_": "policies",
    "dispatcher.job_agent_": "agents",
    "dispatcher.job_": "jobs",
    "dispatcher.workflow_job_": "jobs",
    "inventory.": "resources",
    "planner.version_created": "versions",
    "planner.version_updated": "versions",
    "gateway.": "settings",
}
"""Topics by how the wire type of a fact begins; the first that fits."""
_IDS: Final = {
    "policies": ("policy_id", "skip_id"),
    "freezes": ("freeze_id",),
    "agents": ("agent_id",),
    "jobs": ("job_id",),
    "resources": ("resource_id", "provider_id", "rule_id"),
    "versions": ("version_id",),
    "settings": (),
}
_CATALOG: Final = frozenset(
    one.TYPE
    for one in (
        planner.SystemSaved, planner.SystemDeleted, planner.DeploymentSaved, planner.DeploymentDeleted, planner.EnvironmentSaved,
        planner.EnvironmentDeleted, planner.DeploymentLinked, planner.DeploymentUnlinked, planner.EnvironmentLinked,
        planner.EnvironmentUnlinked, planner.VersionCreated, planner.VersionUpdated, policy.PolicySaved, policy.PolicyDeleted,
    )
)  # fmt: skip
"""Facts that may change rows and columns, or their order."""


class Touched:
    """What some facts touched, together.

    Attributes:
        catalog: whether rows and columns are to be looked at again.
        pairs: keys of cells.
        asks: keys of cells whose approvals are.
        targets: resource ids by key of the cell.
        told: cells of which all targets may read otherwise.
        said: ids of policies and freezes, and types of rules, of which the words may have changed that cells use for them.
        others: (topic, id) of what pages ask for again; targets are in `targets`.
    """

    __slots__ = ("asks", "catalog", "others", "pairs", "said", "targets", "told")

    def __init__(self) -> None:
        self.catalog = False
        self.said: set[str] = set()
        self.pairs: set[str] = set()
        self.asks: set[str] = set()
        self.told: set[str] = set()
        self.targets: dict[str, set[str]] = {}
        self.others: set[tuple[str, str]] = set()

    def take(self, recorded: Recorded, before: Board, after: Board) -> None:
        """Add what a fact touched. It costs no more than the fact names."""
        fact: Any = recorded.fact
        self.catalog |= recorded.type in _CATALOG
        deployment_id: str = getattr(fact, "deployment_id", "") or ""
        environment_id: str = getattr(fact, "environment_id", "") or ""
        if deployment_id and environment_id:
            self._in_pair(fact, pair_key(deployment_id, environment_id))
        self._others(recorded.type, fact)
        match fact:
            case planner.DeploymentDeleted() | planner.EnvironmentDeleted():
                places = before.places.get(deployment_id or environment_id, ())
                self.pairs.update(places)
                self.asks.update(places)
                self.told.update(places)
                if environment_id:
                    self.said.add(PROGRESSION)
            case planner.DeploymentSaved() | planner.EnvironmentSaved():
                # Its cells are shown again where its id returned; its approvals name it.
                places = after.places.get(deployment_id or environment_id, ())
                self.pairs.update(places)
                self.asks.update(places)
                if environment_id:
                    self.said.add(PROGRESSION)
            case planner.VersionCreated() | planner.VersionUpdated():
                places = after.places.get(deployment_id, ())
                known = before.versions.get(fact.version_id)
                if known is not None:
                    self.pairs.update(places)
                    self.asks.update(places)
                    if known.tag != fact.tag:
                        self.told.update(places)
            case policy.PolicySaved() | policy.PolicyDeleted():
                self.said.add(fact.policy_id)
            case policy.FreezeSaved():
                self.said.add(fact.freeze_id)
            case policy.ApprovalRecorded():
                version = after.versions.get(fact.version_id)
                if version is not None:
                    key = pair_key(version.deployment_id, environment_id)
                    self.pairs.add(key)
                    self.asks.add(key)
            case inventory.ResourceSaved() | inventory.ResourceDeleted():
                for key in after.places.get(fact.resource_id, ()):
                    self.targets.setdefault(key, set()).add(fact.resource_id)

    def _in_pair(self, fact: Any, key: str) -> None:
        self.pairs.add(key)
        ids = set(resources_of(fact))
        if ids:
            self.targets.setdefault(key, set()).update(ids)
        if isinstance(fact, planner.VersionPinned | planner.PinReleased) and fact.resource_id is None:
            self.told.add(key)
        self.asks.add(key)

    def find_said(self, board: Board) -> None:
        """Name the cells of which the words may have changed. One look at the rules that hold each cell, for all such facts together."""
        if not self.said:
            return
        said = self.said
        for key, pair in board.pairs.items():
            if any(one.policy_id in said or one.rule_id in said or one.rule_type in said for one in pair.held):
                self.pairs.add(key)
                self.asks.add(key)
                self.told.add(key)
        self.said = set()

    def _others(self, type_: str, fact: Any) -> None:
        for name in ("deployment", "version", "job"):
            one = getattr(fact, f"{name}_id", None)
            if one:
                self.others.add((name, one))
        topic = next((topic for prefix, topic in _BY_PREFIX.items() if type_.startswith(prefix)), None)
        if topic is not None:
            ids = (getattr(fact, name, None) for name in _IDS[topic])
            self.others.add((topic, next((one for one in ids if one), "")))


def resources_of(fact: Any) -> Iterator[str]:
    """The targets that a fact about a cell names."""
    one = getattr(fact, "resource_id", None)
    if one:
        yield one
    match fact:
        case planner.TargetsChanged():
            yield from fact.added
            yield from fact.removed
        case planner.ReleasesCreated() | planner.RedeployRequested() | dispatcher.DispatchHeld():
            yield from (item.resource_id for item in fact.items)
        case planner.MarkLifted() | policy.TargetsCleared() | policy.VersionSuperseded():
            yield from fact.resource_ids
        case policy.ClearanceWithdrawn() if fact.resource_ids is not None:
            yield from fact.resource_ids
        case policy.RuleEvaluated():
            for group in fact.groups:
                yield from group.resource_ids


def target_topic(pair_key_: str, resource_id: str) -> str:
    """The key of a release target, by cell and resource."""
    deployment_id, _, environment_id = pair_key_.partition("/")
    return Key(resource_id, environment_id, deployment_id).key
