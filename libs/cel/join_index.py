"""One relation between documents: who is related to whom."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from libs.cel.budget import Budget
from libs.cel.charged import Charged
from libs.cel.documents import value_at
from libs.cel.join_side import Joined, Marks, Side
from libs.cel.joins import take_apart
from libs.cel.postings import Postings
from libs.cel.program import Program
from libs.cel.syntax import Binary, Node, path_of, walk

_Lists = list[list[str]]
UNBOUNDED: Final = 1 << 62
"""More steps than anybody can take."""


class JoinIndex:
    """Documents by key under one relation with two variables, such as `from` and `to`; `related` finds both directions.

    Every document is looked at in both roles. Where the relation asks for an equality between values of the two documents, or for one
    to contain the other, only documents that share such a value are compared; otherwise all that pass what the relation asks of one
    document alone. A document must not be changed once it is put; put another one. Not made for several threads.

    What it costs to enter the documents that are there is counted (`Charged`), so that it follows from them alone, in whatever order
    they came and went.

    Args:
        program: the relation; its environment has exactly two variables.
        most_steps: what entering all documents may take.
    """

    def __init__(self, program: Program, most_steps: int = UNBOUNDED) -> None:
        assert len(program.environment.variables) == 2, f"{program!r} relates two variables"
        relation = take_apart(program)
        first, second = program.environment.variables
        self.program = program
        self.most_steps = most_steps
        self.steps = 0
        """What it took to enter the documents that are there."""
        self._documents: dict[str, Any] = {}
        self._pool = pool = Budget(most_steps)
        self._pairs = Charged(program, pool)
        self._compared = tuple(dict.fromkeys(path for node in walk(program.tree) for path in _compared(node)))
        self._looked: tuple[str, tuple[_Lists, _Lists]] | None = None
        of_first = [[Joined(join.first, join.meeting == "second_in_first") for join in group] for group in relation.joins]
        of_second = [[Joined(join.second, join.meeting == "first_in_second") for join in group] for group in relation.joins]
        self._sides = Side(first, relation.first, of_first, pool), Side(second, relation.second, of_second, pool)

    def __len__(self) -> int:
        return len(self._documents)

    def __contains__(self, key: object) -> bool:
        return key in self._documents

    @property
    def is_joined(self) -> bool:
        """Whether documents are looked up by shared values; if not, each is compared with every other that may take part."""
        return bool(self._sides[0].tables)

    @property
    def is_unconditional(self) -> bool:
        """Whether every document is compared with every other one, so that how many there are says how often."""
        return not self.is_joined and not any(side.has_conditions for side in self._sides)

    @property
    def is_beyond(self) -> bool:
        """Whether entering the documents takes more than it may; then what the index finds says nothing."""
        return self.steps > self.most_steps

    def fill(self, documents: Mapping[str, Any]) -> None:
        """Put many documents into an index that is empty: a fraction of the work. Gives up as soon as `is_beyond` is certain."""
        assert not self._documents, "only an empty index is filled"
        keys = sorted(documents)
        rows = [documents[key] for key in keys]
        self._documents = dict(zip(keys, rows, strict=True))
        self._looked = None
        self._pool.left = self.most_steps
        # What filling the tables takes at least is known when both sides have said whom they admit: refused before, not after.
        admitted = [side.admit(rows) for side in self._sides]
        for side, places in zip(self._sides, admitted, strict=True):
            if self._pool.left >= 0:
                side.fill([keys[place] for place in places], [rows[place] for place in places])
        self.steps = self._spent()

    def put(self, key: str, document: Any) -> None:
        """Add a document or replace it."""
        self.remove(key)
        self._looked = None
        self._documents[key] = document
        for side, marked in self._admitting(document):
            if not side.tables:
                insort(side.all, key)
            for postings, mark in side.entries(marked):
                postings.add(mark, key)
        self.steps += self._spent()

    def remove(self, key: str) -> None:
        """Forget a document, if it is there."""
        if key not in self._documents:
            return
        self._looked = None
        document = self._documents.pop(key)
        for side, marked in self._admitting(document):
            if not side.tables:
                del side.all[bisect_left(side.all, key)]
            for postings, mark in side.entries(marked):
                postings.remove(mark, key)
        self.steps -= self._spent()

    def may_relate(self, document: Any) -> bool:
        """Whether a document, there or not, could have a part in any relation, as far as it tells by itself."""
        self._pool.left = self.most_steps
        return any(_has_each(side.marks(document)) for side in self._sides) or self._pool.left < 0

    def comparisons(self, key: str) -> int:
        """Return how many pairs `related` would compare at most, both directions together; 0 for an unknown key."""
        return sum(sum(map(len, lists)) for lists in self._look(key))

    def related(self, key: str, budget: Budget | None = None) -> tuple[list[str], list[str]]:
        """Return whom a document is related to and who is related to it, each ascending, itself never among them.

        An error on a pair is no relation. Work is proportional to `comparisons(key)` for small relations that do about the same for
        every pair; all can be given a budget. Once nothing of it is left, the answer says nothing.

        Returns:
            The keys Y for which the relation is true with the document as the first variable and Y as the second, and those for
            which it is true the other way round. Both empty for an unknown key.
        """
        outgoing, incoming = self._look(key)
        with _Paid(self._pool, budget):
            return self._matching(key, 0, outgoing), self._matching(key, 1, incoming)

    def all_comparisons(self) -> int:
        """Return how many pairs `all_related` would compare at most; found without comparing any."""
        first, second = self._sides
        if not first.tables:
            return len(first.all) * len(second.all)
        return sum(len(ones) * len(others) for ones, others in self._meetings(self._best_group()))

    def all_related(self, budget: Budget) -> Iterator[tuple[str, list[str]]]:
        """Yield every document that is related to others, with those, ascending: the relation as a whole.

        Args:
            budget: what it is taken from. Once nothing of it is left, there are no further ones, and the answer says nothing.
        """
        candidates: dict[str, _Lists] = {}
        if not self._sides[0].tables:
            others = self._sides[1].all
            candidates = {one: [others] for one in self._sides[0].all} if others else {}
        else:
            for ones, others in self._meetings(self._best_group()):
                for one in ones:
                    candidates.setdefault(one, []).append(others)
        for one, lists in candidates.items():
            with _Paid(self._pool, budget):
                found = self._matching(one, 0, lists)
            if budget.left <= 0:
                return
            if found:
                yield one, found

    def _best_group(self) -> int:
        """Which group of joins leaves the fewest pairs."""
        groups = range(len(self._sides[0].tables))
        if len(groups) == 1:
            return 0
        return min(groups, key=lambda group: sum(len(ones) * len(others) for ones, others in self._meetings(group)))

    def _meetings(self, group: int) -> Iterator[tuple[list[str], list[str]]]:
        """Yield the documents on either side that share a value, value by value."""
        for one, other in zip(self._sides[0].tables[group], self._sides[1].tables[group], strict=True):
            for ones, others in _shared(one.postings, other.postings):
                if len(ones) > 1 or len(others) > 1 or ones[0] != others[0]:
                    yield ones, others

    def _look(self, key: str) -> tuple[_Lists, _Lists]:
        """Look up the candidates in both roles, once for a caller who asks how many they are and then for those related."""
        if self._looked is None or self._looked[0] != key:
            self._looked = key, (self._candidates(key, 0), self._candidates(key, 1))
        return self._looked[1]

    def _matching(self, key: str, role: int, lists: _Lists) -> list[str]:
        if not lists:
            return []
        keys: Sequence[str] = lists[0] if len(lists) == 1 else sorted(set().union(*lists))
        documents = self._documents
        others = [other for other in keys if other != key]
        if not others:
            return []
        here, there = self._sides[role].variable, self._sides[1 - role].variable
        mine, pairs = documents[key], self._pairs
        if pairs.is_uneven or self._compares_whole(here, mine):
            return [other for other in others if pairs.holds({here: mine, there: documents[other]})]
        return [others[place] for place in pairs.filter([documents[other] for other in others], there, {here: mine})]

    def _compares_whole(self, variable: str, document: Any) -> bool:
        """Whether a list or a map of the document is compared with a value of the other one."""
        return any(value_at(document, path[1:]).__class__ in _WHOLE for path in self._compared if path[0] == variable)

    def _candidates(self, key: str, role: int) -> _Lists:
        """Return lists of keys that hold everyone who may be related to a document in this role."""
        if key not in self._documents:
            return []
        self._pool.left = self.most_steps
        marked = self._sides[role].marks(self._documents[key])
        if marked is None:
            return []
        other = self._sides[1 - role]
        if not other.tables:
            return [other.all]
        found = [
            [
                keys
                for table, of_table in zip(tables, of_group, strict=True)
                for mark in of_table
                if (keys := table.postings.of(mark))
            ]
            for tables, of_group in zip(other.tables, marked, strict=True)
        ]
        return min(found, key=lambda lists: sum(map(len, lists)))

    def _admitting(self, document: Any) -> Iterator[tuple[Side, Marks]]:
        """The roles that a document can play, with its marks there; the pool is full before."""
        self._pool.left = self.most_steps
        for side in self._sides:
            marked = side.marks(document)
            if marked is not None:
                yield side, marked

    def _spent(self) -> int:
        """What was taken since the pool was full; of what is beyond it, no matter how much, one step, so that the sum is beyond it too."""
        return self.most_steps - max(self._pool.left, -1)


class _Paid:
    """Within it, answers are taken from a caller's budget."""

    def __init__(self, pool: Budget, budget: Budget | None) -> None:
        self._pool = pool
        self._budget = budget

    def __enter__(self) -> None:
        self._pool.left = self._budget.left if self._budget is not None else UNBOUNDED

    def __exit__(self, *_: object) -> None:
        if self._budget is not None:
            self._budget.left = self._pool.left


def _has_each(marked: Marks | None) -> bool:
    """Whether a document that is marked so may be found by every group of joins."""
    return marked is not None and all(any(of_group) for of_group in marked)


def _shared(one: Postings[str], other: Postings[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the keys of every mark that both have."""
    for mark in one.marks():
        if others := other.of(mark):
            yield one.of(mark), others


def _compared(node: Node) -> Iterator[tuple[str, ...]]:
    """Yield the paths of values that a node compares with each other."""
    if isinstance(node, Binary) and node.operator in ("==", "!="):
        paths = path_of(node.left), path_of(node.right)
        if paths[0] is not None and paths[1] is not None:
            yield from (path for path in paths if path is not None)


_WHOLE: Final = frozenset({dict, list})
