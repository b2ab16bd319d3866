"""Which targets belong to which wave of a rollout: the first one that names them, by selector or by percentage; else the last."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final, NamedTuple

from immutables import Map

from contracts.documents import resource_document
from contracts.facts.inventory import ResourceSaved
from contracts.shapes import GradualRollout, Wave
from libs.cel import CelProblems, Program, contexts
from libs.runtime.kept import Kept
from services.policy.order import places_of
from services.policy.state import Pair, State
from services.policy.wave_forms import exact

KEPT: Final = 128


@dataclass(frozen=True, slots=True)
class Plan:
    """The waves of a version in an environment.

    Attributes:
        labels: how to call each wave in a sentence.
        members: of each wave its targets, in the order in which they follow one another.
        where: of each target its wave, and its place there, from 0.
        errors: targets of which a selector has no answer; each belongs to the wave of that selector, and can not go.
    """

    waves: tuple[Wave, ...]
    labels: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    where: dict[str, tuple[int, int]]
    errors: dict[str, str]

    def needed(self, wave: int, targets: int) -> int:
        """On how many of so many targets of a wave the version must run healthily before the next one begins."""
        share = self.waves[wave].success_percentage
        return targets if share is None else ceil(targets * exact(share) / 100)


class _Pick(NamedTuple):
    """The first selector that names a resource (None: none does), and what is wrong with it for this resource, or empty."""

    resource: ResourceSaved | None
    wave: int | None
    error: str


class _Picks:
    """The picks of all targets of a pair; asked anew only of resources whose document was replaced."""

    __slots__ = ("of", "resources", "targets")

    def __init__(self) -> None:
        self.targets: Map[str, int] | None = None
        self.resources: Map[str, ResourceSaved] | None = None
        self.of: dict[str, _Pick] = {}


_picks: Kept[tuple[str, str, tuple[Wave, ...]], _Picks] = Kept(KEPT)
_plans: Kept[tuple[str, str, tuple[Wave, ...], str], tuple[dict[str, _Pick], Map[str, int], Plan]] = Kept(KEPT)


def plan_of(body: GradualRollout, state: State, pair: Pair, version_id: str) -> Plan:
    """The waves of a version over the targets that a pair has now."""
    picks = _picks_of(body.waves, state, pair)
    key = (pair.deployment_id, pair.environment_id, body.waves, version_id)
    known = _plans.get(key)
    if known is not None and known[0] is picks and known[1] is pair.targets:
        return known[2]
    return _plans.keep(key, (picks, pair.targets, _plan(body.waves, picks, pair, version_id)))[2]


def reads_resources(body: GradualRollout) -> bool:
    """Whether a target's wave depends on its resource's document."""
    return any(wave.selector is not None for wave in body.waves)


def _plan(waves: tuple[Wave, ...], picks: dict[str, _Pick], pair: Pair, version_id: str) -> Plan:
    places = places_of(pair, version_id)
    order = sorted(places, key=places.__getitem__)
    by_selector: dict[int, list[str]] = {}
    for one in order:
        wave_of = picks[one].wave
        if wave_of is not None:
            by_selector.setdefault(wave_of, []).append(one)
    taken: set[str] = set()
    members: list[tuple[str, ...]] = []
    upto, share, reached = 0, exact(0), 0
    for index, wave in enumerate(waves):
        mine: list[str] = []
        if wave.percentage is None:
            mine = [one for one in by_selector.get(index, ()) if one not in taken]
        else:
            share += exact(wave.percentage)
            before, upto = upto, ceil(share * len(order) / 100)
            while reached < len(order) and len(mine) < upto - before:
                if order[reached] not in taken:
                    mine.append(order[reached])
                reached += 1
        taken.update(mine)
        members.append(tuple(mine))
    rest = tuple(one for one in order if one not in taken)
    if rest:
        waves, members = (*waves, Wave(name="all others")), [*members, rest]
    where = {one: (index, place) for index, of_wave in enumerate(members) for place, one in enumerate(of_wave)}
    labels = tuple(
        f"wave {index + 1} of {len(waves)}" + (f", {wave.name}" if wave.name else "") for index, wave in enumerate(waves)
    )
    errors = {
        one: pick.error for one, pick in picks.items() if pick.error and pick.wave is not None and where[one][0] == pick.wave
    }
    return Plan(waves, labels, tuple(members), where, errors)


def _picks_of(waves: tuple[Wave, ...], state: State, pair: Pair) -> dict[str, _Pick]:
    key = (pair.deployment_id, pair.environment_id, waves)
    known = _picks.get(key)
    if known is None:
        known = _picks.keep(key, _Picks())
    if known.targets is pair.targets and known.resources is state.resources:
        return known.of
    programs = _programs(waves)
    found: dict[str, _Pick] = {}
    news = known.targets is not pair.targets
    for one in pair.targets:
        resource = state.resources.get(one)
        before = known.of.get(one)
        if before is None or before.resource is not resource:
            before = _pick(programs, state.workspace_id, resource)
            news = True
        found[one] = before
    if news:
        known.of = found
    known.targets, known.resources = pair.targets, state.resources
    return known.of


def _programs(waves: tuple[Wave, ...]) -> list[tuple[int, Program | str]]:
    """By wave with a selector its program, or what is wrong with it."""
    programs: list[tuple[int, Program | str]] = []
    for index, wave in enumerate(waves):
        if wave.selector is None:
            continue
        try:
            programs.append((index, contexts.SELECTOR.compile(wave.selector)))
        except CelProblems as problems:
            programs.append((index, str(problems)))
    return programs


def _pick(programs: list[tuple[int, Program | str]], workspace_id: str, resource: ResourceSaved | None) -> _Pick:
    if not programs:
        return _Pick(resource, None, "")
    document = resource_document(workspace_id, resource) if resource is not None else {}
    for index, program in programs:
        if isinstance(program, str):
            return _Pick(resource, index, program)
        if program.matches(resource=document):
            return _Pick(resource, index, "")
        verdict = program.verdict(resource=document)
        if verdict.is_error:
            return _Pick(resource, index, verdict.message or "it has no answer")
    return _Pick(resource, None, "")
