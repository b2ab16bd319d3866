"""Which targets a fact may matter to because of rules that every target answers for itself: cooldowns, dependencies and retries.

Everything here is proportional to the fact: its target, or what else is on its resource, and only where such a rule exists at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from contracts.facts import dispatcher, planner, policy, verifier
from contracts.shapes import ACTIVE
from services.policy.own import COOLDOWN, DEPENDENCY, RETRY
from services.policy.retry import failed_attempts
from services.policy.selector import asks
from services.policy.state import Pair, State, pair_key

CheckFact = (
    verifier.VerificationStarted
    | verifier.VerificationPassed
    | verifier.VerificationFailed
    | verifier.VerificationInconclusive
    | verifier.VerificationCancelled
)
JobFact = dispatcher.JobCreated | dispatcher.JobStatusChanged | CheckFact
Places = Iterator[tuple[str, str]]
"""Keys of pairs with a resource each."""


def moved_by_job(state: State, fact: JobFact) -> Places:
    """A job was made or moved on, or its verification ended, or began anew."""
    one = fact.resource_id
    pair = state.pairs.get(pair_key(fact.deployment_id, fact.environment_id))
    if pair is None or one not in pair.targets:
        return
    # A dispatch to several agents failed as a whole also when the last of its jobs succeeds.
    if asks(state, "retry") and (_ended_badly(fact) or failed_attempts(pair, one, fact.version_id) or is_held(pair, one, RETRY)):
        yield pair.key, one
    if asks(state, "version_cooldown") and (one in pair.open or is_held(pair, one, COOLDOWN)):
        yield pair.key, one
    if isinstance(fact, dispatcher.JobStatusChanged) and "successful" in (fact.status, fact.previous):
        yield from _beside(state, pair, one)


def moved_by_targets(state: State, fact: planner.TargetsChanged) -> Places:
    """Targets came, or went: what runs on them counts, or counts no more."""
    pair = state.pairs.get(pair_key(fact.deployment_id, fact.environment_id))
    if pair is not None:
        for one in (*fact.added, *fact.removed):
            yield from _beside(state, pair, one)


def moved_by_document(state: State, deployment_id: str, version_id: str = "") -> Places:
    """What is known of a deployment changed, or of one of its versions: it matters where that runs."""
    if not asks(state, "deployment_dependency"):
        return
    for key in state.places.get(deployment_id, ()):
        pair = state.pairs.get(key)
        for one, standing in pair.standings.items() if pair is not None else ():
            if standing.current is not None and version_id in ("", standing.current.version_id):
                assert pair is not None
                yield from _beside(state, pair, one)


def depending(state: State) -> Iterator[Pair]:
    """Pairs that wait for what runs beside them, or are cleared because of it: when a deployment or environment is gone, which is rare."""
    if asks(state, "deployment_dependency"):
        for pair in state.pairs.values():
            if pair.open or any(key.rule_type == DEPENDENCY for by_rule in pair.held.values() for key in by_rule):
                yield pair


def moved_by_policy(state: State, fact: policy.PolicySaved) -> Places:
    """A policy with a retry rule was saved: targets that failed before may be tried again, although they wait for nothing."""
    if not fact.enabled or all(rule.retry is None for rule in fact.rules):
        return
    for pair in state.pairs.values():
        for one, standing in pair.standings.items():
            if one in pair.targets and failed_attempts(pair, one, standing.job_version):
                yield pair.key, one


def is_held(pair: Pair, resource_id: str, kind: str) -> bool:
    """Whether anything is recorded of a kind of rule on a target."""
    return any(
        key.rule_type == kind and resource_id in verdicts for by_rule in pair.held.values() for key, verdicts in by_rule.items()
    )


def _ended_badly(fact: JobFact) -> bool:
    if not isinstance(fact, dispatcher.JobCreated | dispatcher.JobStatusChanged):
        return False
    again = isinstance(fact, dispatcher.JobStatusChanged) and fact.previous not in ACTIVE
    return again or (fact.status not in ACTIVE and fact.status != "successful")


def _beside(state: State, pair: Pair, resource_id: str) -> Places:
    """Other targets of a resource that are held, or cleared, because of what runs beside them."""
    if not asks(state, "deployment_dependency"):
        return
    for key in state.places.get(resource_id, ()):
        other = state.pairs.get(key)
        if other is None or key == pair.key or resource_id not in other.targets:
            continue
        if resource_id in other.open or is_held(other, resource_id, DEPENDENCY):
            yield key, resource_id
