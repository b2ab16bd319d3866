"""How facts change the board. Pure, total, and proportional to what a fact names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from immutables import Map

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts import dispatcher, inventory, planner, policy, verifier
from services.gateway.board import fold_catalog, fold_targets
from services.gateway.board.counting import put
from services.gateway.board.state import Board, Pair, Target, pair_key

F = TypeVar("F", bound=Fact)

Changed = dict[str, Target | None]
_InBoard = Callable[[Board, Any, Recorded], Board]
_InPair = Callable[[Board, Pair, Any, datetime], Changed]

_BOARD: dict[str, _InBoard] = {
    inventory.ResourceSaved.TYPE: fold_catalog.resource_saved,
    inventory.ResourceDeleted.TYPE: fold_catalog.resource_deleted,
    planner.SystemSaved.TYPE: fold_catalog.system_saved,
    planner.SystemDeleted.TYPE: fold_catalog.system_deleted,
    planner.DeploymentSaved.TYPE: fold_catalog.deployment_saved,
    planner.DeploymentDeleted.TYPE: fold_catalog.deployment_deleted,
    planner.EnvironmentSaved.TYPE: fold_catalog.environment_saved,
    planner.EnvironmentDeleted.TYPE: fold_catalog.environment_deleted,
    planner.DeploymentLinked.TYPE: fold_catalog.linked,
    planner.EnvironmentLinked.TYPE: fold_catalog.linked,
    planner.DeploymentUnlinked.TYPE: fold_catalog.unlinked,
    planner.EnvironmentUnlinked.TYPE: fold_catalog.unlinked,
    planner.VersionCreated.TYPE: fold_catalog.version_saved,
    planner.VersionUpdated.TYPE: fold_catalog.version_saved,
    planner.TargetsChanged.TYPE: fold_catalog.targets_changed,
    policy.PolicySaved.TYPE: fold_catalog.policy_saved,
    policy.PolicyDeleted.TYPE: fold_catalog.policy_deleted,
    policy.ApprovalRecorded.TYPE: fold_catalog.approval_recorded,
    policy.FreezeSaved.TYPE: fold_catalog.freeze_saved,
    planner.VersionPinned.TYPE: fold_catalog.pinned,
    planner.PinReleased.TYPE: fold_catalog.unpinned,
}

_PAIR: dict[str, _InPair] = {
    planner.ReleasesCreated.TYPE: fold_targets.wanted,
    planner.RollbackStarted.TYPE: fold_targets.went_back,
    planner.MarkLifted.TYPE: fold_targets.lifted,
    planner.RedeployRequested.TYPE: fold_targets.redeployed,
    policy.RuleEvaluated.TYPE: fold_targets.evaluated,
    policy.TargetsCleared.TYPE: fold_targets.cleared,
    dispatcher.JobCreated.TYPE: fold_targets.job_created,
    dispatcher.JobStatusChanged.TYPE: fold_targets.job_moved,
    dispatcher.DispatchHeld.TYPE: fold_targets.waits_for_a_place,
    policy.VerificationRequired.TYPE: fold_targets.check_required,
    verifier.VerificationStarted.TYPE: fold_targets.check_started,
    verifier.VerificationPassed.TYPE: fold_targets.check_ended,
    verifier.VerificationFailed.TYPE: fold_targets.check_ended,
    verifier.VerificationInconclusive.TYPE: fold_targets.check_ended,
    verifier.VerificationCancelled.TYPE: fold_targets.check_ended,
}

READS: frozenset[str] = frozenset({*_BOARD, *_PAIR})


def evolve(board: Board, recorded: Recorded) -> Board:
    """Fold one fact; total, never refuses."""
    in_board = _BOARD.get(recorded.type)
    if in_board is not None:
        return in_board(board, recorded.fact, recorded)
    in_pair = _PAIR.get(recorded.type)
    if in_pair is None:
        return board
    fact: Any = recorded.fact
    key = pair_key(fact.deployment_id, fact.environment_id)
    pair = board.pairs.get(key)
    if pair is None:
        return board
    changed = in_pair(board, pair, fact, recorded.time)
    if not changed:
        return board
    present: Changed = {}
    absent: Changed = {}
    for one, target in changed.items():
        (present if one in pair.targets else absent)[one] = target
    if absent:
        pair = pair._replace(away=_away(pair.away, absent))
    if present:
        pair = put(pair, present, board.versions, recorded.position, recorded.time)
    board = replace(board, pairs=board.pairs.set(key, pair))
    return fold_catalog.mind_asks(board, pair)


def _away(away: Map[str, Target], changed: Changed) -> Map[str, Target]:
    """What vanished is remembered without anything that was to come."""
    for one, target in changed.items():
        if target is not None:
            away = away.set(one, fold_targets.vanished(target))
    return away
