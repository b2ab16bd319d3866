"""What the dashboard is made from and what was made: one hash over the sources, and a stamp beside the files that came of them.

Only the standard library, and nothing of ours: a package build loads this file too, before anything is installed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STAMP: Final = ".stamp.json"
_NOT_SOURCES: Final = frozenset({"node_modules", "test", "README.md", ".gitignore", "schema.d.ts"})
"""Below `ui/`: what others made, and what nothing that is served depends on. `schema.d.ts` is generated, and gone after compilation."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Where it is in a checkout, or in what a package is built from.

    Attributes:
        root: the folder of `pyproject.toml`.
    """

    root: Path

    @property
    def sources(self) -> Path:
        """TypeScript, CSS and everything that makes files of them."""
        return self.root / "services" / "gateway" / "ui"

    @property
    def made(self) -> Path:
        """What the gateway serves."""
        return self.root / "services" / "gateway" / "static"

    @property
    def node_lock(self) -> Path:
        """Which Node makes it."""
        return self.root / "requirements-ui.lock"

    def has_sources(self) -> bool:
        """Whether it can be made here; an installed package has only what was made."""
        return (self.sources / "package.json").is_file()

    def hash(self) -> str:
        """SHA-256 over names and contents of everything that decides how the files come out."""
        files = [
            one
            for one in sorted(self.sources.rglob("*"))
            if _NOT_SOURCES.isdisjoint(one.relative_to(self.sources).parts) and one.is_file()
        ]
        total = hashlib.sha256()
        for one in (*files, self.node_lock):
            total.update(one.relative_to(self.root).as_posix().encode() + b"\0")
            total.update(hashlib.sha256(one.read_bytes()).digest())
        return total.hexdigest()

    def is_current(self) -> bool:
        """Whether the files that are there came of today's sources, and all of them are still there."""
        try:
            stamp = json.loads((self.made / STAMP).read_text("utf-8"))
            known = stamp["sources"] == self.hash()
            return known and all((self.made / name).stat().st_size == size for name, size in stamp["files"].items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def write_stamp(self, sources: str) -> None:
        """Say that the files which are there came of sources with this hash: those that were read, not those there are by now."""
        files = {
            one.relative_to(self.made).as_posix(): one.stat().st_size
            for one in sorted(self.made.rglob("*"))
            if one.is_file() and one.name != STAMP
        }
        half_written = self.made / f"{STAMP}.new"
        half_written.write_text(json.dumps({"sources": sources, "files": files}, indent=1) + "\n", "utf-8")
        half_written.replace(self.made / STAMP)
