"""Opens connections: a name is resolved once, every address it has is checked, and one of those is connected to.

A name that has another address a moment later (DNS rebinding) therefore gains nothing. Host header and TLS keep the name.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import Final

from libs.outbound.addresses import Address, AddressRules, hint
from libs.outbound.connection import Connection
from libs.outbound.failures import NoWay

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host name, best first. Raises OSError when it has none."""

_LATE_S: Final = 60.0
"""The event loop ends a handshake by itself, with another error; so much later it can not come before us."""


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system, as any program on this machine would."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


class CheckedNetwork:
    """The network as far as the rules let it be reached.

    Args:
        rules: what may be called.
        resolve: finds the addresses of a name.
    """

    def __init__(self, rules: AddressRules, resolve: Resolve = system_resolve) -> None:
        self._rules = rules
        self._resolve = resolve

    async def opened(self, host: str, port: int, within_s: float, secured: ssl.SSLContext | None) -> Connection:
        """A connection to a host.

        Args:
            within_s: seconds for name and connection together, and as many again for TLS.
            secured: how; None without TLS.

        Raises: NoWay: `name`, `address`, `refused`, `tls` or `timeout`.
        """
        loop = asyncio.get_running_loop()
        line = await self.connected(host, port, within_s)
        if secured is None:
            return (await loop.create_connection(Connection, sock=line))[1]
        try:
            async with asyncio.timeout(within_s):
                return (
                    await loop.create_connection(
                        Connection, sock=line, ssl=secured, server_hostname=host, ssl_handshake_timeout=within_s + _LATE_S
                    )
                )[1]
        except TimeoutError as error:
            raise NoWay("timeout", f"no secure connection within {within_s:g} s") from error
        except (OSError, ValueError) as error:  # a name can be one that no certificate is for
            raise NoWay("tls", f"no secure connection: {error if str(error) else 'it was cut'}") from error

    async def connected(self, host: str, port: int, within_s: float) -> socket.socket:
        """A socket that is connected to the first address that may be called and answers.

        Raises: NoWay: `name` or `address`; `refused` or `timeout`, of the last address tried.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + within_s
        try:
            async with asyncio.timeout_at(end):
                addresses = await self.addresses(host, port)
        except TimeoutError as error:
            raise NoWay("timeout", f"the name {host} was not resolved within {within_s:g} s") from error
        last = NoWay("refused", "no connection")
        for place, address in enumerate(addresses):
            # An address that swallows everything must leave time for the others.
            share_s = max(0.0, end - loop.time()) / (len(addresses) - place)
            try:
                async with asyncio.timeout(share_s):
                    return await _connected(address, port)
            except TimeoutError:
                last = NoWay("timeout", f"no connection within {within_s:g} s")
            except OSError as error:
                why = os.strerror(error.errno) if error.errno else str(error)
                last = NoWay("refused", f"no connection: {why} ({address})")
        raise last

    async def addresses(self, host: str, port: int) -> list[Address]:
        """The addresses of a name, or an address itself, that may be called, best first and at least one.

        Raises: NoWay: `name` or `address`.
        """
        try:
            literal = ip_address(host)
        except ValueError:
            try:
                found = [ip_address(text) for text in await self._resolve(host, port)]
            except (OSError, UnicodeError) as error:
                raise NoWay("name", f"the name {host} can not be resolved: {error}") from error
            if not found:
                raise NoWay("name", f"the name {host} has no address") from None
        else:
            found = [literal]
        refusals = [self._rules.refused(address) for address in found]
        allowed = [address for address, refusal in zip(found, refusals, strict=True) if refusal is None]
        if not allowed:
            kind = next(refusal for refusal in refusals if refusal is not None)
            raise NoWay("address", f"{host} is at a {kind} address, which may not be called; {hint(kind)}")
        return allowed


async def _connected(address: Address, port: int) -> socket.socket:
    line = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, (str(address), port))
    except BaseException:
        line.close()
        raise
    return line
