"""Letting a version pass a rule, and taking that back, which withdraws unused clearances in the same append."""

from __future__ import annotations

from typing import Final, NoReturn
from uuid import UUID, uuid5

from contracts.command import Asked, Refused
from contracts.commands.policy.skips import CreateSkip, DeleteSkip
from contracts.facts.policy import SkipCreated, SkipDeleted
from contracts.shapes import Rule
from libs.runtime.service import Decided, Draft
from services.policy.commands import withdrawn
from services.policy.finding import DEPENDS
from services.policy.freeze_commands import check_place, check_zone
from services.policy.skips import UNSKIPPABLE, gating_kinds, kinds_of
from services.policy.state import State, pair_key

LONGEST_REASON: Final = 2_000
MOST_OF_A_VERSION: Final = 10_000
"""Skips that one version may have: each is looked at for each of its targets."""


def create_skip(wish: CreateSkip, state: State, asked: Asked) -> Decided:
    """Let a version pass one rule.

    Raises:
        Refused: `invalid` with the path, when rule, version, environment or resource are not known, the rule gates no version, or the
            end is not in the future.
    """
    version = state.versions.get(wish.version_id)
    if version is None:
        _refuse("versionId", f"There is no version {wish.version_id}.")
    _check_rule(wish.rule_id, state)
    check_place(wish.environment_id, wish.resource_id, state)
    if len(wish.reason) > LONGEST_REASON:
        _refuse("reason", f"reason has {len(wish.reason)} characters, at most {LONGEST_REASON} are allowed.")
    if wish.expires_at is not None and check_zone("expiresAt", wish.expires_at) <= asked.now:
        _refuse("expiresAt", f"The skip would end at {wish.expires_at.isoformat()}, which is over: give a time in the future.")
    if len(state.skips.get(wish.version_id, ())) >= MOST_OF_A_VERSION:
        _refuse(
            "versionId", f"{version.tag} has {MOST_OF_A_VERSION} skips, which is the most: delete some, or skip the rule for all."
        )
    fact = SkipCreated(
        skip_id=str(uuid5(UUID(asked.id), "skip")),
        version_id=wish.version_id,
        rule_id=wish.rule_id,
        environment_id=wish.environment_id,
        resource_id=wish.resource_id,
        reason=wish.reason.strip(),
        created_by=asked.auth_id,
        expires_at=wish.expires_at,
        created_at=asked.now,
    )
    return Decided((Draft(fact),), {"id": fact.skip_id})


def delete_skip(wish: DeleteSkip, state: State, asked: Asked) -> Decided:
    """Take a skip back.

    Raises:
        Refused: `not_found`.
    """
    version_id = state.skipped.get(wish.skip_id)
    if version_id is None:
        raise Refused("not_found", f"There is no skip {wish.skip_id}.")
    fact = SkipDeleted(skip_id=wish.skip_id)
    version = state.versions.get(version_id)
    saved = next(one.saved for one in state.skips[version_id] if one.saved.skip_id == wish.skip_id)
    environments = (saved.environment_id,) if saved.environment_id is not None else tuple(state.environments)
    keys = [pair_key(version.deployment_id, one) for one in environments] if version is not None else []
    return Decided((Draft(fact), *withdrawn(state, fact, keys, asked)), {"id": wish.skip_id})


def _check_rule(rule_id: str, state: State) -> None:
    if rule_id == DEPENDS.rule_id:
        _refuse("ruleId", "What a version depends on can not be skipped: it would not work without it.")
    rule = _rule(rule_id, state)
    if rule is None:
        _refuse("ruleId", f"No policy has a rule {rule_id}.")
    if not gating_kinds(rule):
        kinds = "; ".join(f"{kind}: {UNSKIPPABLE[kind]}" for kind in kinds_of(rule))
        _refuse("ruleId", f"The rule {rule_id} holds no version, so there is nothing to skip ({kinds}).")


def _rule(rule_id: str, state: State) -> Rule | None:
    rules = (rule for policy in state.policies.values() for rule in policy.saved.rules)
    return next((rule for rule in rules if rule.id == rule_id), None)


def _refuse(name: str, message: str) -> NoReturn:
    raise Refused("invalid", message, code="INVALID_SKIP", details=[{"path": f"/body/{name}", "message": message}])
