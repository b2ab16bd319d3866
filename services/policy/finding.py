"""What a rule says about a version on a target: allowed, waiting or blocked, why, and what ends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.facts.policy import Verdict

KEPT_FACTS = 20
"""Positions that one finding names at most, so that a fact about many targets stays small."""

TICK = timedelta(microseconds=1)
"""The smallest step of our times: what still holds at an instant ends one tick after it."""


class RuleKey(NamedTuple):
    """One evaluation: a rule's body. Policy and rule are empty for implicit rules; that of version dependencies has an id."""

    policy_id: str
    rule_id: str
    rule_type: str


APPROVAL = "anyApproval"

ROLLOUT = "gradualRollout"
"""The type of rules that let targets follow one another: what they say of a target rests on what others come to."""

DEPLOYABLE = RuleKey("", "", "deployableVersion")
BAD_MARK = RuleKey("", "", "badMark")
IN_ORDER = RuleKey("", "", "versionOrder")
DEPENDS = RuleKey("", "deployment-version-dependency", "versionDependency")

DECISIVE = frozenset({DEPLOYABLE, BAD_MARK, IN_ORDER})
"""Where one of these does not allow, no other rule is asked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with its reason.

    Attributes:
        message: the sentence that is recorded. It names no counts that move often: a change of it is a new fact for every target held.
        detail: the sentence of the moment, with counts and names, for whoever asks now; empty when it says no more than `message`.
            Findings that differ in it alone are the same verdict.
        ended_by: what or who ends the wait; empty when allowed.
        satisfied_at: since when an allowed rule is satisfied.
        look_again_at: when time alone may change the verdict: the end of a wait, or of an allowance.
        facts: positions it rests on, ascending.
    """

    verdict: Verdict
    message: str
    detail: str = field(default="", compare=False)
    ended_by: str = ""
    satisfied_at: datetime | None = None
    look_again_at: datetime | None = None
    facts: tuple[int, ...] = ()

    @property
    def allows(self) -> bool:
        return self.verdict == "allowed"

    @property
    def sentence(self) -> str:
        """The fullest wording of the reason."""
        return self.detail or self.message


NO_LONGER = Finding("allowed", "The rule no longer applies here.")
"""Recorded where a rule that held a target is gone, disabled or matches it no more."""

TURN_CAME = Finding("allowed", "The versions before it have gone, so its turn has come.")
"""Recorded where a version waited for earlier ones."""


def blocks(rule_type: str, verdict: Verdict) -> bool:
    """Whether people are told that it blocks, as the board has it: somebody must act, and a missing approval is such a thing as well. What time
    or others end is said to wait.
    """
    return verdict == "blocked" or (rule_type == APPROVAL and verdict != "allowed")


def positions(*groups: tuple[int, ...]) -> tuple[int, ...]:
    """The newest positions of all groups, ascending, without repeats and without 0 (unknown)."""
    return tuple(sorted({one for group in groups for one in group if one})[-KEPT_FACTS:])
