"""When policy looks again although nothing happened: one timer for each pair of deployment and environment that waits for time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from contracts.envelope import Recorded
from contracts.facts import dispatcher, planner, policy
from libs.runtime.service import Draft
from services.policy.evaluation import walk
from services.policy.gate import Judge
from services.policy.recording import due_of, expire, record
from services.policy.rollback import require_instead_of_retries
from services.policy.state import State, pair_key

_MOVES_TIMERS = (
    policy.RuleEvaluated
    | policy.TargetsCleared
    | policy.ClearanceWithdrawn
    | planner.TargetsChanged
    | planner.ReleasesCreated
    | planner.RollbackStarted
    | dispatcher.JobCreated
)


class PolicyTimers:
    """The earliest instant of each pair at which time alone ends a wait or a clearance."""

    def keys(self, state: State) -> Iterable[str]:
        """Every pair that waits for time."""
        return [key for key, pair in state.pairs.items() if pair.wake is not None]

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The pair whose instants a fact may have changed."""
        fact = recorded.fact
        return (pair_key(fact.deployment_id, fact.environment_id),) if isinstance(fact, _MOVES_TIMERS) else ()

    def at(self, state: State, key: str) -> datetime | None:
        """The pair's next instant."""
        pair = state.pairs.get(key)
        return pair.wake if pair is not None else None

    def fire(self, state: State, keys: Sequence[str], now: datetime) -> Sequence[Draft]:
        """Evaluate the targets whose instant came. Whatever was recorded with an instant that passed is recorded anew."""
        judge = Judge(state, now)
        drafts: list[Draft] = []
        for key in keys:
            pair = state.pairs.get(key)
            if pair is None:
                continue
            due = due_of(pair, now)
            found = walk(judge, pair, due.targets)
            follows = [*record(judge, pair, found, None), *expire(judge, pair, found, due)]
            assert follows or pair.wake is None or pair.wake > now, f"nothing follows from the instant {pair.wake} of {key}"
            drafts += follows
            drafts += require_instead_of_retries(judge, pair, found, (), None)
        return drafts
