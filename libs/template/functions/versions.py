"""Semantic versions and the ranges that `semverCompare` knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, Final, NamedTuple

from libs.template.error import Fault
from libs.template.functions.signature import TEXT, Function
from libs.template.values import Opaque, Whole64

_PRERELEASE: Final = r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
_VERSION: Final = re.compile(rf"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?{_PRERELEASE}")
_OPERATOR: Final = r"(=|!=|>=|=>|<=|=<|>|<|~>|~|\^|)"
_PART: Final = r"([0-9]+|[xX*])"
_CONSTRAINT: Final = re.compile(rf"{_OPERATOR}\s*v?{_PART}(?:\.{_PART})?(?:\.{_PART})?{_PRERELEASE}")
_HYPHEN: Final = re.compile(r"\s*(\S+)\s+-\s+(\S+)\s*")
_LONGEST: Final = 256


class Version(Opaque):
    """A version; missing parts are 0.

    Attributes:
        numbers: major, minor, patch.
        prerelease: what follows the hyphen, or nothing.
        metadata: what follows the plus sign, or nothing.
        original: as it was written.
    """

    __slots__ = ("metadata", "numbers", "original", "prerelease")
    type: ClassVar[str] = "*semver.Version"

    def __init__(self, numbers: tuple[int, int, int], prerelease: str, metadata: str, original: str) -> None:
        self.numbers = numbers
        self.prerelease = prerelease
        self.metadata = metadata
        self.original = original

    def __str__(self) -> str:
        text = ".".join(map(str, self.numbers))
        return text + (f"-{self.prerelease}" if self.prerelease else "") + (f"+{self.metadata}" if self.metadata else "")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.order == other.order

    def __hash__(self) -> int:
        return hash(self.order)

    def field(self, name: str) -> Any:
        match name:
            case "Major" | "Minor" | "Patch":
                return Whole64(self.numbers[("Major", "Minor", "Patch").index(name)])
            case "Prerelease":
                return self.prerelease
            case "Metadata":
                return self.metadata
            case "Original":
                return self.original
        raise Fault(f"a version has Major, Minor, Patch, Prerelease, Metadata and Original, not {name!r}")

    @property
    def order(self) -> tuple[Any, ...]:
        """What versions are ordered by: a prerelease is below its release, numbers in it below words."""
        words = tuple((0, int(word), "") if word.isdecimal() else (1, 0, word) for word in self.prerelease.split("."))
        return (self.numbers, not self.prerelease, words)


def version_of(text: str) -> Version:
    """A version, also `v1` and `1.2`. Raises: Fault."""
    found = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None or any(_has_leading_zero(word) for word in (found[4] or "").split(".")):
        raise Fault(f"{text[:60]!r} is no semantic version")
    major, minor, patch = (int(found[part] or 0) for part in (1, 2, 3))
    return Version((major, minor, patch), found[4] or "", found[5] or "", text)


def _has_leading_zero(word: str) -> bool:
    return len(word) > 1 and word[0] == "0" and word.isdecimal()


class Constraint(NamedTuple):
    """One comparison of a range.

    Attributes:
        operator: `=`, `!=`, `>`, `>=`, `<`, `<=`, `~` or `^`.
        version: what is compared with.
        parts: how many of its numbers were written; the rest are wild.
    """

    operator: str
    version: Version
    parts: int

    def holds(self, version: Version) -> bool:
        """Whether a version satisfies it; a prerelease only does if the constraint names one."""
        if version.prerelease and not self.version.prerelease:
            return False
        return _HOLDS[self.operator](self, version)


def _equal(constraint: Constraint, version: Version) -> bool:
    return _tilde(constraint, version) if constraint.parts < 3 else version.order == constraint.version.order


def _differs(constraint: Constraint, version: Version) -> bool:
    if constraint.parts == 3:
        return version.order != constraint.version.order
    return version.numbers[: constraint.parts] != constraint.version.numbers[: constraint.parts]


def _greater(constraint: Constraint, version: Version) -> bool:
    if constraint.parts == 3:
        return version.order > constraint.version.order
    return version.numbers[: constraint.parts] > constraint.version.numbers[: constraint.parts]


def _at_least(constraint: Constraint, version: Version) -> bool:
    return version.order >= constraint.version.order


def _less(constraint: Constraint, version: Version) -> bool:
    return version.order < constraint.version.order


def _at_most(constraint: Constraint, version: Version) -> bool:
    if constraint.parts == 3:
        return version.order <= constraint.version.order
    return version.numbers[: constraint.parts] <= constraint.version.numbers[: constraint.parts]


def _tilde(constraint: Constraint, version: Version) -> bool:
    if constraint.version.numbers == (0, 0, 0) and constraint.parts in (0, 3) and constraint.operator != "=":
        return True
    fixed = min(constraint.parts, 2)
    return _at_least(constraint, version) and version.numbers[:fixed] == constraint.version.numbers[:fixed]


def _caret(constraint: Constraint, version: Version) -> bool:
    if not _at_least(constraint, version):
        return False
    # The first number that is written and not 0 must not change, nor any before it.
    numbers = constraint.version.numbers
    fixed = next((place + 1 for place in range(constraint.parts) if numbers[place]), max(constraint.parts, 1))
    return constraint.parts == 0 or version.numbers[:fixed] == numbers[:fixed]


_HOLDS: Final[dict[str, Callable[[Constraint, Version], bool]]] = {
    "": _equal, "=": _equal, "!=": _differs, ">": _greater, ">=": _at_least, "=>": _at_least,
    "<": _less, "<=": _at_most, "=<": _at_most, "~": _tilde, "~>": _tilde, "^": _caret,
}  # fmt: skip


def _range(text: str) -> list[list[Constraint]]:
    """Alternatives, each of constraints that must all hold."""
    return [_together(alternative) for alternative in text.split("||")]


def _together(text: str) -> list[Constraint]:
    if hyphen := _HYPHEN.fullmatch(text):
        text = f">={hyphen[1]} <={hyphen[2]}"
    constraints: list[Constraint] = []
    at = 0
    while at < len(text):
        if text[at] in ", \t":
            at += 1
            continue
        found = _CONSTRAINT.match(text, at)
        if found is None or (found.end() < len(text) and text[found.end()] not in ", \t"):
            raise Fault(f"{text[at:][:60]!r} is no range of versions; write for example '>=1.2, <2' or '^1.4'")
        constraints.append(_constraint(found))
        at = found.end()
    if not constraints:
        raise Fault("a range of versions is empty; write '*' for any version")
    return constraints


def _constraint(found: re.Match[str]) -> Constraint:
    numbers: list[int] = []
    for part in (found[2], found[3], found[4]):
        if part is None or not part.isdecimal():
            break
        numbers.append(int(part))
    parts = len(numbers)
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    prerelease = found[5] or ""
    return Constraint(found[1], Version((major, minor, patch), prerelease, found[6] or "", ""), parts)


def _compare(constraint: str, version: str) -> bool:
    if len(constraint) > _LONGEST:
        raise Fault(f"a range of versions has at most {_LONGEST} characters")
    alternatives = _range(constraint)
    wanted = version_of(version)
    return any(all(one.holds(wanted) for one in together) for together in alternatives)


TABLE: Final[dict[str, Function]] = {
    "semver": Function(version_of, (TEXT,)),
    "semverCompare": Function(_compare, (TEXT, TEXT)),
}
