"""What was found out before, kept so that it need not be found out again. It never makes a difference but in time.

Long answers are found in threads of their own, while decisions go on in another one. Each thread keeps its own, so that nothing that is kept
is changed under the eyes of somebody else, and whoever keeps things that grow as they are asked needs no lock.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(threading.local, Generic[K, V]):
    """The values of the keys that were asked for last, in this thread.

    Args:
        most: values that are kept; the one that was asked for longest ago goes first.
    """

    def __init__(self, most: int) -> None:
        # Called once in every thread that looks at it, with what it was made with.
        self._most = most
        self._known: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: K) -> V | None:
        """The value of a key; None where it is not kept (any more)."""
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
        return known

    def keep(self, key: K, value: V) -> V:
        """Keep a value, which is returned."""
        self._known[key] = value
        self._known.move_to_end(key)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()
