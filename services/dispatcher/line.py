"""Who waits for a free place, and in which order they go: first come, first served.

Targets that need the same places stand in one line. When a place becomes free only the heads of the lines that need it are looked at,
and a line of which nobody can go (another place is full, or policy cleared none of it since it withdrew) is passed over as a whole: the
work is that of those who go, however many wait.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from immutables import Map

from contracts.facts.dispatcher import DispatchHeld
from services.dispatcher.places import Places, agent_key, deployment_key
from services.dispatcher.state import Fresh, Line, Standing, State, Waiting, pair_key

BLOCK: Final = 64
"""Numbers of a line that are kept, and put in order, together."""
_NOBODY: Final[Map[int, str]] = Map()


def goes_first(standing: Standing) -> bool:
    """Whether a target goes back, or a person wants its release again: it does not stand in line."""
    return standing.again or (standing.desired is not None and standing.desired.rollback)


def line_of(pair: str, agents: tuple[str, ...], *, first: bool) -> str:
    """Names the line of those targets of a pair that need places at these agents (ids, ascending)."""
    return f"{'!' if first else ''}{pair}/{','.join(agents)}"


def in_line(state: State, names: Iterable[str], places: Places, now: datetime) -> Iterator[str]:
    """The targets of these lines, in the order in which they are to go; a line ends where one of its places is taken."""
    heads: list[tuple[bool, int, str, Iterator[tuple[int, str]]]] = []
    for name in names:
        line = state.lines[name]
        if places.full(line.keys) is None and (line.first or not line.pair or _is_fresh(state, line.pair, now)):
            heads.append((not line.first, -1, name, _members(line)))
    heapq.heapify(heads)
    while heads:
        later, number, name, rest = heads[0]
        line = state.lines[name]
        if places.full(line.keys) is not None:
            heapq.heappop(heads)
            continue
        if number >= 0:
            yield line.blocks[number // BLOCK][number]
        following = next(rest, None)
        if following is None:
            heapq.heappop(heads)
        else:
            heapq.heapreplace(heads, (later, following[0], name, rest))


def left_by_line(state: State, agents: Iterable[str], now: datetime) -> Places:
    """The places that are left to whoever comes without a fact that lets others go: at these agents none while somebody in line may go.

    A place may have become free, and nobody has decided on it yet.
    """
    places = Places(state)
    keys = [key for key in dict.fromkeys(map(agent_key, agents)) if key in state.queues]
    waited_for = [key for key in keys if any(True for _ in in_line(state, state.queues[key], places, now))]
    for key in waited_for:
        places.take((key,), max(0, places.free(key) or 0))
    return places


def everybody(state: State, names: Iterable[str]) -> list[str]:
    """The targets of these lines, in the order in which they are to go."""
    found = [
        (not line.first, number, target) for name in names for line in (state.lines[name],) for number, target in _members(line)
    ]
    return [target for _, _, target in sorted(found)]


def in_order(state: State, targets: Iterable[str]) -> list[str]:
    """Those of these targets that wait, in the order in which they are to go."""
    waiting = ((target, state.held[target]) for target in targets if target in state.held)
    return [target for _, _, target in sorted((not state.lines[one.line].first, one.number, target) for target, one in waiting)]


def _members(line: Line) -> Iterator[tuple[int, str]]:
    for block in sorted(line.blocks):
        yield from sorted(line.blocks[block].items())


def _is_fresh(state: State, pair: str, now: datetime) -> bool:
    """Whether any clearance of a pair may hold."""
    fresh = state.fresh.get(pair)
    return (
        fresh is not None
        and fresh.at >= max(state.gate, state.withdrawn.get(pair, 0))
        and (fresh.valid_until is None or now < fresh.valid_until)
    )


# --- how facts change it -----------------------------------------------------------------------------------------------------------


def held(state: State, fact: DispatchHeld, position: int) -> State:
    """Targets wait; one that waits already keeps its turn, also where it waits for other places now."""
    pair = pair_key(fact.deployment_id, fact.environment_id)
    keys = (*map(agent_key, fact.agents), deployment_key(fact.deployment_id))
    suffix = f"-{fact.environment_id}-{fact.deployment_id}"
    for item in fact.items:
        target = item.resource_id + suffix
        standing = state.targets.get(target)
        if standing is None or standing.desired is None or standing.desired.release_id != item.release_id:
            continue  # it vanished, or should have another release, while this was decided
        first = goes_first(standing)
        name = line_of(pair, fact.agents, first=first)
        known = state.held.get(target)
        number = state.arrived
        if known is None:
            state = state._replace(arrived=number + 1)
        elif state.lines[known.line].first == first:
            number = known.number
        else:
            state = state._replace(arrived=number + 1)
        state = _joined(let_go(state, target), target, name, number, keys, pair, item.release_id, first=first)
    return state


def waits(state: State, job_id: str, agent_id: str) -> State:
    """A job of a workflow run waits for a place at its agent; it stands in line under its own id, and rests on no clearance."""
    name, keys, number = line_of("", (agent_id,), first=False), (agent_key(agent_id),), state.arrived
    return _joined(state._replace(arrived=number + 1), job_id, name, number, keys, "", "", first=False)


def let_go(state: State, target: str) -> State:
    """A target, or a job of a workflow run, waits no longer."""
    known = state.held.get(target)
    if known is None:
        return state
    line = state.lines[known.line]
    block = line.blocks[known.number // BLOCK].delete(known.number)
    blocks = line.blocks.set(known.number // BLOCK, block) if block else line.blocks.delete(known.number // BLOCK)
    lines, queues = state.lines, state.queues
    if blocks:
        lines = lines.set(known.line, line._replace(blocks=blocks))
    else:
        lines = lines.delete(known.line)
        for key in line.keys:
            queues = _without(queues, key, known.line)
    return state._replace(
        held=state.held.delete(target), lines=lines, queues=queues, held_on=_without(state.held_on, target[:36], target)
    )


def cleared(state: State, pair: str, at: int, valid_until: datetime | None) -> Map[str, Fresh]:
    """The bounds of a pair's clearances with one more; those that are withdrawn count no longer."""
    known = state.fresh.get(pair)
    if known is None or known.at < max(state.gate, state.withdrawn.get(pair, 0)):
        return state.fresh.set(pair, Fresh(at, valid_until))
    until = None if valid_until is None or known.valid_until is None else max(valid_until, known.valid_until)
    return state.fresh.set(pair, Fresh(max(at, known.at), until))


def _joined(
    state: State, target: str, name: str, number: int, keys: tuple[str, ...], pair: str, release_id: str, *, first: bool
) -> State:
    line, queues = state.lines.get(name), state.queues
    if line is None:
        line = Line(keys, pair, first)
        for key in keys:
            queues = queues.set(key, (*queues.get(key, ()), name))
    block = line.blocks.get(number // BLOCK, _NOBODY).set(number, target)
    resource_id = target[:36]
    return state._replace(
        held=state.held.set(target, Waiting(name, number, release_id)),
        lines=state.lines.set(name, line._replace(blocks=line.blocks.set(number // BLOCK, block))),
        queues=queues,
        held_on=state.held_on.set(resource_id, (*state.held_on.get(resource_id, ()), target)),
    )


def _without(index: Map[str, tuple[str, ...]], key: str, name: str) -> Map[str, tuple[str, ...]]:
    rest = tuple(one for one in index[key] if one != name)
    return index.set(key, rest) if rest else index.delete(key)
