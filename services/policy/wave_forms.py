"""What waves of a rollout must look like, checked before a policy is saved."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from contracts.command import Refused
from contracts.commands.policy.policies import SavePolicy
from contracts.shapes import GradualRollout

MOST_WAVES: Final = 50
"""Every target is held against the selector of every wave before its own."""


def check_waves(wish: SavePolicy) -> None:
    """Check the waves of every rollout.

    Raises:
        Refused: `invalid` with code INVALID_POLICY, when a rollout in waves has none or too many, another one has some, a wave names no
            targets or names them in two ways, or the percentages are over 100 together. `details` lists `{path, message}`.
    """
    details = [
        {"path": path, "message": message}
        for index, rule in enumerate(wish.rules)
        if rule.gradual_rollout is not None
        for path, message in _problems(f"/body/rules/{index}/gradualRollout/waves", rule.gradual_rollout)
    ]
    if details:
        raise Refused("invalid", details[0]["message"], code="INVALID_POLICY", details=details)


def _problems(path: str, body: GradualRollout) -> Iterator[tuple[str, str]]:
    if body.rollout_type != "waves":
        if body.waves:
            yield path, f"A rollout of type {body.rollout_type} has no waves: leave them out, or set rolloutType to waves."
        return
    if not body.waves:
        yield path, "A rollout in waves needs at least one wave."
    if len(body.waves) > MOST_WAVES:
        yield path, f"A rollout has at most {MOST_WAVES} waves, not {len(body.waves)}."
    share = Fraction(0)
    for index, wave in enumerate(body.waves):
        if wave.selector is None and wave.percentage is None:
            yield f"{path}/{index}", f"Wave {index + 1} names no targets: give it a selector or a percentage."
        if wave.selector is not None and wave.percentage is not None:
            yield f"{path}/{index}", f"Wave {index + 1} has a selector and a percentage: give it one of them."
        before = share
        share += exact(wave.percentage) if wave.percentage is not None else 0
        if before <= 100 < share:
            yield f"{path}/{index}/percentage", f"The percentages of the waves are {float(share):g} together, more than 100."


def exact(percentage: float) -> Fraction:
    """A percentage as it was written: 33.3 is 333/10, and three of it are 99.9."""
    return Fraction(str(percentage))
