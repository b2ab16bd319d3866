"""Which snapshots of a consumer are kept: the newest, and some of the older ones, the closer to one another the newer they are.

Whoever starts again needs the newest. Whoever looks back needs one not far before the position, and mostly looks at what was just now.
"""

from __future__ import annotations

from collections.abc import Iterable

from libs.eventlog.limits import KEPT_SNAPSHOTS, OLDER_SNAPSHOTS

Key = tuple[int, int]
"""Position and state version."""


def surplus(keys: Iterable[Key], saved: Key) -> list[Key]:
    """Those to let go of.

    Args:
        keys: of every snapshot that there is.
        saved: the one that was just saved: whoever saved it will look for it, wherever it stands.
    """
    ordered = sorted(keys)
    older, newest = ordered[:-KEPT_SNAPSHOTS], ordered[-KEPT_SNAPSHOTS:]
    gone: list[Key] = []
    while len(older) > OLDER_SNAPSHOTS:
        kept = [*older, newest[0]]
        places = [place for place, key in enumerate(older) if key != saved]

        def loss(place: int, kept: list[Key] = kept) -> tuple[float, int]:
            """How far one would have to fold between its neighbours, by how long ago that is."""
            before = kept[place - 1][0] if place else 0
            return (kept[place + 1][0] - before) / (newest[-1][0] - before + 1), place

        gone.append(older.pop(min(places, key=loss)))
    return gone
