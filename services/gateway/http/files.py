"""The files of the dashboard (`services/gateway/static`, made from `services/gateway/ui`), held in memory with their compressed forms."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "static"
ASSETS: Final = "/assets/"
"""Below it, a name belongs to one content for ever."""
_INDEX: Final = "index.html"
_PAGES: Final = ".vite/pages.json"
"""Which files each page of the dashboard needs beyond those of every page: `[{path, scripts, styles}, …]`."""
_CODINGS: Final = {"br": ".br", "gzip": ".gz"}
"""What a file may be compressed with, the smallest first, and how such a form of it is called."""
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is served.

    Attributes:
        content: by coding; that of "identity" is always there.
        tag: names this content.
    """

    content: Mapping[str, bytes]
    media_type: str
    tag: str

    def best(self, accepted: str) -> tuple[str, bytes]:
        """The smallest form that an `Accept-Encoding` header takes."""
        codings = codings_of(accepted)
        coding = next((one for one in _CODINGS if one in self.content and one in codings), "identity")
        return coding, self.content[coding]


@dataclass(frozen=True, slots=True)
class Files:
    """Everything that was made, at one time.

    Attributes:
        index: the page itself; None when nothing was made.
        by_path: the others, as they are asked for: `/assets/…`; with those of the time before.
        own: those that were made with the page.
        heads: by the parts of a path (None for a part that may be anything), links to what the page there needs, to stand in its head.
    """

    index: str | None = None
    by_path: Mapping[str, File] | None = None
    own: Mapping[str, File] | None = None
    heads: Sequence[tuple[tuple[str | None, ...], str]] = ()

    def head(self, path: str) -> str:
        """Links to the files of the page at this path, which the browser then loads beside those of every page; '' for none."""
        parts = path.strip("/").split("/")
        for pattern, links in self.heads:
            if len(pattern) == len(parts) and all(one in (None, part) for one, part in zip(pattern, parts, strict=True)):
                return links
        return ""

    def at(self, path: str) -> File | None:
        """The file of a path."""
        return (self.by_path or {}).get(path)


class Folder:
    """Reads the files once, and again when they were made anew, so that a page which is being developed needs no restart.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._made: tuple[int, ...] = ()
        self._files = Files()

    def files(self) -> Files:
        """What was made last; while it is being made, what was made before."""
        made = tuple(changed for name in (_INDEX, ".stamp.json") if (changed := self._changed(name)))
        if made and made != self._made:
            # What can not be read now is being made right now.
            with contextlib.suppress(OSError, ValueError):
                self._files, self._made = _read(self._folder, self._files), made
        return self._files

    def _changed(self, name: str) -> int:
        try:
            return (self._folder / name).stat().st_mtime_ns
        except OSError:
            return 0


def _read(folder: Path, before: Files) -> Files:
    # Pages that are open still ask for files of theirs, whose names are of their contents.
    found = {path: file for path, file in (before.own or {}).items() if path.startswith(ASSETS)}
    own: dict[str, File] = {}
    for one in folder.rglob("*"):
        name = one.relative_to(folder).as_posix()
        # What begins with a dot is for those who make the files.
        if one.suffix not in _TYPES or name == _INDEX or name.startswith(".") or "/." in name:
            continue
        content = {"identity": one.read_bytes()}
        for coding, ending in _CODINGS.items():
            smaller = one.with_name(one.name + ending)
            if smaller.is_file():
                content[coding] = smaller.read_bytes()
        own[f"/{name}"] = File(content, _TYPES[one.suffix], tag_of(content["identity"]))
    return Files((folder / _INDEX).read_text("utf-8"), {**found, **own}, own, _heads(folder))


def _heads(folder: Path) -> list[tuple[tuple[str | None, ...], str]]:
    try:
        pages = json.loads((folder / _PAGES).read_text("utf-8"))
    except FileNotFoundError:
        # Pages come later by this, and are the same.
        return []
    return [(_pattern(page["path"]), "".join(_links(page["scripts"], page["styles"]))) for page in pages]


def _pattern(path: str) -> tuple[str | None, ...]:
    return tuple(None if part.startswith(":") else part for part in path.strip("/").split("/"))


def _links(scripts: Sequence[str], styles: Sequence[str]) -> Iterator[str]:
    # As the bundler's own: it looks for these before it adds them.
    for name in scripts:
        yield f'<link rel="modulepreload" crossorigin href="{escape(name)}">'
    for name in styles:
        yield f'<link rel="stylesheet" crossorigin href="{escape(name)}">'


def tag_of(content: bytes) -> str:
    """An entity tag; weak, since it stands for every coding of the content."""
    return f'W/"{hashlib.sha256(content).hexdigest()[:24]}"'


def codings_of(accepted: str) -> frozenset[str]:
    """The codings that an `Accept-Encoding` header names and does not refuse."""
    taken = set()
    for part in accepted.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        if not any(word.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for word in parameters):
            taken.add(name)
    return frozenset(taken)
