"""The ceilings that keep a hostile expression from costing more than it should; every one is enforced, none is a hint."""

from __future__ import annotations

from typing import Final

SOURCE_CHARS: Final = 4096
"""Longest expression, in characters."""

TOKENS: Final = 2000
"""Most tokens in one expression: the parser's time is proportional to them."""

BRACKETS: Final = 48
"""Deepest nesting of brackets in the text."""

DEPTH: Final = 100
"""Deepest syntax tree; chains of && and || count as one level. Evaluation takes two Python frames a level."""

REGEX_CHARS: Final = 256
"""Longest regular expression, in characters."""

REGEX_MEMORY_BYTES: Final = 1 << 20
"""What RE2 may use for one compiled pattern."""

STEPS: Final = 100_000
"""Work units one evaluation may spend: about one per element visited and per kilobyte of text handled."""

FILTER_STEPS: Final = 20 * STEPS
"""Work units that one filter over many documents may spend in the exact back end, besides `FILTER_STEPS_PER_ROW`."""

FILTER_STEPS_PER_ROW: Final = 100
"""What every document adds to `FILTER_STEPS`."""

VALUE_SIZE: Final = 1_000_000
"""Longest string (characters) or list (elements) that an expression may build."""

GENERATED_NODES: Final = 2000
"""Most syntax nodes emitted as native code; above it the exact back end answers alone."""

CACHED_PROGRAMS: Final = 10_000
"""Programs kept by the process, over all environments; 2 KiB each, 6 once they were asked in every way."""
