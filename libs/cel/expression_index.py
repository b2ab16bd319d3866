"""One document against many expressions."""

from __future__ import annotations

from collections import Counter
from typing import Any

from libs.cel.conditions import Alternatives, Kind, Path, rank
from libs.cel.documents import SCALARS
from libs.cel.pattern_filter import PatternFilter
from libs.cel.program import Program
from libs.cel.syntax import Literal

_Bucket = dict[str, Program | None]
"""Expressions by key; None in place of one that is true of whatever leads here."""


class _Place:
    """One step of a path: what is filed about the value there, and the keys that lead on."""

    __slots__ = ("below", "equal", "filter", "lengths", "patterns", "prefixes", "present")

    def __init__(self) -> None:
        self.below: dict[str, _Place] = {}
        self.equal: dict[Any, _Bucket] = {}
        self.prefixes: dict[str, _Bucket] = {}
        self.lengths: Counter[int] = Counter()
        self.patterns: dict[str, _Bucket] = {}
        self.filter = PatternFilter()
        self.present: _Bucket = {}

    @property
    def is_empty(self) -> bool:
        return not (self.below or self.equal or self.prefixes or self.patterns or self.present)


class ExpressionIndex:
    """Expressions by key; `matching` finds those that are true of a document.

    Each is filed once, under the condition that tells most; one without any condition is evaluated for every document. What tells
    most is learned from the expressions themselves: a field compared with many different values tells more than one compared with
    two. Changes are noted and worked in before the next `matching`. Not made for several threads.

    Args:
        variable: what expressions call the document; the other variables of their environment count as empty maps.
    """

    def __init__(self, variable: str = "resource") -> None:
        self._variable = variable
        self._programs: dict[str, Program] = {}
        self._pending: dict[str, None] = {}
        self._filed: dict[str, Alternatives] = {}
        self._learned_from = 0
        self._values: dict[tuple[Kind, Path], Counter[Any]] = {}
        self._root = _Place()
        self._rest: _Bucket = {}

    def __len__(self) -> int:
        return len(self._programs)

    def __contains__(self, key: object) -> bool:
        return key in self._programs

    def get(self, key: str) -> Program | None:
        """Return an expression, None if there is none."""
        return self._programs.get(key)

    def put(self, key: str, program: Program) -> None:
        """Add an expression or replace it."""
        assert self._variable in program.environment.variables, f"{program!r} does not know {self._variable}"
        if self._programs.get(key) is not program:
            self.remove(key)
            self._programs[key] = program
            self._pending[key] = None

    def remove(self, key: str) -> None:
        """Forget an expression, if it is there."""
        program = self._programs.pop(key, None)
        if program is not None and self._pending.pop(key, self) is self:
            self._count(program, -1)
            self._unfile(key)

    def matching(self, document: Any) -> list[str]:
        """Return the keys of all expressions that are true of the document, ascending; an error is no match."""
        self._settle()
        found: _Bucket = dict(self._rest)
        _collect(self._root, document, found)
        variables = {self._variable: document}
        answers: dict[Program, bool] = {}
        matching: list[str] = []
        for key, program in found.items():
            if program is None:
                matching.append(key)
                continue
            # Equal expressions are one program, which is asked once.
            answer = answers.get(program)
            if answer is None:
                answer = answers[program] = program.test(variables)
            if answer:
                matching.append(key)
        matching.sort()
        return matching

    def _settle(self) -> None:
        if not self._pending:
            return
        for key in self._pending:
            self._count(self._programs[key], 1)
        keys = list(self._pending)
        self._pending = {}
        if len(self._programs) > 2 * self._learned_from:
            # So much more is known now that the old ones may be better filed elsewhere.
            self._learned_from = len(self._programs)
            self._root, self._rest, self._filed = _Place(), {}, {}
            keys = list(self._programs)
        for key in keys:
            self._file(key, self._programs[key])

    def _usable(self, every: tuple[Alternatives, ...]) -> list[Alternatives]:
        return [alternatives for alternatives in every if all(one.path[0] == self._variable for one in alternatives)]

    def _count(self, program: Program, step: int) -> None:
        for alternatives in self._usable(program.conditions.every):
            for kind, path, value in alternatives:
                if kind != "has":
                    values = self._values.setdefault((kind, path), Counter())
                    values[value] += step
                    if not values[value]:
                        del values[value]
                        if not values:
                            del self._values[kind, path]

    def _weight(self, alternatives: Alternatives) -> tuple[float, tuple[int, int]]:
        """Return the share of documents that may be expected to lead here; of equal ones the better kind."""
        share = sum(1.0 if kind == "has" else 1 / len(self._values[kind, path]) for kind, path, _ in alternatives)
        return share, rank(alternatives)

    def _file(self, key: str, program: Program) -> None:
        if isinstance(program.tree, Literal):
            if program.test({}):
                self._rest[key] = None
            return
        conditions = program.conditions
        usable = self._usable(conditions.every)
        if not usable:
            self._rest[key] = program
            return
        best = min(usable, key=self._weight)
        entry = None if conditions.whole and len(conditions.every) == 1 else program
        for kind, path, value in best:
            place = self._root
            for step in path[1:]:
                place = place.below.setdefault(step, _Place())
            if kind == "eq":
                place.equal.setdefault(value, {})[key] = entry
            elif kind == "prefix":
                bucket = place.prefixes.setdefault(value, {})
                if not bucket:
                    place.lengths[len(value)] += 1
                bucket[key] = entry
            elif kind == "regex":
                bucket = place.patterns.setdefault(value, {})
                if not bucket:
                    place.filter.add(value)
                bucket[key] = entry
            else:
                place.present[key] = entry
        self._filed[key] = best

    def _unfile(self, key: str) -> None:
        self._rest.pop(key, None)
        for kind, path, value in self._filed.pop(key, ()):
            steps = [self._root]
            for step in path[1:]:
                steps.append(steps[-1].below[step])
            place = steps[-1]
            if kind == "eq":
                _take(place.equal, value, key)
            elif kind == "prefix":
                if _take(place.prefixes, value, key):
                    place.lengths[len(value)] -= 1
                    if not place.lengths[len(value)]:
                        del place.lengths[len(value)]
            elif kind == "regex":
                if _take(place.patterns, value, key):
                    place.filter.remove(value)
            else:
                place.present.pop(key, None)
            for above, step in zip(reversed(steps[:-1]), reversed(path[1:]), strict=True):
                if above.below[step].is_empty:
                    del above.below[step]


def _take(buckets: dict[Any, _Bucket], value: Any, key: str) -> bool:
    """Take a key out of its bucket; return whether the bucket is gone with it."""
    bucket = buckets.get(value)
    if bucket is None:
        return False
    bucket.pop(key, None)
    if bucket:
        return False
    del buckets[value]
    return True


def _collect(place: _Place, value: Any, found: _Bucket) -> None:
    """Add everything filed under the value and below it. Paths are short and bounded, whatever the document."""
    if value.__class__ is dict:
        below = place.below
        # A document with few keys against thousands of paths, or the other way round: go through the shorter.
        if len(below) <= len(value):
            for key, inner in below.items():
                if key in value:
                    _collect_at(inner, value[key], found)
        else:
            for key, item in value.items():
                inner_place = below.get(key)
                if inner_place is not None:
                    _collect_at(inner_place, item, found)


def _collect_at(place: _Place, value: Any, found: _Bucket) -> None:
    found.update(place.present)
    if value.__class__ in SCALARS:
        if place.equal and (equal := place.equal.get(value)):
            found.update(equal)
        if place.lengths and value.__class__ is str:
            for length in place.lengths:
                bucket = place.prefixes.get(value[:length]) if length <= len(value) else None
                if bucket:
                    found.update(bucket)
        if place.patterns and value.__class__ is str:
            for pattern in place.filter.candidates(value):
                found.update(place.patterns[pattern])
    elif place.below:
        _collect(place, value, found)
