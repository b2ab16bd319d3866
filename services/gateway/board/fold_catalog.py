"""How facts about what exists change the board: entities, links, versions, targets that come and go, policies, approvals, freezes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b
from typing import TypeVar

import orjson
from immutables import Map

from contracts.envelope import Recorded
from contracts.facts import inventory, planner, policy
from services.gateway.board.counting import put
from services.gateway.board.fold_targets import unmarked, vanished
from services.gateway.board.picking import upstream_of
from services.gateway.board.state import (
    Asking,
    Board,
    Named,
    Pair,
    Policy,
    Resource,
    Target,
    Version,
    Vote,
    pair_key,
)

V = TypeVar("V")

Linked = planner.DeploymentLinked | planner.EnvironmentLinked
Unlinked = planner.DeploymentUnlinked | planner.EnvironmentUnlinked


def _without(items: Map[str, V], key: str) -> Map[str, V]:
    return items.delete(key) if key in items else items


# --- resources, systems, deployments, environments ----------------------------------------------------------------------------------


def resource_saved(board: Board, fact: inventory.ResourceSaved, recorded: Recorded) -> Board:
    known = Resource(fact.identifier, fact.name, fact.kind)
    if board.resources.get(fact.resource_id) == known:
        return board
    # How it is called is shown with each of its targets.
    pairs = board.pairs
    for key in board.places.get(fact.resource_id, ()):
        pair = pairs.get(key)
        target = pair.targets.get(fact.resource_id) if pair is not None else None
        if pair is not None and target is not None:
            targets = pair.targets.set(fact.resource_id, target._replace(at=recorded.position))
            pairs = pairs.set(key, pair._replace(targets=targets))
    return replace(board, resources=board.resources.set(fact.resource_id, known), pairs=pairs)


def resource_deleted(board: Board, fact: inventory.ResourceDeleted, recorded: Recorded) -> Board:
    """Targets that it still has vanish with facts of their own; those that vanished before are remembered for nothing now."""
    gone = fact.resource_id
    pairs, places = board.pairs, board.places
    for key in board.places.get(gone, ()):
        pair = pairs.get(key)
        if pair is not None and gone in pair.away:
            pairs = pairs.set(key, pair._replace(away=pair.away.delete(gone)))
            places = _displaced(places, (gone,), key)
    return replace(board, resources=_without(board.resources, gone), pairs=pairs, places=places)


def system_saved(board: Board, fact: planner.SystemSaved, recorded: Recorded) -> Board:
    return replace(board, systems=board.systems.set(fact.system_id, Named(fact.name, fact.created_at)))


def system_deleted(board: Board, fact: planner.SystemDeleted, recorded: Recorded) -> Board:
    homes = board.homes
    for member in board.members.get(fact.system_id, ()):
        homes = _removed(homes, member, fact.system_id)
    return replace(
        board, systems=_without(board.systems, fact.system_id), homes=homes, members=_without(board.members, fact.system_id)
    )


def linked(board: Board, fact: Linked, recorded: Recorded) -> Board:
    member = fact.deployment_id if isinstance(fact, planner.DeploymentLinked) else fact.environment_id
    homes, members = board.homes.get(member, ()), board.members.get(fact.system_id, ())
    if fact.system_id in homes:
        return board
    return replace(
        board,
        homes=board.homes.set(member, (*homes, fact.system_id)),
        members=board.members.set(fact.system_id, (*members, member)),
    )


def unlinked(board: Board, fact: Unlinked, recorded: Recorded) -> Board:
    member = fact.deployment_id if isinstance(fact, planner.DeploymentUnlinked) else fact.environment_id
    return replace(
        board,
        homes=_removed(board.homes, member, fact.system_id),
        members=_removed(board.members, fact.system_id, member),
    )


def deployment_saved(board: Board, fact: planner.DeploymentSaved, recorded: Recorded) -> Board:
    return replace(board, deployments=board.deployments.set(fact.deployment_id, Named(fact.name, fact.created_at)))


def deployment_deleted(board: Board, fact: planner.DeploymentDeleted, recorded: Recorded) -> Board:
    board = _forget(board, fact.deployment_id)
    return replace(board, deployments=_without(board.deployments, fact.deployment_id))


def environment_saved(board: Board, fact: planner.EnvironmentSaved, recorded: Recorded) -> Board:
    named = Named(fact.name, fact.created_at, tuple(sorted(fact.metadata.items())))
    return replace(board, environments=board.environments.set(fact.environment_id, named))


def environment_deleted(board: Board, fact: planner.EnvironmentDeleted, recorded: Recorded) -> Board:
    board = _forget(board, fact.environment_id)
    return replace(board, environments=_without(board.environments, fact.environment_id))


def _forget(board: Board, entity_id: str) -> Board:
    """A deployment or an environment is gone, with its cells and links. Its id may return, with none of what was known of it."""
    pairs, places, asking, homes, members = board.pairs, board.places, board.asking, board.homes, board.members
    for key in board.places.get(entity_id, ()):
        pair = pairs.get(key)
        if pair is not None:
            pairs = pairs.delete(key)
            asking = _without(asking, key)
            places = _displaced(places, (pair.deployment_id, pair.environment_id, *pair.targets, *pair.away), key)
    for system_id in homes.get(entity_id, ()):
        members = _removed(members, system_id, entity_id)
    return replace(board, pairs=pairs, places=places, asking=asking, homes=_without(homes, entity_id), members=members)


# --- versions and targets ------------------------------------------------------------------------------------------------------------


def version_saved(board: Board, fact: planner.VersionCreated | planner.VersionUpdated, recorded: Recorded) -> Board:
    content = _content(fact)
    before = board.versions.get(fact.version_id)
    same = before is not None and before.content == content
    authors = before.authors if before is not None else ()
    if not same and recorded.auth_id not in authors:
        authors = (*authors, recorded.auth_id)
    version = Version(
        fact.version_id, fact.deployment_id, fact.tag, fact.name, fact.status, fact.created_at, content,
        before.content_at if before is not None and same else recorded.position, authors,
    )  # fmt: skip
    newest = board.versions.get(board.newest.get(fact.deployment_id, ""))
    if newest is None or version.rank > newest.rank:
        board = replace(board, newest=board.newest.set(fact.deployment_id, fact.version_id))
    return replace(board, versions=board.versions.set(fact.version_id, version))


def _content(fact: planner.VersionCreated | planner.VersionUpdated) -> str:
    """Tells what would be deployed from other contents."""
    parts = [fact.tag, fact.config, fact.job_agent_config, fact.metadata, fact.dependencies]
    return blake2b(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()


def targets_changed(board: Board, fact: planner.TargetsChanged, recorded: Recorded) -> Board:
    key = pair_key(fact.deployment_id, fact.environment_id)
    pair = board.pairs.get(key)
    if pair is None:
        if not fact.added:
            return board
        pair = Pair(fact.deployment_id, fact.environment_id)
    changed: dict[str, Target | None] = {}
    away, places = pair.away.mutate(), board.places.mutate()
    for one in fact.removed:
        target = pair.targets.get(one)
        if target is None:
            continue
        changed[one] = None
        if one in board.resources:
            away[one] = vanished(target)
        elif (known := _others(places.get(one, ()), key)) != places.get(one, ()):
            if known:
                places[one] = known
            else:
                del places[one]
    for one in fact.added:
        changed[one] = away.pop(one, None) or pair.targets.get(one) or Target()
    for one in (fact.deployment_id, fact.environment_id, *fact.added):
        if key not in places.get(one, ()):
            places[one] = (*places.get(one, ()), key)
    pair = put(pair._replace(away=away.finish()), changed, board.versions, recorded.position, recorded.time)
    return mind_asks(replace(board, pairs=board.pairs.set(key, pair), places=places.finish()), pair)


def pinned(board: Board, fact: planner.VersionPinned, recorded: Recorded) -> Board:
    """A person chose a version; that lifts its mark on a target that is named."""
    return _pin(board, fact, fact.version_id, recorded)


def unpinned(board: Board, fact: planner.PinReleased, recorded: Recorded) -> Board:
    return _pin(board, fact, "", recorded)


def _pin(board: Board, fact: planner.VersionPinned | planner.PinReleased, version_id: str, recorded: Recorded) -> Board:
    key = pair_key(fact.deployment_id, fact.environment_id)
    pair = board.pairs.get(key)
    if pair is None:
        return board
    if fact.resource_id is None:
        return replace(board, pairs=board.pairs.set(key, pair._replace(pin=version_id)))
    target = pair.targets.get(fact.resource_id)
    if target is None:
        return board
    target = (unmarked(target, version_id) if version_id else target)._replace(pin=version_id)
    pair = put(pair, {fact.resource_id: target}, board.versions, recorded.position, recorded.time)
    return replace(board, pairs=board.pairs.set(key, pair))


def mind_asks(board: Board, pair: Pair) -> Board:
    """Keep count of where approvals are waited for."""
    if bool(pair.asked_since) == (pair.key in board.asking):
        return board
    asking = board.asking.set(pair.key, True) if pair.asked_since else board.asking.delete(pair.key)
    return replace(board, asking=asking)


# --- policies, approvals, freezes ------------------------------------------------------------------------------------------------------


def policy_saved(board: Board, fact: policy.PolicySaved, recorded: Recorded) -> Board:
    asks = tuple(
        Asking(
            rule_id=rule.id,
            needs=rule.any_approval.min_approvals,
            groups=tuple(f"{group.min_approvals} of {group.selector}" for group in rule.any_approval.groups),
            approver_selector=rule.any_approval.approver_selector or "",
            author_may_approve=rule.any_approval.author_may_approve is not False,
            expires_after_minutes=rule.any_approval.expires_after_minutes or 0,
            rejection_blocks=bool(rule.any_approval.rejection_blocks),
        )
        for rule in fact.rules
        if rule.any_approval is not None
    )
    here, upstream = upstream_of(fact)
    return replace(board, policies=board.policies.set(fact.policy_id, Policy(fact.name, fact.enabled, asks, here, upstream)))


def policy_deleted(board: Board, fact: policy.PolicyDeleted, recorded: Recorded) -> Board:
    return replace(board, policies=_without(board.policies, fact.policy_id))


def approval_recorded(board: Board, fact: policy.ApprovalRecorded, recorded: Recorded) -> Board:
    key = f"{fact.version_id}/{fact.environment_id}"
    votes = tuple(one for one in board.votes.get(key, ()) if one.user_id != fact.user_id)
    if fact.status != "withdrawn":
        vote = Vote(fact.user_id, fact.user_name, fact.status, fact.reason or "", fact.version_at, fact.decided_at)
        votes = (*votes, vote)
    return replace(board, votes=board.votes.set(key, votes) if votes else _without(board.votes, key))


def freeze_saved(board: Board, fact: policy.FreezeSaved, recorded: Recorded) -> Board:
    return replace(board, freezes=board.freezes.set(fact.freeze_id, fact.reason))


# --- parts -----------------------------------------------------------------------------------------------------------------------------


def _others(items: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(other for other in items if other != one)


def _removed(items: Map[str, tuple[str, ...]], key: str, one: str) -> Map[str, tuple[str, ...]]:
    left = _others(items.get(key, ()), one)
    return items.set(key, left) if left else _without(items, key)


def _displaced(places: Map[str, tuple[str, ...]], ids: Iterable[str], key: str) -> Map[str, tuple[str, ...]]:
    left = places.mutate()
    for one in ids:
        known = _others(left.get(one, ()), key)
        if known:
            left[one] = known
        else:
            left.pop(one, None)
    return left.finish()
