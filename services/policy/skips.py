"""Skips: a person lets one version pass one rule. The rule is not asked; all others still count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from pydantic.alias_generators import to_camel

from contracts.shapes import Rule
from services.policy.finding import Finding, positions
from services.policy.freezes import called
from services.policy.instants import spoken
from services.policy.state import Skip, State, Version

_NO_KINDS: Final = frozenset({"id", "created_at"})
UNSKIPPABLE: Final = {
    "retry": "retries are counted, not asked for permission",
    "verification": "what was deployed is measured all the same",
    "rollback": "it says where a target returns to, and holds nothing",
    "planValidationOpa": "it judges plans, and holds nothing",
}
"""Rules that gate no version, and why there is nothing to skip."""


def kinds_of(rule: Rule) -> list[str]:
    """The names of a rule's bodies, in the order of the contract."""
    return [to_camel(name) for name in Rule.model_fields if name not in _NO_KINDS and getattr(rule, name) is not None]


def gating_kinds(rule: Rule) -> list[str]:
    """Those of them that gate versions, so that they can be skipped."""
    return [kind for kind in kinds_of(rule) if kind not in UNSKIPPABLE]


def skips_of(state: State, version_id: str, environment_id: str, resource_id: str, now: datetime) -> tuple[Skip, ...]:
    """The skips of a version that count for a target at an instant; one counts no more at the very instant that it expires."""
    return tuple(
        one
        for one in state.skips.get(version_id, ())
        if one.saved.environment_id in (None, environment_id)
        and one.saved.resource_id in (None, resource_id)
        and (one.saved.expires_at is None or one.saved.expires_at > now)
    )


def judge_skipped(skips: Sequence[Skip], version: Version) -> Finding:
    """What is said of a rule that one skip or several let the version pass: allowed until the last of them expires."""
    forever = [one for one in skips if one.saved.expires_at is None]
    last = max(forever or skips, key=lambda one: (one.saved.expires_at or one.saved.created_at, one.position))
    newest = max(one.saved.created_at for one in skips)
    until = f" until {spoken(last.saved.expires_at)}" if last.saved.expires_at is not None else ""
    why = f": {last.saved.reason.rstrip('.')}" if last.saved.reason.strip() else ""
    return Finding(
        "allowed",
        f"{called(last.saved.created_by)} lets {version.tag} pass this rule{until}{why}.",
        satisfied_at=max(newest, version.created_at),
        look_again_at=last.saved.expires_at,
        facts=positions(tuple(one.position for one in skips)),
    )


def starting(skipped: Finding, skips: Sequence[Skip], version: Version, asked: Finding) -> Finding:
    """What is said of a skipped rule that a rollout starts with.

    A skip lets go and holds nothing, so the rollout starts with the first of the skips, or when the rule itself was satisfied before; and
    when what it started with ends, it starts with what is left.

    Args:
        asked: what the rule would say without the skips.
    """
    starts = [(max(one.saved.created_at, version.created_at), one.saved.expires_at) for one in skips]
    if asked.allows and asked.satisfied_at is not None:
        starts.append((asked.satisfied_at, asked.look_again_at))
    first = min(at for at, _ in starts)
    ends = [until for at, until in starts if at == first]
    until = None if None in ends else max(one for one in ends if one is not None)
    instants = [one for one in (skipped.look_again_at, until) if one is not None]
    return replace(
        skipped, satisfied_at=first, look_again_at=min(instants, default=None), facts=positions(skipped.facts, asked.facts)
    )
