"""Start child processes that can not outlive their parent, and wait for their end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.problem import CannotStart

LAUNCH = Path(__file__).with_name("launch.py")
LOG_LIMIT_BYTES = 10 * 1024 * 1024

Process = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Child:
    """How to start one process.

    Attributes:
        command: the program, as an absolute path, and its arguments.
        log: file that its output is appended to.
        death_signal: what the kernel sends it when this process dies.
        root_mode: `none`, `userns` or `UID:GID`, as `launch.py` understands them.
        environment: the complete environment; None hands on our own.
        descriptors: open files it inherits under the same numbers.
        folder: its working folder.
    """

    command: Sequence[str]
    log: Path
    death_signal: signal.Signals = signal.SIGKILL
    root_mode: str = "none"
    environment: Mapping[str, str] | None = None
    descriptors: tuple[int, ...] = ()
    folder: Path = Path("/")


def start(child: Child) -> Process:
    """Start a process that the kernel ends when this one dies, in a session of its own.

    The process id is that of the program itself. Call it from the main thread only: the kernel watches the thread that
    forked, and would end the child together with any other thread.
    """
    assert threading.current_thread() is threading.main_thread(), "children die with the thread that started them"
    launch = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), str(int(child.death_signal)), child.root_mode]
    rotate(child.log)
    with os.fdopen(os.open(child.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:
        return subprocess.Popen(
            [*launch, *child.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=child.descriptors,
            env=child.environment,
            cwd=child.folder,
        )


def rotate(log: Path) -> None:
    """Put a log of more than 10 MiB aside as NAME.1, so that two generations are the most that is kept."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))


def tell(process: Process, number: signal.Signals) -> None:
    """Send a signal to a child that `exited` was not awaited of; harmless when it has ended meanwhile.

    Not `send_signal`, which looks first whether the child has ended and reaps it: nobody could wait for it then, and what it started in its
    session would be out of reach.
    """
    os.kill(process.pid, number)


async def exited(process: Process) -> int:
    """Wait for the end of a child and return its code, negative for a signal; what it started in its session ends too."""
    loop = asyncio.get_running_loop()
    if hasattr(os, "pidfd_open"):
        over = asyncio.Event()
        descriptor = os.pidfd_open(process.pid)
        loop.add_reader(descriptor, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
    else:
        # Only Linux can tell us of the end of one process without taking SIGCHLD away from everything else.
        while process.poll() is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    # Workers of a killed service would hold its sockets. Until the child is reaped its group's number can not be given away.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def root_mode() -> str:
    """Decide how Postgres, which refuses to run as root, is to be run by us.

    Returns:
        `none` when we are not root; `userns` where user namespaces are allowed; else `UID:GID` of postgres or nobody.

    Raises:
        CannotStart: we are root and may become nobody else.
    """
    if os.geteuid() != 0:
        return "none"
    for mode in ("userns", setuid_mode()):
        probe = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), "9", mode, "/bin/sh", "-c", "exit 0"]
        if subprocess.call(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
            return mode
    raise CannotStart("Postgres does not run as root, and root may not become another user here; run this as a normal user")


def setuid_mode() -> str:
    """Name the user that stands in for root where there are no user namespaces: postgres if there is one, else nobody."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return f"{user.pw_uid}:{user.pw_gid}"
    return "65534:65534"


def give_to(folder: Path, mode: str) -> None:
    """Make the user behind a root mode the owner of a folder and all in it; modes of files are left alone."""
    uid, gid = (int(part) for part in mode.split(":")) if ":" in mode else (os.geteuid(), os.getegid())
    if folder.stat().st_uid == uid:
        return
    for parent, _, files in os.walk(folder, topdown=False):
        for name in (*files, ""):
            os.chown(Path(parent) / name, uid, gid, follow_symlinks=False)
