"""What a person may choose when starting the system, and the processes that follow from it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

SERVICES = ("inventory", "planner", "policy", "dispatcher", "verifier", "gateway")


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """One process that runs services: its name in messages, its command, and whether it serves the gateway's socket."""

    name: str
    command: tuple[str, ...]
    has_gateway: bool = True


def one_process() -> tuple[ServiceProcess, ...]:
    """All services in one process: the least memory and the shortest ways."""
    return (ServiceProcess("services", (sys.executable, "-m", "services", "serve")),)


@dataclass(frozen=True, slots=True)
class Options:
    """How to start.

    Attributes:
        data: the folder everything is kept in.
        port: of the gateway on 127.0.0.1; 0 takes a free one.
        services: the processes to keep running, by default one with all services.
        demo: whether to run the demonstration beside them.
        postgres: connection string of a server to use in place of our own.
        nats: URL of a broker to use in place of our own.
    """

    data: Path
    port: int = 8080
    services: tuple[ServiceProcess, ...] = field(default_factory=one_process)
    demo: bool = True
    postgres: str | None = None
    nats: str | None = None


def one_process_each() -> tuple[ServiceProcess, ...]:
    """A process per service, as in a real deployment."""
    serve = (sys.executable, "-m", "services", "serve", "--only")
    return tuple(ServiceProcess(name, (*serve, name), has_gateway=name == "gateway") for name in SERVICES)


def default_data() -> Path:
    """Return the folder used when none is named: $XDG_STATE_HOME/signalbox, else ~/.local/state/signalbox."""
    state = os.environ.get("XDG_STATE_HOME", "")
    # The specification says that relative paths are to be ignored.
    return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "signalbox"


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line of `infra/dev up`; prints help or what is wrong and exits on its own."""
    parser = argparse.ArgumentParser(
        prog="infra/dev up", description="Start Signalbox with its own Postgres and nats-server, and keep everything running."
    )
    parser.add_argument(
        "--data", type=Path, default=default_data(), metavar="DIR", help="folder for all data (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=port, default=8080, metavar="N", help="port on 127.0.0.1; 0 takes a free one (default: 8080)"
    )
    parser.add_argument("--no-demo", action="store_true", help="do not set up and run the demonstration")
    parser.add_argument("--processes", action="store_true", help="run each service in a process of its own")
    parser.add_argument(
        "--postgres", metavar="URL", help="use this Postgres, with a database of ours, in place of the embedded one"
    )
    parser.add_argument("--nats", metavar="URL", help="use this NATS server with JetStream in place of the embedded one")
    given = parser.parse_args(arguments)
    services = one_process_each() if given.processes else one_process()
    return Options(given.data, given.port, services, not given.no_demo, given.postgres, given.nats)


def port(text: str) -> int:
    """Read a port number; argparse turns the error into its usual message."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not a port; ports are 0 to 65535")
    return number
