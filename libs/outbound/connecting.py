"""Opens connections: a name is resolved once, every address it has is checked, and one of those is connected to.

A name that has another address a moment later (DNS rebinding) therefore gains nothing. Host header and TLS keep the name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any, cast

import httpcore

from libs.outbound.addresses import Address, AddressRules, hint
from libs.outbound.failures import NoWay

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host name, best first. Raises OSError when it has none."""

# The library asks several times a call which loop it runs in, by an import that fails where this package is not installed. Python
# remembers only imports that succeed, so that each time it looked through all of its path, for a sixth of what a call takes.
if find_spec("sniffio") is None:
    cast(dict[str, Any], sys.modules).setdefault("sniffio", None)

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system, as any program on this machine would."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


class _Connection(httpcore.AsyncNetworkStream):
    """A connection that does not stay open when its caller gives up during the TLS handshake, as that of the library would."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """The network as far as the rules let it be reached.

    Args:
        rules: what may be called.
        resolve: finds the addresses of a name.
    """

    def __init__(self, rules: AddressRules, resolve: Resolve = system_resolve) -> None:
        self._rules = rules
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that may be called and answers.

        Raises: NoWay: `name` or `address`; httpcore.ConnectError or ConnectTimeout, of the last address tried.
        """
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        try:
            async with asyncio.timeout(timeout):
                addresses = await self.addresses(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"the name {host} was not resolved in time") from error
        last: Exception = httpcore.ConnectError()
        for place, address in enumerate(addresses):
            # An address that swallows everything must leave time for the others.
            share = None if end is None else max(0.0, end - loop.time()) / (len(addresses) - place)
            try:
                return _Connection(await self._network.connect_tcp(str(address), port, share, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SocketOption] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Never: files of this machine are not the outside. Raises: NoWay."""
        raise NoWay("address", "sockets of this machine can not be called")

    async def sleep(self, seconds: float) -> None:
        """Wait; part of the interface."""
        await self._network.sleep(seconds)

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
