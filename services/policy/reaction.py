"""What policy decides when facts were folded: what to measure, what to undo, and what may go now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contracts.envelope import Recorded
from libs.runtime.service import Draft
from services.policy.evaluation import walk
from services.policy.fold import apply
from services.policy.gate import Judge
from services.policy.recording import record
from services.policy.rollback import require_instead_of_retries, require_rollbacks
from services.policy.state import State
from services.policy.touched import touched
from services.policy.verification import require_verifications


def react(state: State, recorded: Sequence[Recorded], now: datetime) -> Sequence[Draft]:
    """Decide on facts that were just folded; the state is after them."""
    drafts = require_verifications(state, recorded, now)
    for draft in drafts:
        # A job whose verification is only just required has not passed: the verdicts below must know.
        state = apply(state, draft.fact, state.position)
    rollbacks = require_rollbacks(state, recorded, now)
    for draft in rollbacks:
        # Nor is it to be said that somebody must act where the target is about to return.
        state = apply(state, draft.fact, state.position)
    drafts += rollbacks
    judge = Judge(state, now)
    found = touched(judge, recorded)
    for key in sorted(found.whole.keys() | found.some.keys()):
        pair = state.pairs.get(key)
        if pair is None:
            continue
        if key in found.whole:
            because, walked = found.whole[key], walk(judge, pair)
        else:
            some = found.some[key]
            because, walked = max(some.values(), key=lambda one: one.position), walk(judge, pair, sorted(some))
        drafts += record(judge, pair, walked, because)
        drafts += require_instead_of_retries(judge, pair, walked, recorded, because)
    return drafts
