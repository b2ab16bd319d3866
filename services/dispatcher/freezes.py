"""What freezes hold of that which needs no clearance: redeployments, and rollbacks where a freeze says so.

Releases are held by policy, which clears none of them. What a person wants, or a rollback, is dispatched without a clearance, so
dispatcher looks at the freezes itself. A freeze in whose selector a key is missing does not hold the target; any other error does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from contracts.documents import deployment_document, environment_document, resource_document
from contracts.shapes import Target
from libs.cel import CelProblems, contexts
from libs.freezes import covers, spell_of
from services.dispatcher.state import Desired, Freeze, Standing, State

_MOST_IN_A_ROW: Final = 1_000
"""Freezes that follow one another without a gap; beyond that the target is looked at once in between."""


def by_hand(state: State, key: str) -> Desired | None:
    """What waits to be dispatched to a target without a clearance; None where nothing does."""
    standing = state.targets.get(key)
    if standing is None or not standing.exists or standing.active or standing.desired is None:
        return None
    desired = standing.desired
    target = Target.parse(key)
    assert target is not None, f"a target is named {key}"
    known = target.resource_id in state.resources and target.environment_id in state.environments
    if not known or target.deployment_id not in state.deployments or desired.version_id not in state.versions:
        return None  # deleted: the target is about to vanish
    # What was never dispatched is let through by policy alone, however often it is wanted.
    again = standing.again and (desired.rollback or desired.release_id in state.attempts)
    return desired if again or (desired.rollback and is_new_rollback(state, standing, desired)) else None


def is_new_rollback(state: State, standing: Standing, desired: Desired) -> bool:
    """Whether a rollback was not tried since it was wanted."""
    return standing.newest_job is None or state.jobs[standing.newest_job].position < desired.position


def is_held(state: State, key: str, desired: Desired, now: datetime) -> bool:
    """Whether a freeze holds what is wanted without a clearance."""
    return bool(state.freezes) and bool(_holding(state, key, desired, now, _concerned(state, key, desired)))


def free_at(state: State, key: str, desired: Desired, now: datetime) -> datetime | None:
    """When time alone lets go what freezes hold at an instant; None for never, and for what they do not hold."""
    freezes = _concerned(state, key, desired) if state.freezes else []
    at = now
    for _ in range(_MOST_IN_A_ROW):
        holding = _holding(state, key, desired, at, freezes)
        if not holding:
            break
        ends = [end for end in holding if end is not None]
        if len(ends) < len(holding):
            return None
        at = max(ends)
    return at if at > now else None


def _holding(state: State, key: str, desired: Desired, now: datetime, freezes: list[Freeze]) -> list[datetime | None]:
    """Until when each freeze holds that does so at an instant, and that nobody lets this version pass."""
    target = Target.parse(key)
    assert target is not None, f"a target is named {key}"
    found: list[datetime | None] = []
    for freeze in freezes:
        spell = spell_of(freeze.saved, now)
        passes = any(
            one.version_id == desired.version_id
            and one.expires_at > now
            and one.environment_id in (None, target.environment_id)
            and one.resource_id in (None, target.resource_id)
            for one in freeze.overrides
        )
        if spell.holds and not passes:
            found.append(spell.until)
    return found


def _concerned(state: State, key: str, desired: Desired) -> list[Freeze]:
    """The freezes whose scope takes in a target and that hold such a dispatch: a rollback that nobody asked for again passes most."""
    target = Target.parse(key)
    assert target is not None, f"a target is named {key}"
    rollback = desired.rollback and not state.targets[key].again
    systems = state.links.get(target.deployment_id, frozenset()) & state.links.get(target.environment_id, frozenset())
    return [
        freeze
        for freeze_id in sorted(state.freezes)
        if (freeze := state.freezes[freeze_id]).saved.holds_rollbacks or not rollback
        if covers(freeze.saved, target.deployment_id, target.environment_id, systems) and _picks(state, freeze, target)
    ]


def _picks(state: State, freeze: Freeze, target: Target) -> bool:
    if freeze.saved.selector is None:
        return True
    resource = state.resources.get(target.resource_id)
    deployment = state.deployments.get(target.deployment_id)
    environment = state.environment_documents.get(target.environment_id)
    try:
        verdict = contexts.TARGET.compile(freeze.saved.selector).verdict(
            resource=resource_document(state.workspace_id, resource.fact) if resource is not None else {},
            deployment=deployment_document(state.deployment(deployment)) if deployment is not None else {},
            environment=environment_document(state.workspace_id, environment) if environment is not None else {},
        )
    except CelProblems:
        return True
    return verdict.is_match or verdict.is_error
