"""Keeps the collector of cyclic garbage out of the way of whoever makes millions of objects that stay.

The collector walks what is new again and again, and now and then everything: half a second with the states of ten thousand targets, during
which this process answers nobody. Folded states are never cyclic, and go when nobody refers to them any more.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

YOUNG: Final = 5_000
"""Objects that are made, less those that went, until what is new is walked once. A fold replaces old ones all the time, which are subtracted as
well, so that ten times as many may be new."""
_NEVER: Final = 1 << 30


class _Sparing:
    """How many are at it, and how the collector was before."""

    def __init__(self) -> None:
        self.many = 0
        self.before = gc.get_threshold()


_sparing: Final = _Sparing()


@contextmanager
def spared() -> Iterator[None]:
    """As long as anybody is in here, what is new is walked once, in small parts, and nothing else; then everything is set aside for good.

    Garbage that is cyclic is still found where it goes soon. Of what was in use meanwhile and becomes cyclic garbage later, such as the
    requests of that time, nothing is found any more; that is little, and this is for what happens a few times a day.
    """
    if not _sparing.many:
        _sparing.before = gc.get_threshold()
        gc.set_threshold(YOUNG, _NEVER, _NEVER)
    _sparing.many += 1
    try:
        yield
    finally:
        _sparing.many -= 1
        if not _sparing.many:
            gc.freeze()
            gc.set_threshold(*_sparing.before)
