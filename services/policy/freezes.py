"""Freezes: an implicit rule on every target, its first deployment included. What can not be judged holds.

A freeze in whose selector a key is missing does not hold the target; any other error holds it. A person lets one version pass a freeze
until an instant; where several freezes hold, each must end or be passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from contracts.documents import deployment_document, environment_document, resource_document
from contracts.facts.inventory import ResourceSaved
from contracts.shapes import Json
from libs.cel import CelProblems, Program, contexts
from libs.freezes import Spell, covers, spell_of
from libs.runtime.kept import Kept
from services.policy.finding import Finding, RuleKey
from services.policy.instants import spoken
from services.policy.state import Freeze, Override, Pair, State, Version

FREEZE: Final = "freeze"
KEPT_SELECTORS: Final = 256

FREEZE_OVER: Final = Finding("allowed", "The freeze no longer holds this target.")
"""Recorded where a freeze held a target and is over, was thawed, or takes it in no more."""


class Frozen(NamedTuple):
    """A freeze that concerns a target; `error` says what is wrong with its selector, else it is empty."""

    freeze_id: str
    error: str = ""


Answers = dict[str, tuple[ResourceSaved | None, str | None]]
"""By resource id: the document that was asked about, and None where it is not held, else empty or an error."""
FreezeFindings = tuple[tuple[RuleKey, Finding], ...]


class PairFreezes:
    """The freezes that hold targets of a pair at an instant, or will."""

    def __init__(self, state: State, pair: Pair, freezes: Mapping[str, Freeze], spells: Mapping[str, Spell]) -> None:
        self._state = state
        self._spells: dict[str, Spell] = {}
        self._fixed: list[Frozen] = []
        self._asked: list[tuple[str, Program, Answers]] = []
        self._documents: dict[str, Json] = {}
        self._interned: dict[tuple[Frozen, ...], tuple[Frozen, ...]] = {}
        systems = systems_of(state, pair)
        for freeze_id, spell in spells.items():
            saved = freezes[freeze_id].saved
            if not covers(saved, pair.deployment_id, pair.environment_id, systems):
                continue
            self._spells[freeze_id] = spell
            self._add(freeze_id, saved.selector, pair)

    @property
    def any(self) -> bool:
        """Whether there may be any for some target."""
        return bool(self._spells)

    def spell(self, freeze_id: str) -> Spell:
        return self._spells[freeze_id]

    def of(self, resource_id: str) -> tuple[Frozen, ...]:
        """The freezes that concern a target, by their ids."""
        found = tuple(self._fixed)
        if self._asked:
            resource = self._state.resources.get(resource_id)
            asked = [
                Frozen(freeze_id, answer)
                for freeze_id, program, answers in self._asked
                if (answer := self._answer(program, answers, resource_id, resource)) is not None
            ]
            if asked:
                found = tuple(sorted((*found, *asked)))
        return self._interned.setdefault(found, found)

    def _answer(self, program: Program, answers: Answers, resource_id: str, resource: ResourceSaved | None) -> str | None:
        known = answers.get(resource_id)
        if known is not None and known[0] is resource:
            return known[1]
        document = resource_document(self._state.workspace_id, resource) if resource is not None else {}
        answer = _ask(program, {"resource": document, **self._documents})
        answers[resource_id] = (resource, answer)
        return answer

    def _add(self, freeze_id: str, selector: str | None, pair: Pair) -> None:
        if selector is None:
            self._fixed.append(Frozen(freeze_id))
            return
        if not self._documents:
            deployment = self._state.deployments.get(pair.deployment_id)
            environment = self._state.environments.get(pair.environment_id)
            self._documents = {
                "deployment": deployment_document(deployment) if deployment is not None else {},
                "environment": environment_document(self._state.workspace_id, environment) if environment is not None else {},
            }
        try:
            program = contexts.TARGET.compile(selector)
        except CelProblems as problems:
            self._fixed.append(Frozen(freeze_id, str(problems)))
            return
        if "resource" in program.roots:
            self._asked.append((freeze_id, program, _answers_of(self._state, pair, selector)))
        elif (answer := _ask(program, self._documents)) is not None:
            self._fixed.append(Frozen(freeze_id, answer))


class Freezes:
    """What freezes say at an instant; keeps what it found, so that targets with the same findings share them."""

    def __init__(self, state: State, now: datetime) -> None:
        self._state = state
        self._now = now
        self._pairs: dict[str, PairFreezes] = {}
        self._spells = spells_of(state.freezes, now)
        self._found: dict[tuple[str, str, tuple[Frozen, ...], tuple[int, ...]], FreezeFindings] = {}

    def judge(self, pair: Pair, version: Version, resource_id: str) -> FreezeFindings:
        """What each freeze that concerns a target says about a version; the same object for targets of which it is the same."""
        if not self._state.freezes:
            return ()
        of_pair = self._pairs.get(pair.key)
        if of_pair is None:
            of_pair = self._pairs[pair.key] = PairFreezes(self._state, pair, self._state.freezes, self._spells)
        if not of_pair.any:
            return ()
        frozen = of_pair.of(resource_id)
        passes = tuple(
            one
            for freeze in frozen
            for one in self._state.freezes[freeze.freeze_id].overrides
            if self._lets_pass(one, version, pair.environment_id, resource_id)
        )
        key = (pair.key, version.version_id, frozen, tuple(one.position for one in passes))
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = tuple(self._finding(of_pair, one, version, passes) for one in frozen)
        return found

    def _lets_pass(self, override: Override, version: Version, environment_id: str, resource_id: str) -> bool:
        saved = override.saved
        return (
            saved.version_id == version.version_id
            and saved.expires_at > self._now
            and saved.environment_id in (None, environment_id)
            and saved.resource_id in (None, resource_id)
        )

    def _finding(
        self, of_pair: PairFreezes, frozen: Frozen, version: Version, passes: tuple[Override, ...]
    ) -> tuple[RuleKey, Finding]:
        key = RuleKey("", frozen.freeze_id, FREEZE)
        freeze, spell = self._state.freezes[frozen.freeze_id], of_pair.spell(frozen.freeze_id)
        if not spell.holds:
            assert spell.next_start is not None, "a freeze that never holds again concerns no target"
            message = f"A freeze begins at {spoken(spell.next_start)}: {freeze.saved.reason}"
            return key, Finding("allowed", message, look_again_at=spell.next_start, facts=(freeze.position,))
        mine = [one for one in passes if one.saved.freeze_id == frozen.freeze_id]
        if mine:
            return key, _passed(freeze, mine, version)
        return key, _held(freeze, spell, frozen.error or spell.problem, version)


def spells_of(freezes: Mapping[str, Freeze], now: datetime) -> dict[str, Spell]:
    """How the freezes that hold, or will, stand at an instant; by id, in order."""
    spells = {freeze_id: spell_of(freezes[freeze_id].saved, now) for freeze_id in sorted(freezes)}
    return {freeze_id: spell for freeze_id, spell in spells.items() if spell.holds or spell.next_start is not None}


def systems_of(state: State, pair: Pair) -> frozenset[str]:
    """The systems that a deployment and an environment share."""
    return state.links.get(pair.deployment_id, frozenset()) & state.links.get(pair.environment_id, frozenset())


def reads_resources(freezes: Mapping[str, Freeze]) -> bool:
    """Whether the selector of any freeze looks at the resource, so that a changed resource may matter."""
    for freeze in freezes.values():
        if freeze.saved.selector is not None:
            try:
                if "resource" in contexts.TARGET.compile(freeze.saved.selector).roots:
                    return True
            except CelProblems:
                continue
    return False


def is_dead(state: State, scope: str, scope_id: str | None) -> bool:
    """Whether what a freeze is for is no longer there."""
    known: dict[str, Mapping[str, object]] = {
        "system": state.systems,
        "environment": state.environments,
        "deployment": state.deployments,
    }
    return scope in known and scope_id not in known[scope]


def called(by: str) -> str:
    """A person as a sentence names it."""
    return by.removeprefix("user:") or "somebody"


class _Answered(NamedTuple):
    """Answers of a selector for the targets of a pair, and the documents that they were made from."""

    deployment: object
    environment: object
    answers: Answers


_kept: Kept[tuple[str, str, str, str], _Answered] = Kept(KEPT_SELECTORS)


def _answers_of(state: State, pair: Pair, selector: str) -> Answers:
    """What a selector answered for targets of a pair, from memory while deployment and environment are still the same documents."""
    key = (state.workspace_id, pair.deployment_id, pair.environment_id, selector)
    deployment, environment = state.deployments.get(pair.deployment_id), state.environments.get(pair.environment_id)
    known = _kept.get(key)
    if known is None or known.deployment is not deployment or known.environment is not environment:
        known = _kept.keep(key, _Answered(deployment, environment, {}))
    return known.answers


def _ask(program: Program, documents: dict[str, Json]) -> str | None:
    """None where a selector does not pick a target, else empty, or why that can not be told."""
    verdict = program.verdict(**documents)
    if verdict.is_error:
        return verdict.message or "it has no answer"
    return "" if verdict.is_match else None


def _held(freeze: Freeze, spell: Spell, error: str, version: Version) -> Finding:
    saved = freeze.saved
    link = f" ({saved.link})" if saved.link else ""
    until = f"until {spoken(spell.until)}" if spell.until is not None else "until somebody thaws it"
    message = f"Frozen by {called(saved.created_by)} {until}: {saved.reason.rstrip('.')}{link}."
    if error:
        message += f" Whether the freeze is meant for this target can not be told, so it holds: {error.rstrip('.')}."
    person = f"a person who thaws the freeze or lets {version.tag} pass it"
    return Finding(
        "waiting" if spell.until is not None else "blocked",
        message,
        ended_by=f"its end at {spoken(spell.until)}, or {person}" if spell.until is not None else person,
        look_again_at=spell.until,
        facts=(freeze.position,),
    )


def _passed(freeze: Freeze, overrides: list[Override], version: Version) -> Finding:
    """The override that lasts longest speaks."""
    last = max(overrides, key=lambda one: (one.saved.expires_at, one.position))
    saved = last.saved
    return Finding(
        "allowed",
        f"{called(saved.created_by)} lets {version.tag} pass the freeze ({freeze.saved.reason.rstrip('.')}) until "
        f"{spoken(saved.expires_at)}: {saved.reason.rstrip('.')}.",
        satisfied_at=saved.created_at,
        look_again_at=saved.expires_at,
        facts=(freeze.position, last.position),
    )
