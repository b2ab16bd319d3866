"""`Outbound`: the one way to call the outside. Every call is bounded in time and size, goes only where the rules allow, and when it
fails says whether the other side can have received it."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn, Self

import httpx

from libs.outbound.addresses import Address, AddressRules
from libs.outbound.answer import Answer
from libs.outbound.connecting import CheckedNetwork, Resolve, system_resolve
from libs.outbound.failures import CallFailed, NotSent, NoWay, PerhapsSent, Reason
from libs.outbound.kept import IDLE_S, Connections, Place
from libs.outbound.reply import Reply
from libs.outbound.wire import QUESTIONS, Wire, redirected, wire

MAX_BODY_BYTES: Final = 1024 * 1024
MAX_CONNECTIONS: Final = 400
STARTING_IDLE_S: Final = 1.0
"""How long a connection may have been idle that a call may use which starts something. A server closes one after it was idle for seconds;
were it to do so as we write, nobody would know whether it read that."""
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ANYBODY: Final = "*"
"""Trust in whoever answers, whatever certificate it shows."""
_TRUSTS: Final = 100
"""Certificates that came with calls and are kept, read."""


class _Progress:
    """How far a call has come.

    Attributes:
        began: something was written, here or where it was redirected from.
        reply: to what was written last.
    """

    def __init__(self) -> None:
        self.began = False
        self.reply: Reply | None = None

    @property
    def status(self) -> int | None:
        return self.reply.status if self.reply is not None else None


class Outbound:
    """Calls to the outside. No cookies are kept and no proxy variables are read, so that one call leaves nothing behind for the next.

    Args:
        rules: which addresses may be called beside public ones.
        ca_file: certificates (PEM) to trust beside the public ones.
        resolve: finds the addresses of names.
        most: connections that are open at a time.

    Raises: ValueError: the certificates can not be read.
    """

    def __init__(
        self,
        rules: AddressRules,
        *,
        ca_file: Path | None = None,
        resolve: Resolve = system_resolve,
        most: int = MAX_CONNECTIONS,
    ) -> None:
        self._network = CheckedNetwork(rules, resolve)
        self._trusting = _spoken(httpx.create_ssl_context(trust_env=False))
        if ca_file is not None:
            try:
                self._trusting.load_verify_locations(cafile=ca_file)
            except OSError as error:
                raise ValueError(f"the certificates in {ca_file} can not be read: {error}") from error
        self._trusts: OrderedDict[str, ssl.SSLContext] = OrderedDict()
        self._connections = Connections(self._network, most)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. Again changes nothing, and a later call opens new ones."""
        await self._connections.close()

    async def addresses(self, host: str, port: int) -> list[Address]:
        """Where to connect to for a party that is not asked over HTTP: the addresses that may be called, best first and at least one.

        Whoever connects must connect to one of these, and not to the name, which may have another address a moment later.

        Raises: NotSent: `name` or `address`.
        """
        try:
            return await self._network.addresses(host, port)
        except NoWay as error:
            raise NotSent(error.reason, error.message) from error

    def trusted(self) -> str:
        """The certificates (PEM) of everybody who is trusted to sign those of others, for who does its own TLS."""
        return "".join(map(ssl.DER_cert_to_PEM_cert, self._trusting.get_ca_certs(binary_form=True)))

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        json: Any = None,
        content: bytes | str | None = None,
        form: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        connect_s: float = 10.0,
        max_bytes: int = MAX_BODY_BYTES,
        redirects: int = 0,
        insecure: bool = False,
        ca: str | None = None,
    ) -> Answer:
        """Make a call and read its answer, whatever its status.

        Args:
            method: `GET`, `POST` …
            url: http or https; a user and password in it are sent as a header.
            headers: values are sent as UTF-8.
            json, content, form: the body, at most one of them; None is no body.
            timeout_s: seconds for everything, from the name to the last byte.
            connect_s: seconds for name and connection together, and as many again for TLS.
            max_bytes: of the unpacked body; what is longer is cut (`Answer.cut`).
            redirects: how many to follow; with 0 the redirect itself is the answer.
            insecure: do not ask for a valid certificate.
            ca: certificates (PEM) of which one must have signed the other side's, in place of all that are trusted else.

        Raises: NotSent: the other side can not have received it. PerhapsSent: it can.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        progress = _Progress()
        request: Wire | None = None
        trust = _ANYBODY if insecure else ca or ""
        try:
            request = wire(method, url, headers=headers, json=json, content=content, form=form)
            async with asyncio.timeout(timeout_s):
                hops = 0
                while True:
                    reply = await self._exchange(request, progress, connect_s, max_bytes, trust)
                    status, location = reply.status, reply.headers.get("location")
                    assert status is not None, "an answer that ended has a status"
                    if redirects == 0 or status not in REDIRECTS or location is None:
                        body = reply.body
                        return Answer(status, reply.headers, body.body, body.cut, str(request.url), loop.time() - began)
                    if hops == redirects:
                        raise NoWay("redirect", f"it redirected more than {redirects} times")
                    hops += 1
                    request = redirected(request, status, location)
        except NoWay as error:
            _fail(progress, error.reason, f"{_place(method, request)}: {error.message}", error)
        except TimeoutError as error:
            _fail(progress, "timeout", f"{_place(method, request)}: {_unfinished(progress)} within {timeout_s:g} s", error)
        except OSError as error:
            _fail(progress, "cut", f"{_place(method, request)}: the connection was cut: {error}", error)

    async def _exchange(self, request: Wire, progress: _Progress, connect_s: float, max_bytes: int, trust: str) -> Reply:
        progress.reply = None
        url = request.url
        secure = url.scheme == "https"
        place = Place(url.raw_host.decode("ascii"), url.port or (443 if secure else 80), self._secured(trust) if secure else None)
        idle_s = IDLE_S if request.method in QUESTIONS else STARTING_IDLE_S
        async with self._connections.lent(place, connect_s, idle_s) as connection:
            reply = progress.reply = Reply(request.method, max_bytes)
            # Also where the connection is gone before anything could be written: to be in doubt is safe, to be wrong is not.
            progress.began = True
            await connection.exchange(request.written(), reply)
            return reply

    def _secured(self, trust: str) -> ssl.SSLContext:
        """How to find out who answers. Raises: NoWay: the certificates can not be read."""
        if not trust:
            return self._trusting
        context = self._trusts.get(trust)
        if context is None:
            insecure = trust == _ANYBODY
            context = _spoken(httpx.create_ssl_context(verify=False, trust_env=False) if insecure else _trusting_only(trust))
            self._trusts[trust] = context
            if len(self._trusts) > _TRUSTS:
                self._trusts.popitem(last=False)
        else:
            self._trusts.move_to_end(trust)
        return context


def _spoken(context: ssl.SSLContext) -> ssl.SSLContext:
    context.set_alpn_protocols(["http/1.1"])
    return context


def _trusting_only(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=ca)
    except (ssl.SSLError, ValueError, TypeError):
        raise NoWay("request", "the certificates that were given can not be read; they must be PEM") from None


def _place(method: str, request: Wire | None) -> str:
    """What was called, for people; a call that succeeds need not be put into words."""
    return method if request is None else request.where


def _unfinished(progress: _Progress) -> str:
    if progress.status is not None:
        return f"it answered {progress.status}, but not to the end"
    return "it did not answer" if progress.began else "no connection"


def _fail(progress: _Progress, reason: Reason, message: str, cause: Exception) -> NoReturn:
    kind: type[CallFailed] = PerhapsSent if progress.began else NotSent
    raise kind(reason, message, status=progress.status) from cause
