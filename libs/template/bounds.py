"""What a template may cost, and the budget that enforces it: a hostile template ends with an error, never with a full machine."""

from __future__ import annotations

from typing import Any, Final

from libs.template.error import Fault

MAX_TEXT: Final = 64 * 1024
"""Characters that a template may have, and, unless the caller allows more, what it renders to may have."""

STEPS: Final = 200_000
"""Work units of one rendering: about one per node evaluated, element visited and 256 characters handled; one is a few microseconds."""

VALUE_CHARS: Final = 256 * 1024
"""Longest string that any function may build."""

LIST_ITEMS: Final = 10_000
"""Longest list that any function may build."""

NESTING: Final = 80
"""Deepest nesting of blocks, parentheses and template calls together; one level takes up to five Python frames."""

DATA_DEPTH: Final = 64
"""Deepest lists and maps inside each other that are printed, compared or converted."""

FORMAT_WIDTH: Final = 10_000
"""Largest width and precision of a printf verb."""

REGEX_CHARS: Final = 1000
"""Longest regular expression."""

REGEX_MEMORY_BYTES: Final = 1 << 20
"""What RE2 may use for one compiled pattern."""


class Budget:
    """What is left of the work of one rendering."""

    __slots__ = ("left",)

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps

    def charge(self, steps: int) -> None:
        """Spend some work. Raises: Fault: more than there was."""
        self.left -= steps
        if self.left < 0:
            raise Fault(f"the template takes more than {STEPS} steps; loop over less, or compute the values before")

    def charge_for(self, value: Any) -> None:
        """Spend what it takes to read or build a value once."""
        if isinstance(value, str):
            self.charge(len(value) >> 8)
        elif isinstance(value, list):
            self.charge(len(value) >> 5)


class Pieces:
    """Text that grows piece by piece and refuses to grow past what a value may have."""

    __slots__ = ("budget", "length", "parts")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.parts: list[str] = []
        self.length = 0

    def add(self, text: str) -> None:
        """Append a piece. Raises: Fault: the text is too long, or the budget is spent."""
        self.length += len(text)
        check_length(self.length)
        self.budget.charge(1)
        self.parts.append(text)

    def text(self) -> str:
        return "".join(self.parts)


def check_length(characters: int) -> None:
    """Refuse a string before it is built. Raises: Fault."""
    if characters > VALUE_CHARS:
        raise Fault(f"the text would have more than {VALUE_CHARS} characters")


def check_items(items: int) -> None:
    """Refuse a list before it is built. Raises: Fault."""
    if items > LIST_ITEMS:
        raise Fault(f"the list would have more than {LIST_ITEMS} items")


def check_depth(depth: int) -> None:
    """Refuse to follow data any deeper; what contains itself ends here as well. Raises: Fault."""
    if depth > DATA_DEPTH:
        raise Fault(f"the data is nested deeper than {DATA_DEPTH} levels, or contains itself")
