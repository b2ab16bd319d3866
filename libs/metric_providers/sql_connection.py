"""Connects to a Postgres that somebody names: only where the address rules allow, and with nothing of this machine's own: no variables,
no password file, no service file, no certificates or keys of whoever runs this process, and no socket."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from libs.metric_providers.port import NoResult
from libs.outbound.asking import Outbound
from libs.outbound.failures import CallFailed
from libs.secrets.redaction import Redacted

Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]

TAKEN: Final = frozenset(
    {"host", "port", "dbname", "user", "password", "sslmode", "sslnegotiation", "channel_binding", "options", "application_name", "connect_timeout"}
)  # fmt: skip
"""What a connection string may say. Of all the rest, much names files to read or to write, or whom else to ask."""
SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
VERIFYING: Final = frozenset({"verify-ca", "verify-full"})
NOWHERE: Final = "/dev/null/none"
"""A path at which nothing can be. It takes the place of files in the home folder, which an empty text would not keep from being read."""
DEFAULT_PORT: Final = 5432


@dataclass(frozen=True, slots=True)
class Place:
    """A database to connect to.

    Attributes:
        given: what the connection string says beside these.
        ca: certificates (PEM) of which one must have signed the server's, in place of all that are trusted else.
    """

    host: str
    port: int
    dbname: str
    user: str
    password: str = field(default="", repr=False)
    given: Mapping[str, str] = field(default_factory=dict)
    ca: str | None = None

    @property
    def checks_certificates(self) -> bool:
        """Whether the server must show a certificate of somebody who is trusted."""
        return self.given.get("sslmode") in VERIFYING

    def shown(self) -> str:
        """Host, port and database, for people."""
        return f"{self.host}:{self.port}/{self.dbname}"


def place_of(dsn: str, ca: str | None = None) -> Place:
    """Read a connection string: `postgresql://user:password@host:5432/database?sslmode=require`, or `host=… user=…`. Who names a `ca` wants
    it checked.

    Raises: NoResult: says what is wrong with it and shows nothing of it but names of options.
    """
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
    except (psycopg.Error, UnicodeError, ValueError):
        # The library's own words repeat a part of the string, which may be the password.
        message = "the connection string can not be read; write postgresql://user:password@host:5432/database, with special characters as %XX"
        raise NoResult(message) from None
    if refused := sorted(given.keys() - TAKEN):
        raise NoResult(f"the connection string sets {', '.join(refused)}; what may be set is {', '.join(sorted(TAKEN))}")
    host, user = given.pop("host", ""), given.pop("user", "")
    if not host or host.startswith(("/", "@")) or "," in host:
        raise NoResult("the connection string must name one host; sockets of this machine are none")
    if not user:
        raise NoResult("the connection string must name a user")
    port = given.pop("port", "") or str(DEFAULT_PORT)
    if not (port.isascii() and port.isdecimal() and 1 <= int(port[:6]) <= 65_535):
        raise NoResult("the connection string's port is none; ports are 1 to 65535")
    given.pop("connect_timeout", None)
    if given.get("sslmode", SSL_MODES[0]) not in SSL_MODES:
        raise NoResult(f"the connection string's sslmode is none; there are {', '.join(SSL_MODES)}")
    if ca is not None and given.setdefault("sslmode", "verify-full") not in VERIFYING:
        raise NoResult(f"with a caCertificate, sslmode must be {' or '.join(sorted(VERIFYING))}")
    return Place(host, int(port), given.pop("dbname", "") or user, user, given.pop("password", ""), given, ca)


@asynccontextmanager
async def connected(place: Place, outbound: Outbound, *, timeout_s: float) -> AsyncIterator[Connection]:
    """A connection in autocommit mode, closed with the block.

    Args:
        timeout_s: seconds for name and connection, of all addresses together.

    Raises: NoResult: there is none, or its address may not be called; says why and does not show the password.
    """
    redacted = Redacted([place.password])
    try:
        async with asyncio.timeout(timeout_s):
            connection = await _connection(place, outbound, timeout_s)
    except TimeoutError:
        raise NoResult(f"no connection to {place.shown()} within {timeout_s:g} s") from None
    except (psycopg.Error, UnicodeError, OSError) as error:
        raise NoResult(f"no connection to {place.shown()}: {' '.join(redacted.error(error).split())}") from None
    except CallFailed as error:
        raise NoResult(f"no connection to {place.shown()}: {error}") from error
    try:
        yield connection
    finally:
        await connection.close()


async def _connection(place: Place, outbound: Outbound, timeout_s: float) -> Connection:
    addresses = await outbound.addresses(place.host, place.port)
    with _trusted(place, outbound) as trusted:
        last: psycopg.Error | TimeoutError = TimeoutError()
        for address in addresses:
            conninfo = make_conninfo(**_options(place, trusted), hostaddr=str(address))
            try:
                # An address that swallows everything must leave time for the others.
                async with asyncio.timeout(timeout_s / len(addresses)):
                    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
            except (psycopg.OperationalError, TimeoutError) as error:
                last = error
        raise last


@contextmanager
def _trusted(place: Place, outbound: Outbound) -> Iterator[str]:
    """A file with the certificates to trust, because the library reads them from files only."""
    if not place.checks_certificates:
        yield NOWHERE
        return
    with tempfile.NamedTemporaryFile("w", prefix="signalbox-", suffix=".pem", encoding="utf-8") as file:
        file.write(place.ca or outbound.trusted())
        file.flush()
        yield file.name


def _options(place: Place, trusted: str) -> dict[str, str]:
    """Everything that the library would else look for in variables and files of this process."""
    return {
        "sslmode": "prefer",
        "application_name": "signalbox",
        "options": "",
        **place.given,
        "host": place.host,
        "port": str(place.port),
        "dbname": place.dbname,
        "user": place.user,
        "password": place.password,
        "passfile": NOWHERE,
        # Whoever asks for a ticket of Kerberos or for a token would get that of this process.
        "require_auth": "password,md5,scram-sha-256,none",
        "gssencmode": "disable",
        "sslcert": NOWHERE,
        "sslkey": NOWHERE,
        "sslcertmode": "disable",
        "sslrootcert": trusted,
        "sslcrl": NOWHERE,
        "client_encoding": "utf8",
        "target_session_attrs": "any",
        "load_balance_hosts": "disable",
    }
