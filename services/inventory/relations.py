"""Decides who is related to whom: evaluates what a change can affect, and records the pairs that appeared and vanished.

A changed entity is compared with those that a rule could relate it to, a changed rule over all entities; nothing else is looked at. What a
rule may cost is bounded, so that none can hold up or flood a workspace: one that goes beyond is suspended until it is saved again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from immutables import Map

from contracts.envelope import Recorded
from contracts.facts.inventory import (
    Relation,
    RelationsChanged,
    RelationshipRuleSuspended,
    ResourceSaved,
    ResourceVariablesSaved,
)
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved
from libs.cel import JoinIndex, Program, contexts
from libs.cel.budget import Budget
from libs.cel.problems import CelProblems
from libs.cel.syntax import Has, Ident, Index, Literal, Select, walk
from libs.runtime.service import Draft
from services.inventory.joins import forget, joins_of
from services.inventory.relation_fold import exists
from services.inventory.relation_state import NONE, Relations
from services.inventory.state import InventoryState

PAIRS_PER_FACT: Final = 1_000
MAX_RELATIONS: Final = 200_000
"""Relations that one rule may have."""
MAX_COMPARISONS: Final = 1_000_000
"""Pairs that may be compared for one rule in one decision; of two changed entities each is compared with the other."""
MAX_STEPS: Final = 3_000_000
"""Steps, roughly microseconds, that one rule may take in one decision (`libs.cel.charged`): entering all entities into its index, which
counts whether it was made before or not, and then comparing them."""

_TOO_MANY_RELATIONS: Final = "It would relate more than {} pairs of entities, which is the most for a rule"
_TOO_MANY_COMPARISONS: Final = "It would compare more than {} pairs of entities at once, which is the most for a rule"
_TOO_MANY_STEPS: Final = (
    "It would take more than {} steps to look at entities and compare them at once, which is the most for a rule"
)
_ADVICE: Final = (
    "add an equality between a field of from and a field of to, so that only entities with the same value are compared"
)


class Change(NamedTuple):
    """What changes in the relations of a rule: pairs in order, and whether each is there now."""

    pairs: tuple[tuple[Relation, bool], ...]


class TooMany(NamedTuple):
    """A rule would relate, or compare, more than is allowed; for people."""

    reason: str


def decide_relations(state: InventoryState, recorded: Sequence[Recorded], now: datetime) -> tuple[Draft, ...]:
    """The deltas of relations that follow from changed entities, in order of rules and entities; what vanished is told by its deletion."""
    programs = _followed(state)
    if not programs:
        forget(state)
        return ()
    causes: dict[str, Recorded] = {}
    variables_alone: dict[str, bool] = {}
    for one in recorded:
        match one.fact:
            case ResourceSaved() | ResourceVariablesSaved() | DeploymentSaved() | EnvironmentSaved() as fact:
                alone = isinstance(fact, ResourceVariablesSaved) and variables_alone.get(fact.stream, True)
                causes[fact.stream], variables_alone[fact.stream] = one, alone
    changed = [entity for entity in causes if exists(state, entity)]
    changed_otherwise = [entity for entity in changed if not variables_alone[entity]]
    if not changed:
        return ()
    joins = joins_of(state, programs.values(), MAX_STEPS)
    drafts: list[Draft] = []
    for rule_id in sorted(programs):
        program = programs[rule_id]
        affected = changed if len(changed_otherwise) == len(changed) or _reads_variables(program) else changed_otherwise
        known = state.relating.of_rule(rule_id)
        # An index is filled only for a rule that may have something to say, which for most rules most entities do not.
        if not any(known.has_any(entity) or joins.may_relate(program, entity) for entity in affected):
            continue
        found = compare(joins.of(program), affected, known)
        if isinstance(found, TooMany):
            reason = f"{found.reason}. Its relations are gone until it is saved again; {_ADVICE}"
            drafts.append(Draft(RelationshipRuleSuspended(rule_id=rule_id, reason=reason), causes[affected[-1]]))
        else:
            drafts.extend(_drafts(rule_id, found, causes))
    return tuple(drafts)


def relate_all(state: InventoryState, rule_id: str, program: Program) -> tuple[Draft, ...] | TooMany:
    """What to append so that a rule that is saved with this expression relates what it should."""
    programs = _followed(state)
    programs[rule_id] = program
    rule = state.relating.rules.get(rule_id)
    known = NONE if rule is None or rule.suspended is not None else state.relating.of_rule(rule_id)
    joins = joins_of(state, programs.values(), MAX_STEPS)
    found: Change | TooMany
    if joins.is_unconditional(program) and 2 * (len(state.resources) + len(state.relating.named)) ** 2 > MAX_COMPARISONS:
        found = TooMany(_TOO_MANY_COMPARISONS.format(MAX_COMPARISONS))
    else:
        found = compare_all(joins.of(program), known)
    if isinstance(found, TooMany):
        return TooMany(f"{found.reason}; {_ADVICE}")
    return _drafts(rule_id, found, {})


def compare_all(join: JoinIndex, known: Relations) -> Change | TooMany:
    """What all relations are now, against the known ones. Entering the entities and comparing them has one budget."""
    if join.is_beyond:
        return TooMany(_TOO_MANY_STEPS.format(MAX_STEPS))
    # As in `compare`, every pair counts once for either end.
    if 2 * join.all_comparisons() > MAX_COMPARISONS:
        return TooMany(_TOO_MANY_COMPARISONS.format(MAX_COMPARISONS))
    budget = Budget(MAX_STEPS - join.steps)
    related: dict[str, list[str]] = {}
    count = 0
    for entity, others in join.all_related(budget):
        related[entity] = others
        count += len(others)
        if count > MAX_RELATIONS:
            return TooMany(_TOO_MANY_RELATIONS.format(MAX_RELATIONS))
    if budget.left <= 0:
        return TooMany(_TOO_MANY_STEPS.format(MAX_STEPS))
    changes = [
        (Relation(entity, other), is_there)
        for entity in {**related, **dict.fromkeys(known.outgoing)}
        for other, is_there in _difference(related.get(entity, ()), known.of(entity)[0])
    ]
    return Change(tuple(sorted(changes)))


def compare(join: JoinIndex, entities: Iterable[str], known: Relations) -> Change | TooMany:
    """What these entities' relations are now, against the known ones."""
    if join.is_beyond:
        return TooMany(_TOO_MANY_STEPS.format(MAX_STEPS))
    changes: dict[Relation, bool] = {}
    comparisons, budget = 0, Budget(MAX_STEPS)
    for entity in entities:
        comparisons += join.comparisons(entity)
        if comparisons > MAX_COMPARISONS:
            return TooMany(_TOO_MANY_COMPARISONS.format(MAX_COMPARISONS))
        outgoing, incoming = join.related(entity, budget)
        if budget.left <= 0:
            return TooMany(_TOO_MANY_STEPS.format(MAX_STEPS))
        known_outgoing, known_incoming = known.of(entity)
        changes.update({Relation(entity, other): there for other, there in _difference(outgoing, known_outgoing)})
        changes.update({Relation(other, entity): there for other, there in _difference(incoming, known_incoming)})
        if len(changes) > MAX_RELATIONS + known.count:
            break
    count = known.count + 2 * sum(changes.values()) - len(changes)
    if count > MAX_RELATIONS:
        return TooMany(_TOO_MANY_RELATIONS.format(MAX_RELATIONS))
    return Change(tuple(sorted(changes.items())))


def _difference(now: Sequence[str], known: Map[str, bool]) -> Iterator[tuple[str, bool]]:
    """Who is there and was not, and who was and is not."""
    for other in now:
        if other not in known:
            yield other, True
    if known:
        there = frozenset(now)
        for other in known:
            if other not in there:
                yield other, False


def _followed(state: InventoryState) -> dict[str, Program]:
    """The program of each rule that is followed, by its id."""
    programs: dict[str, Program] = {}
    for rule_id, rule in state.relating.rules.items():
        if rule.suspended is None:
            try:
                programs[rule_id] = contexts.RELATION.compile(rule.saved.cel)
            except CelProblems:
                # Expressions are checked when they are saved. One that got past that relates nobody.
                continue
    return programs


def _reads_variables(program: Program) -> bool:
    """Whether a change of a resource's variables can change the answer."""
    whole: dict[int, bool] = {}
    for node in walk(program.tree):
        match node:
            case (
                Select(operand=Ident() as of, field=field)
                | Has(operand=Ident() as of, field=field)
                | Index(operand=Ident() as of, key=Literal(value=str() as field))
            ):
                if field == "variables":
                    return True
                whole[id(of)] = False
            case Ident():
                whole.setdefault(id(node), True)
            case _:
                pass
    return any(whole.values())


def _drafts(rule_id: str, change: Change, causes: Mapping[str, Recorded]) -> tuple[Draft, ...]:
    drafts: list[Draft] = []
    for start in range(0, len(change.pairs), PAIRS_PER_FACT):
        part = change.pairs[start : start + PAIRS_PER_FACT]
        delta = RelationsChanged(
            rule_id=rule_id,
            added=tuple(pair for pair, is_there in part if is_there),
            removed=tuple(pair for pair, is_there in part if not is_there),
        )
        first, _ = part[0]
        drafts.append(Draft(delta, causes.get(first.from_entity) or causes.get(first.to_entity)))
    return tuple(drafts)
