"""Freezes, and what passes them, in a scene."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from contracts.commands.policy.freezes import FreezeEffect, OverrideFreeze, SaveFreeze
from tests.unit.policy.policy_scenes import Scene, uid

R1, R2 = uid("r1"), uid("r2")


def freeze(scene: Scene, *, minutes: float | None = None, starts: float = 0, **said: Any) -> str:
    """Freeze from `starts` minutes from now, for `minutes`."""
    starts_at = scene.world.now + timedelta(minutes=starts)
    ends_at = starts_at + timedelta(minutes=minutes) if minutes is not None else None
    given_ = {"reason": "incident 42", "starts_at": starts_at, "ends_at": ends_at, **said}
    freeze_id: str = scene.world.do(SaveFreeze.model_validate(given_))["id"]
    return freeze_id


def let_pass(scene: Scene, freeze_id: str, version_id: str, *, minutes: float, **where: str) -> None:
    """Let a version pass a freeze for so many minutes."""
    expires_at = scene.world.now + timedelta(minutes=minutes)
    wish = OverrideFreeze(freeze_id=freeze_id, version_id=version_id, reason="the fix itself", expires_at=expires_at, **where)
    scene.world.do(wish)


def effect(scene: Scene, **said: Any) -> Any:
    """What a freeze holds, or would."""
    return scene.world.ask(FreezeEffect(**said))
