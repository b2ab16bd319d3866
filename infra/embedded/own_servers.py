"""Whether the servers that a person named in place of the embedded ones can be reached, said before anything waits for them."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import psycopg

from infra.embedded.options import Options
from infra.embedded.problem import CannotStart

LIMIT_S = 10


async def check_own_servers(options: Options) -> None:
    """Try the Postgres and the NATS server of the options, where there are any.

    Raises:
        CannotStart: one of them does not answer; says which and why, without its password.
    """
    if options.postgres is not None:
        await asyncio.to_thread(check_postgres, options.postgres)
    if options.nats is not None:
        for url in options.nats.split(","):
            if await greets(url.strip()):
                break
        else:
            raise CannotStart(
                "no NATS server answers at the address given with --nats; is it running, and is the URL nats://HOST:PORT?"
            )


def check_postgres(url: str) -> None:
    """Log in once, in this thread."""
    try:
        psycopg.connect(url, connect_timeout=LIMIT_S).close()
    except psycopg.Error as problem:
        # The first line of libpq's words names host, port, user and database, never the password.
        words = str(problem).partition("\n")[0] or type(problem).__name__
        raise CannotStart(f"can not use the Postgres given with --postgres: {words}") from problem


async def greets(url: str) -> bool:
    """Tell whether a NATS server greets a client at this address."""
    try:
        where = urlsplit(url if "//" in url else f"nats://{url}")
        async with asyncio.timeout(LIMIT_S):
            reader, writer = await asyncio.open_connection(where.hostname or "127.0.0.1", where.port or 4222)
            try:
                return (await reader.read(5)) == b"INFO "
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return False
