"""Which tests stay together when the suite runs in several processes."""

from __future__ import annotations

from typing import Final

from xdist.scheduler import LoadScopeScheduling

TOGETHER: Final = ("tests/browser", "tests/integration/api", "tests/packaging")
"""Folders whose tests share what takes long to start: a whole system, a browser, a package."""


class Spreading(LoadScopeScheduling):
    """Hands out a file at a time, or one of the folders that stay together; those with most tests first."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


def together(nodeid: str) -> str:
    """What a test is handed out with: a folder that stays together, else its file."""
    path = nodeid.split("::", 1)[0]
    return next((folder for folder in TOGETHER if path.startswith(f"{folder}/")), path)
