"""Saving and deleting policies.

A command that takes something away withdraws, in the same append, the clearances that no longer stand and that no job has used: a job
is never dispatched on an approval that was revoked a moment before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn
from uuid import UUID, uuid5

from pydantic.alias_generators import to_camel

from contracts.command import Asked, Refused
from contracts.commands.policy.policies import DeletePolicy, RuleInput, SavePolicy
from contracts.documents import stamp
from contracts.fact import Fact
from contracts.facts.policy import PolicyDeleted, PolicySaved
from contracts.shapes import Json, Rule
from libs.eventlog.port import MAX_FACT_BYTES
from libs.runtime.service import Decided, Draft
from services.policy.evaluation import walk
from services.policy.expressions import check_expressions
from services.policy.fold import apply
from services.policy.gate import Judge
from services.policy.metrics import check_metrics
from services.policy.plan_rules import check_modules
from services.policy.recording import withdrawals
from services.policy.state import State
from services.policy.unknown_fields import unknown_fields_of
from services.policy.wave_forms import check_waves
from services.policy.window import check_windows

MAX_POLICY_BYTES = MAX_FACT_BYTES - 64 * 1024
"""What a policy may have as JSON: facts about single rules repeat their metrics and say more."""
KINDS = tuple(to_camel(name) for name in RuleInput.model_fields if name != "id")


def save_policy(wish: SavePolicy, state: State, asked: Asked) -> Decided:
    """Create or replace a policy; the same document again appends nothing.

    Raises:
        Refused: `invalid`, when an id is no uuid or taken, a rule has no body, an expression, template, module or duration is malformed, or
            the policy is too large.
    """
    # What is too large in any case is not looked through: that would keep everybody else waiting.
    _check_size(len(wish.model_dump_json(exclude_defaults=True)))
    check_expressions(wish)
    check_metrics(wish)
    check_waves(wish)
    check_modules(wish)
    made_id = str(uuid5(UUID(asked.id), "policy"))
    policy_id = _uuid(wish.policy_id, "/path/policyId") if wish.policy_id is not None else made_id
    before = state.policies.get(policy_id)
    fact = PolicySaved(
        policy_id=policy_id,
        name=wish.name,
        description=wish.description,
        selector=wish.selector,
        priority=wish.priority,
        enabled=wish.enabled,
        metadata=wish.metadata,
        rules=_rules(wish, before.saved.rules if before is not None else (), asked),
        created_at=before.saved.created_at if before is not None else asked.now,
    )
    _check_ids(fact, state)
    check_windows(fact.rules)
    _check_size(len(fact.to_json()))
    # How a client wrote it counts as well, since it reads that back; to be equal is to mean the same.
    answer: Json = {"id": policy_id}
    if warnings := [{"path": path, "message": f"{told[:1].upper()}{told[1:]}"} for path, told in unknown_fields_of(wish)]:
        answer["warnings"] = warnings
    if before is not None and before.saved.model_dump() == fact.model_dump():
        return Decided(answer=answer)
    return Decided((Draft(fact), *withdrawn(state, fact, state.pairs, asked)), answer)


def _check_size(size: int) -> None:
    if size > MAX_POLICY_BYTES:
        _refuse("/body", f"The policy is too large: {size} bytes of JSON, at most {MAX_POLICY_BYTES}. Split it into several.")


def delete_policy(wish: DeletePolicy, state: State, asked: Asked) -> Decided:
    """Delete a policy.

    Raises:
        Refused: `not_found`.
    """
    if wish.policy_id not in state.policies:
        raise Refused("not_found", f"There is no policy {wish.policy_id}.")
    fact = PolicyDeleted(policy_id=wish.policy_id)
    return Decided((Draft(fact), *withdrawn(state, fact, state.pairs, asked)), {"id": wish.policy_id})


def _rules(wish: SavePolicy, before: Iterable[Rule], asked: Asked) -> tuple[Rule, ...]:
    """The rules with their ids: a created policy gets new ones, a replaced one keeps those given, with their first `createdAt`.

    A rule of a replaced policy that comes without an id is the one with the same content, or else of the same kinds: were it a new
    one, saving a policy again would exempt every version that waits for an approval, since it would be older than the rule.
    """
    known = {rule.id: rule for rule in before}
    named = {given.id.lower() for given in wish.rules if given.id is not None}
    unnamed = [rule for rule in before if rule.id not in named]
    rules: list[Rule] = []
    for index, given in enumerate(wish.rules):
        path = f"/body/rules/{index}"
        bodies = given.model_dump(exclude={"id"}, exclude_none=True)
        if not bodies:
            _refuse(path, f"The rule is of no kind that is known: {', '.join(KINDS)}.")
        if wish.policy_id is not None and given.id is not None:
            rule_id = _uuid(given.id, f"{path}/id")
        elif (same := _same(bodies, unnamed)) is not None:
            unnamed.remove(same)
            rule_id = same.id
        else:
            rule_id = str(uuid5(UUID(asked.id), f"rule/{index}"))
        if any(rule.id == rule_id for rule in rules):
            _refuse(f"{path}/id", f"Two rules have the id {rule_id}.")
        rules.append(_rule(given, rule_id, known[rule_id].created_at if rule_id in known else stamp(asked.now)))
    return tuple(rules)


def _same(bodies: Json, rules: Iterable[Rule]) -> Rule | None:
    """The rule with these bodies, or else the first with bodies of the same kinds."""
    alike = [(rule, rule.model_dump(exclude={"id", "created_at"}, exclude_none=True)) for rule in rules]
    equal = (rule for rule, others in alike if others == bodies)
    return next(equal, None) or next((rule for rule, others in alike if others.keys() == bodies.keys()), None)


def _check_ids(saved: PolicySaved, state: State) -> None:
    """A rule's id names one rule of the workspace: a verification is told by its job and rule."""
    taken = {
        rule.id: other.saved.name for id_, other in state.policies.items() if id_ != saved.policy_id for rule in other.saved.rules
    }
    for index, rule in enumerate(saved.rules):
        if rule.id in taken:
            _refuse(f"/body/rules/{index}/id", f"The rule id {rule.id} is taken by policy {taken[rule.id]!r}; leave it out.")


def _rule(given: RuleInput, rule_id: str, created_at: str) -> Rule:
    return Rule.model_validate({**dict(given), "id": rule_id, "created_at": created_at})


def _uuid(text: str, path: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        _refuse(path, f"{text!r} is no uuid.")


def _refuse(path: str, message: str) -> NoReturn:
    raise Refused("invalid", message, code="INVALID_POLICY", details=[{"path": path, "message": message}])


def withdrawn(state: State, fact: Fact, keys: Iterable[str], asked: Asked) -> list[Draft]:
    """The unused clearances that end with a fact."""
    after = apply(state, fact, state.position + 1)
    judge = Judge(after, asked.now)
    drafts: list[Draft] = []
    for key in sorted(keys):
        pair = after.pairs.get(key)
        if pair is not None and pair.open:
            drafts += withdrawals(judge, pair, walk(judge, pair, sorted(pair.open)), None)
    return drafts
