"""Freezing, changing a freeze, thawing it, and letting one version pass. Whatever freezes withdraws unused clearances in the same append."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from contracts.command import Asked, Refused
from contracts.commands.policy.freezes import OverrideFreeze, SaveFreeze, ThawFreeze
from contracts.facts.policy import FreezeOverridden, FreezeSaved, FreezeThawed
from libs.cel import CelProblems, contexts
from libs.recurrence import MalformedRule, read_recurrence
from libs.runtime.service import Decided, Draft
from services.policy.commands import withdrawn
from services.policy.freezes import is_dead
from services.policy.state import Freeze, State

LONGEST_REASON: Final = 2_000
LONGEST_LINK: Final = 2_000
LONGEST_SELECTOR: Final = 10_000
_OPTIONAL: Final = ("selector", "link", "rrule", "timezone")
"""Texts that are taken away by changing them to an empty one."""


def save_freeze(wish: SaveFreeze, state: State, asked: Asked) -> Decided:
    """Freeze a scope, or change a freeze; a change that changes nothing appends nothing.

    Raises:
        Refused: `invalid` with the path, when the scope is not known, the end is not after the start, the reason is blank, or selector,
            rule, zone or link make no sense; `not_found`; `conflict`, when the freeze was thawed.
    """
    before = _unthawed(state, wish.freeze_id).saved if wish.freeze_id is not None else None
    said = wish.model_dump(exclude={"freeze_id", "without_end"}, exclude_none=True)
    if wish.without_end:
        said["ends_at"] = None
    if wish.scope is not None and wish.scope_id is None:
        said["scope_id"] = None  # another scope is no longer for what the one before was for
    given = {**(_document(before) if before is not None else {"scope": "workspace", "starts_at": asked.now}), **said}
    for name in _OPTIONAL:
        given[name] = (given.get(name) or "").strip() or None
    if given["rrule"] is None and before is not None and wish.rrule is not None:
        given["duration_minutes"] = given["timezone"] = None
    fact = FreezeSaved(
        **{**given, "reason": (given.get("reason") or "").strip()},
        freeze_id=before.freeze_id if before is not None else str(uuid5(UUID(asked.id), "freeze")),
        created_by=before.created_by if before is not None else asked.auth_id,
        created_at=before.created_at if before is not None else asked.now,
    )
    _check_text(fact)
    _check_scope(fact, state, before)
    _check_times(fact, asked, before)
    answer = {"id": fact.freeze_id}
    if fact == before:
        return Decided(answer=answer)
    return Decided((Draft(fact), *withdrawn(state, fact, state.pairs, asked)), answer)


def thaw_freeze(wish: ThawFreeze, state: State, asked: Asked) -> Decided:
    """End a freeze now; one that was thawed stays so, and nothing is appended.

    Raises:
        Refused: `not_found`; `invalid`, when the reason is too long.
    """
    answer = {"id": wish.freeze_id}
    if wish.freeze_id in state.thawed:
        return Decided(answer=answer)
    _unthawed(state, wish.freeze_id)
    _check_length("reason", wish.reason, LONGEST_REASON)
    fact = FreezeThawed(freeze_id=wish.freeze_id, reason=wish.reason.strip(), thawed_by=asked.auth_id, thawed_at=asked.now)
    return Decided((Draft(fact),), answer)


def override_freeze(wish: OverrideFreeze, state: State, asked: Asked) -> Decided:
    """Let one version pass a freeze until an instant.

    Raises:
        Refused: `not_found`, when there is no such freeze; `conflict`, when it was thawed; `invalid` with the path, when version,
            environment or resource are not known, the reason is blank or the end is not in the future.
    """
    _unthawed(state, wish.freeze_id)
    if wish.version_id not in state.versions:
        _refuse("versionId", f"There is no version {wish.version_id}.")
    check_place(wish.environment_id, wish.resource_id, state)
    if not wish.reason.strip():
        _refuse("reason", "Say why this version may pass the freeze: the reason is blank.")
    _check_length("reason", wish.reason, LONGEST_REASON)
    if check_zone("expiresAt", wish.expires_at) <= asked.now:
        _refuse(
            "expiresAt", f"The override would end at {wish.expires_at.isoformat()}, which is over: give a time in the future."
        )
    fact = FreezeOverridden(
        freeze_id=wish.freeze_id,
        override_id=str(uuid5(UUID(asked.id), "override")),
        version_id=wish.version_id,
        environment_id=wish.environment_id,
        resource_id=wish.resource_id,
        reason=wish.reason.strip(),
        created_by=asked.auth_id,
        expires_at=wish.expires_at,
        created_at=asked.now,
    )
    return Decided((Draft(fact),), {"id": fact.override_id})


def check_place(environment_id: str | None, resource_id: str | None, state: State) -> None:
    """Raises: Refused: `invalid`, when the environment or the resource that something is for is not known."""
    if environment_id is not None and environment_id not in state.environments:
        _refuse("environmentId", f"There is no environment {environment_id}.")
    if resource_id is not None and resource_id not in state.resources:
        _refuse("resourceId", f"There is no resource {resource_id}.")


def check_zone(name: str, at: datetime) -> datetime:
    """A time that was given. Raises: Refused: `invalid`, when it has no zone, or none that lies in our calendar."""
    if at.tzinfo is None:
        _refuse(name, f"{name} has no time zone; write it as 2026-01-02T03:04:05Z.")
    if not 1970 <= at.year < 9999:
        _refuse(name, f"{name} is {at.isoformat()}; write a time from 1970 to 9998.")
    return at


def _unthawed(state: State, freeze_id: str) -> Freeze:
    freeze = state.freezes.get(freeze_id)
    if freeze is not None:
        return freeze
    if freeze_id in state.thawed:
        raise Refused("conflict", f"The freeze {freeze_id} was thawed and is changed no more; make a new one.")
    raise Refused("not_found", f"There is no freeze {freeze_id}.")


def _document(before: FreezeSaved) -> dict[str, Any]:
    return before.model_dump(exclude={"freeze_id", "created_by", "created_at"})


def _check_text(fact: FreezeSaved) -> None:
    if not fact.reason:
        _refuse("reason", "Say why: the reason of a freeze is what people read who are held by it.")
    _check_length("reason", fact.reason, LONGEST_REASON)
    if fact.link is not None:
        _check_length("link", fact.link, LONGEST_LINK)
        try:
            is_link = urlsplit(fact.link).scheme in ("http", "https") and bool(urlsplit(fact.link).netloc)
        except ValueError:
            is_link = False
        if not is_link:
            _refuse("link", f"{fact.link[:80]!r} is no link; it begins with https:// or http://.")
    if fact.selector is not None:
        _check_length("selector", fact.selector, LONGEST_SELECTOR)
        check_selector(fact.selector)


def _check_length(name: str, text: str, most: int) -> None:
    if len(text) > most:
        _refuse(name, f"{name} has {len(text)} characters, at most {most} are allowed.")


def check_selector(selector: str) -> None:
    """Raises: Refused: `invalid`, when it can not be read, or looks at the version."""
    try:
        program = contexts.TARGET.compile(selector)
    except CelProblems as problems:
        _refuse("selector", f"The selector can not be read: {problems}")
    if "version" in program.roots:
        _refuse("selector", "A freeze holds every version: its selector may look at resource, deployment and environment alone.")


def check_scope(scope: str, scope_id: str | None, state: State) -> None:
    """Raises: Refused: `invalid`, when what a freeze is to be for is not named or not known."""
    if scope == "workspace":
        if scope_id is not None:
            _refuse(
                "scopeId", "A freeze of the workspace names nothing else: leave scopeId out, or name the scope it belongs to."
            )
    elif scope_id is None:
        _refuse("scopeId", f"A freeze of a {scope} needs its id as scopeId.")
    elif is_dead(state, scope, scope_id):
        _refuse("scopeId", f"There is no {scope} {scope_id}.")


def _check_scope(fact: FreezeSaved, state: State, before: FreezeSaved | None) -> None:
    if before is not None and (before.scope, before.scope_id) == (fact.scope, fact.scope_id):
        return  # also of something that is gone: how else would its freeze be changed
    check_scope(fact.scope, fact.scope_id, state)


def _check_times(fact: FreezeSaved, asked: Asked, before: FreezeSaved | None) -> None:
    starts_at = check_zone("startsAt", fact.starts_at)
    if fact.ends_at is not None:
        if check_zone("endsAt", fact.ends_at) <= starts_at:
            _refuse("endsAt", f"The freeze would end at {fact.ends_at.isoformat()}, before or when it starts.")
        if fact.ends_at <= asked.now and (before is None or before.ends_at != fact.ends_at):
            _refuse("endsAt", f"The freeze would be over already, at {fact.ends_at.isoformat()}; thaw it to end it now.")
    if fact.rrule is None:
        for name, value in (("durationMinutes", fact.duration_minutes), ("timezone", fact.timezone)):
            if value is not None:
                _refuse(name, f"{name} belongs to a recurring freeze: give rrule as well, or leave it out.")
        return
    if fact.duration_minutes is None:
        _refuse("durationMinutes", "A recurring freeze needs durationMinutes: how long it holds each time.")
    try:
        read_recurrence(fact.rrule, fact.timezone, fact.duration_minutes, fact.starts_at)
    except MalformedRule as malformed:
        _refuse(malformed.field, malformed.message)


def _refuse(name: str, message: str) -> NoReturn:
    raise Refused("invalid", message, code="INVALID_FREEZE", details=[{"path": f"/body/{name}", "message": message}])
