"""What verifier is asked for: measure again what was measured."""

from __future__ import annotations

from contracts.command import Asked, Refused
from contracts.commands.verifier import VerifyAgain
from contracts.facts.verifier import VerificationStarted
from libs.runtime.service import Decided, Draft
from services.verifier.about import about_of
from services.verifier.cancelling import gone, overtaken
from services.verifier.ending import passed
from services.verifier.starting import id_of, timed
from services.verifier.state import Known, State
from services.verifier.watching import watch_ended
from services.verifier.who_is_asked import parties_of

AGAIN = "It is verified again."


def verify_again(wish: VerifyAgain, state: State, asked: Asked) -> Decided:
    """Begin a new verification with the metrics of an earlier one, its conditions as they were; the watch over the earlier one ends.

    Raises:
        Refused: `not_found`: nothing is known of it (any more). `conflict`: it runs, another release has run on the target since, or the
            target is gone.
    """
    known = state.known.get(wish.verification_id)
    if known is None:
        raise Refused(
            "not_found",
            f"Verification {wish.verification_id} is not known; those of what runs on a target now can be run again",
        )
    newest_id, newest = _newest(state, wish.verification_id, known)
    if newest.ending is None:
        raise Refused("conflict", f"Verification {newest_id} is running; wait until it is decided")
    running = state.running.get(newest_id)
    # Whoever ran since may be forgotten by now; nothing is kept then of what it ended, or came after.
    is_over = running is None and not newest.document
    if is_over or overtaken(state, known.key, known.job_id, known.release_id):
        raise Refused("conflict", "Another release has run on the target since: what was verified is not there any more")
    before = running.fact if running is not None else VerificationStarted.model_validate_json(newest.document)
    if gone(state, before):
        raise Refused(
            "conflict", "The target is gone: its resource, environment or deployment was deleted, or a selector dropped it"
        )
    _, first_at = timed(before.metrics, parties_of(before.metrics, state, before), state.slots, asked.now)
    attempt = newest.attempt + 1
    started = VerificationStarted(
        **about_of(before, id_of(before.job_id, before.rule_id, attempt)),
        policy_id=before.policy_id,
        rule_id=before.rule_id,
        metrics=before.metrics,
        first_at=first_at,
        attempt=attempt,
        reason=wish.reason,
        continue_seconds=before.continue_seconds,
        note=before.note,
        started_at=asked.now,
    )
    drafts = [] if running is None else [Draft(watch_ended(running, asked.now, AGAIN))]
    drafts.append(Draft(started))
    if not started.metrics:
        drafts.append(Draft(passed(started, asked.now)))
    return Decided(tuple(drafts), {"id": started.verification_id})


def _newest(state: State, verification_id: str, known: Known) -> tuple[str, Known]:
    """The newest attempt at the same verification."""
    attempts = [
        (one, other)
        for one in state.by_target[known.key]
        if (other := state.known[one]).job_id == known.job_id and other.rule_id == known.rule_id
    ]
    return max(attempts, key=lambda pair: pair[1].attempt, default=(verification_id, known))
