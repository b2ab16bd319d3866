"""The folder that holds everything of one installation: who may use it, and the small files in it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from infra.embedded.problem import CannotStart

VERSION = 1
ORPHANS_WAIT_S = 60.0


class DataDir:
    """An installation's folder, locked for us from construction until `close`.

    The lock is a flock on a descriptor that both servers inherit, so it is free only when this process *and* they are gone.
    """

    def __init__(self, path: Path, *, orphans_wait_s: float = ORPHANS_WAIT_S) -> None:
        """Make the folder if it is missing, and lock it.

        Args:
            path: the folder; one that is made here gets mode 0700.
            orphans_wait_s: seconds to wait for servers that a killed instance left behind.

        Raises:
            CannotStart: the folder can not be written, is of a newer version, or is in use.
        """
        self.path = path.expanduser().absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_newer()
            self.lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as problem:
            raise CannotStart(f"can not write to {self.path}: {problem.strerror}; choose another folder with --data") from problem
        try:
            self._wait_for_lock(orphans_wait_s)
            self.write("version", f"{VERSION}\n")
        except BaseException:
            self.close()
            raise

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def close(self) -> None:
        """Let go of the folder; servers that still run keep it locked."""
        os.close(self.lock)

    def write(self, name: str, text: str) -> Path:
        """Put a file in place at once and complete, readable by its owner only."""
        target = self.path / name
        half_written = self.path / f".{name}.new"
        half_written.unlink(missing_ok=True)
        with os.fdopen(os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        half_written.replace(target)
        return target

    def secret(self, name: str, make: str) -> tuple[Path, str]:
        """Return a secret's file and text, storing `make` when there is none yet."""
        path = self.path / name
        if not path.exists():
            self.write(name, make)
        return path, path.read_text("utf-8").strip()

    def api_key_file(self) -> Path:
        """Return the file with the first administrator's API key, `<16 hex>.<64 hex>`, made on first use."""
        return self.secret("admin.key", f"{secrets.token_hex(8)}.{secrets.token_hex(32)}")[0]

    def secret_key_file(self) -> Path:
        """Return the file with the master key of sealed secrets, 64 hex digits, made on first use."""
        return self.secret("secret.key", secrets.token_hex(32))[0]

    def publish(self, port: int, processes: Mapping[str, int]) -> None:
        """Write supervisor.json: who runs here, on which port, with which children (name to process id)."""
        mine = {"pid": os.getpid(), "started": started(os.getpid()), "port": port, "processes": dict(processes)}
        self.write("supervisor.json", json.dumps(mine))

    def _refuse_newer(self) -> None:
        file = self.path / "version"
        if not file.exists():
            return
        text = file.read_text("utf-8").strip()
        if not text.isdigit():
            raise CannotStart(f"{file} should hold a number and holds {text[:40]!r}; choose another folder with --data")
        if int(text) > VERSION:
            raise CannotStart(
                f"{self.path} was written by a newer Signalbox (version {text}, this one knows {VERSION}); update Signalbox "
                "or choose another folder with --data"
            )

    def _wait_for_lock(self, orphans_wait_s: float) -> None:
        end = time.monotonic() + orphans_wait_s
        while True:
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if (owner := self._owner()) is not None:
                    raise CannotStart(
                        f"{self.path} is in use by a running instance ({owner}); stop it or choose another folder with --data"
                    ) from None
                if time.monotonic() > end:
                    raise CannotStart(
                        f"{self.path} is locked by processes that a killed instance left behind and that do not end; "
                        "end them or choose another folder with --data"
                    ) from None
                time.sleep(0.02)
            else:
                return

    def _owner(self) -> str | None:
        """Describe the instance that runs in this folder; None when the one named there is gone or says nothing yet."""
        try:
            said = json.loads((self.path / "supervisor.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        # A process id alone may have been given to another program meanwhile; with its start time it is one of a kind.
        if said.get("started") is None or started(said["pid"]) != said["started"]:
            return None
        return f"process {said['pid']}, port {said['port']}"


def started(pid: int) -> str | None:
    """Return when a live process was started, in clock ticks since boot as text; None when there is none such."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
