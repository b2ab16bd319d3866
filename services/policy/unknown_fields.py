"""Selectors that name a field which no document has: they were saved, since the field may be optional to somebody, and most likely pick nothing.

A policy or a freeze with such a selector does not apply where its author meant it to, and nothing is blocked that would tell so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from immutables import Map

from libs.cel import Environment, contexts
from libs.runtime.kept import Kept
from services.policy.expressions import Saved, expressions_of
from services.policy.selector import in_order
from services.policy.state import Freeze, Policy, State

MOST_TOLD: Final = 20
KEPT_WORKSPACES: Final = 64

_kept: Kept[str, tuple[Map[str, Policy], Map[str, Freeze], tuple[str, ...]]] = Kept(KEPT_WORKSPACES)


def unknown_fields(state: State) -> tuple[str, ...]:
    """A sentence for each unknown field in enabled policies, by priority, and in freezes; found once for the same ones."""
    known = _kept.get(state.workspace_id)
    if known is None or known[0] is not state.policies or known[1] is not state.freezes:
        known = _kept.keep(state.workspace_id, (state.policies, state.freezes, tuple(_found(state))[:MOST_TOLD]))
    return known[2]


def unknown_fields_of(saved: Saved) -> Iterator[tuple[str, str]]:
    """(path in the request's body, what is unknown there) of a policy."""
    for path, name, environment, source in expressions_of(saved):
        for told in _in(environment, source):
            yield path, f"the {name} names something unknown: {told}"


def _found(state: State) -> Iterator[str]:
    for saved in in_order(state.policies):
        for _, told in unknown_fields_of(saved):
            yield f"Policy '{saved.name}': {told}"
    for freeze_id in sorted(state.freezes):
        freeze = state.freezes[freeze_id].saved
        for told in _in(contexts.TARGET, freeze.selector or ""):
            yield f"The freeze '{freeze.reason.rstrip('.')}': its selector names something unknown: {told}"


def _in(environment: Environment, source: str) -> Iterator[str]:
    for problem in environment.check(source):
        if problem.code == "unknown_field":
            hint = f"; {problem.hint}" if problem.hint else ""
            yield f"{problem.message} (line {problem.line}, column {problem.column}{hint}), so that it most likely picks nothing."
