"""Approvals that are waited for, as rows: a version, an environment and the rule that asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from contracts.documents import stamp
from contracts.shapes import Json
from services.gateway.board.rows import is_shown, newest_of
from services.gateway.board.state import Board, Held, Pair, Why
from services.gateway.board.words import asking_of, counting, told, vote_shown

APPROVALS: Final = "approvals"


def key_of(pair: Pair, ask: Held) -> str:
    """The key of a row. Two policies may have rules of one id."""
    return f"{ask.version_id}/{pair.environment_id}/{ask.policy_id}/{ask.rule_id}"


def rows_of(board: Board, pair: Pair) -> dict[str, Json]:
    """What waits for an approval in a cell, by key."""
    return {key_of(pair, ask): _row(board, pair, ask) for ask in _asks(board, pair)}


def page(board: Board, *, limit: int, offset: int = 0) -> tuple[list[Json], int]:
    """A part of what waits for an approval in the workspace, oldest first, and how much there is. Only the part is put into words."""
    pairs = (board.pairs[key] for key in board.asking)
    found = [(pair.asked_since[ask], key_of(pair, ask), pair, ask) for pair in pairs for ask in _asks(board, pair)]
    found.sort(key=lambda one: one[:2])
    return [_row(board, pair, ask) for _, _, pair, ask in found[offset : offset + limit]], len(found)


def _asks(board: Board, pair: Pair) -> Iterator[Held]:
    if is_shown(board, pair):
        yield from (ask for ask in pair.asked_since if ask.version_id in board.versions)


def _row(board: Board, pair: Pair, ask: Held) -> Json:
    version = board.versions[ask.version_id]
    rule = asking_of(board, ask.policy_id, ask.rule_id)
    policy = board.policies.get(ask.policy_id)
    votes = board.votes.get(f"{ask.version_id}/{pair.environment_id}", ())
    runs = newest_of(board, pair.running)
    row: Json = {
        "key": key_of(pair, ask),
        "version": {
            "versionId": version.version_id,
            "tag": version.tag,
            "name": version.name,
            "createdAt": stamp(version.created_at),
        },
        "deployment": {"id": pair.deployment_id, "name": board.deployments[pair.deployment_id].name},
        "environment": {"id": pair.environment_id, "name": board.environments[pair.environment_id].name},
        "policy": {"id": ask.policy_id, "name": policy.name if policy is not None else ""},
        "ruleId": ask.rule_id,
        "targets": pair.held[ask],
        "running": {"versionId": runs, "tag": board.tag(runs)} if runs else None,
        "needs": rule.needs if rule is not None else 0,
        "counts": len(counting(version, rule, votes)) if rule is not None else 0,
        "groups": list(rule.groups) if rule is not None else [],
        "has": [vote_shown(one) for one in votes],
        "authors": [one.removeprefix("user:") for one in version.authors if one.startswith("user:")],
        "authorMayApprove": rule.author_may_approve if rule is not None else True,
        "approverSelector": rule.approver_selector if rule is not None else "",
        "rejectionBlocks": rule.rejection_blocks if rule is not None else False,
        "since": stamp(pair.asked_since[ask]),
        "others": _others(board, pair, ask),
    }
    return row


def _others(board: Board, pair: Pair, ask: Held) -> list[Json]:
    """What else is in the way of the version there, by rule, and on how many targets."""
    others = sorted(one for one in pair.held if one.version_id == ask.version_id and one != ask)
    return [
        {
            "ruleType": one.rule_type,
            "ruleId": one.rule_id,
            "policyId": one.policy_id,
            "targets": pair.held[one],
            "reason": told(
                board, pair, Why("pending", "hold", one.version_id, one.rule_type, one.policy_id, one.rule_id), timed=False
            ).reason,
        }
        for one in others
    ]
