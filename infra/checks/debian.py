"""Programs that tests need and pip can not install: those of the machine, or else unpacked from Debian packages into a cache, without root.

    python -m infra.checks.debian      fetch what is missing, and print where everything is

A package is fetched once, at the version below or, where the machine's Debian has another, at that one; afterwards no network is needed.
The cache is `~/.cache/signalbox/debian` (`XDG_CACHE_HOME` moves it), a folder for each package and version.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.checks.launcher import LAUNCHER, write_launcher

DOWNLOAD_LIMIT_S: Final = 600.0
_APT: Final = (
    "-o",
    "Acquire::Retries=2",
    "-o",
    "Acquire::http::Timeout=30",
    "-o",
    "Acquire::https::Timeout=30",
    "-o",
    "APT::Sandbox::User=root",
)
"""Downloads are made as whoever we are, because the user that apt would become may not enter a folder of ours."""


_WITH_NEEDS: Final = ("install", "--download-only", "--no-install-recommends", "--assume-yes", "-o", "Debug::NoLocking=1")
"""Nothing is installed, so nobody has to be kept from doing the same, which would take root."""
_COMPLETE: Final = "Download complete"
_NEVER: Final = ("libc6_", "libc-bin_")
"""The loader that starts a program is the machine's, and fits no other C library."""


class CannotFetch(Exception):
    """A package is not there and can not be had; says what was tried, and what a person can do."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program, and where to get it.

    Attributes:
        name: what it is called on the path.
        package: the Debian package that has it.
        version: of the package; another one is taken where this one is not to be had.
        path: where it lies in the package.
        needs: packages that it can not do without, beside those that its package names; None where it needs nothing but the C library.
    """

    name: str
    package: str
    version: str
    path: str
    needs: tuple[str, ...] | None = None


PROGRAMS: Final = {
    one.name: one
    for one in (
        Program("prometheus", "prometheus", "2.42.0+ds-5+deb12u1", "usr/bin/prometheus"),
        Program(
            "chromium",
            "chromium",
            "156.0.8078.79-1~deb12u1",
            "usr/lib/chromium/chromium",
            needs=("fonts-dejavu-core", "fonts-liberation"),
        ),
    )
}


def program(name: str) -> Path:
    """Where a program of `PROGRAMS` is, fetched first where it has to be.

    Raises: CannotFetch.
    """
    if found := shutil.which(name):
        return Path(found)
    wanted = PROGRAMS[name]
    folder = _cache() / wanted.package
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        return _kept(wanted, folder) or _fetched(wanted, folder)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "signalbox" / "debian"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two that want the same package at the same time fetch it once."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _kept(wanted: Program, folder: Path) -> Path | None:
    path = wanted.path if wanted.needs is None else LAUNCHER
    pinned = folder / wanted.version / path
    others = sorted(folder.glob(f"*/{path}"))
    return next((one for one in (pinned, *others) if os.access(one, os.X_OK)), None)


def _fetched(wanted: Program, folder: Path) -> Path:
    # Beside its final place, so that a fetch that is broken off leaves nothing that looks complete.
    with tempfile.TemporaryDirectory(prefix="new-", dir=folder, ignore_cleanup_errors=True) as name:
        new = Path(name)
        packages = _downloaded(wanted, new)
        whole = new / "unpacked"
        for package in packages:
            _run(["dpkg-deb", "--extract", str(package), str(whole)], new, wanted)
        if not os.access(whole / wanted.path, os.X_OK):
            raise CannotFetch(f"the Debian package {packages[0].name} holds no program {wanted.path}")
        version = _run(["dpkg-deb", "--field", str(packages[0]), "Version"], new, wanted).strip()
        if wanted.needs is not None:
            write_launcher(whole, wanted.path)
        # Replaced as a whole: what lay there could not be run, or it would have been kept.
        shutil.rmtree(folder / version, ignore_errors=True)
        whole.rename(folder / version)
        return folder / version / (wanted.path if wanted.needs is None else LAUNCHER)


def _downloaded(wanted: Program, into: Path) -> list[Path]:
    """The package files, the program's own first: by the machine's own lists, or, where it has none or old ones, by lists fetched beside it.

    Of packages that the program needs, those that the machine does not have in the version that is needed.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise CannotFetch(
            f"there is no {wanted.name} on the path, and no apt-get and dpkg-deb to fetch it with; install {wanted.name}"
        )
    lists = into / "apt"
    (lists / "state" / "lists" / "partial").mkdir(parents=True)
    (lists / "cache" / "archives" / "partial").mkdir(parents=True)
    own = (
        "-o",
        f"Dir::State={lists / 'state'}",
        "-o",
        "Dir::State::status=/var/lib/dpkg/status",
        "-o",
        f"Dir::Cache={lists / 'cache'}",
    )
    names = (f"{wanted.package}={wanted.version}", wanted.package)
    said = ""
    for options in ((), own):
        if options:
            _apt(["update", *options], into)
        for name in names:
            if wanted.needs is None:
                said = _apt(["download", *options, name], into)
                found = list(into.glob("*.deb"))
            else:
                said = _apt([*_WITH_NEEDS, "-o", f"Dir::Cache={lists / 'cache'}", *options, name, *wanted.needs], into)
                found = list((lists / "cache" / "archives").glob("*.deb")) if _COMPLETE in said else []
            found = [one for one in found if not one.name.startswith(_NEVER)]
            if found:
                return sorted(found, key=lambda one: (not one.name.startswith(f"{wanted.package}_"), one.name))
    raise CannotFetch(
        f"there is no {wanted.name} on the path, and the Debian package {wanted.package} can not be downloaded: {_last(said)}; "
        f"install it (apt-get install {wanted.package}), or run this once with a network"
    )


def _apt(arguments: Sequence[str], folder: Path) -> str:
    """What apt-get said; whether it worked is seen by what it left."""
    try:
        done = subprocess.run(
            ["apt-get", "--quiet", *_APT, *arguments],
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=DOWNLOAD_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"E: apt-get {arguments[0]} did not end within {DOWNLOAD_LIMIT_S:.0f} s"
    return done.stdout.decode("utf-8", "replace")


def _run(command: Sequence[str], folder: Path, wanted: Program) -> str:
    done = subprocess.run(command, cwd=folder, env={**os.environ, "LC_ALL": "C"}, capture_output=True, check=False)
    if done.returncode != 0:
        raise CannotFetch(
            f"the Debian package {wanted.package} can not be unpacked: {_last(done.stderr.decode('utf-8', 'replace'))}"
        )
    return done.stdout.decode("utf-8", "replace")


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E:")]
    return (errors or lines or ["it said nothing"])[-1]


def main() -> int:
    """Fetch everything; 0 when all of it is there, else 1."""
    missing = 0
    for name in PROGRAMS:
        try:
            print(f"{name}: {program(name)}")
        except (CannotFetch, OSError) as problem:
            print(f"{name}: {problem}", file=sys.stderr)
            missing = 1
    return missing


if __name__ == "__main__":
    sys.exit(main())
