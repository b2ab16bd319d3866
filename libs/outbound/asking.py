"""`Outbound`: the one way to call the outside. Every call is bounded in time and size, goes only where the rules allow, and when it
fails says whether the other side can have received it."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn, Self

import httpcore
import httpx

from libs.outbound.addresses import Address, AddressRules
from libs.outbound.answer import ENCODINGS, Answer, Reading
from libs.outbound.connecting import CheckedNetwork, Resolve, system_resolve
from libs.outbound.failures import CallFailed, NotSent, NoWay, PerhapsSent, Reason
from libs.outbound.kept import Connections
from libs.outbound.wire import REUSED, Wire, redirected, wire

MAX_BODY_BYTES: Final = 1024 * 1024
MAX_CONNECTIONS: Final = 200
KEPT_IDLE_S: Final = 5.0
_ANYBODY: Final = "*"
"""Trust in whoever answers, whatever certificate it shows."""
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class _Progress:
    """How far a call has come, told by the connection as it goes."""

    def __init__(self) -> None:
        self.securing = False
        self.began = False
        self.headers_out = False
        self.status: int | None = None

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        match event:
            case "connection.start_tls.started":
                self.securing = True
            case "http11.send_request_headers.started":
                self.began = True
            case "http11.send_request_headers.complete":
                self.headers_out = True


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
        self._trusting = httpx.create_ssl_context(trust_env=False)
        if ca_file is not None:
            try:
                self._trusting.load_verify_locations(cafile=ca_file)
            except OSError as error:
                raise ValueError(f"the certificates in {ca_file} can not be read: {error}") from error
        self._most = most
        self._pools: dict[tuple[str, bool], Connections] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. Again changes nothing, and a later call opens new ones."""
        pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            await pool.close()

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
                    status, fields, body = await self._exchange(request, progress, connect_s, max_bytes, trust)
                    location = fields.get("location")
                    if redirects == 0 or status not in REDIRECTS or location is None:
                        return Answer(status, fields, body.body, body.cut, str(request.url), loop.time() - began)
                    if hops == redirects:
                        raise NoWay("redirect", f"it redirected more than {redirects} times")
                    hops += 1
                    request = redirected(request, status, location)
        except NoWay as error:
            _fail(progress, error.reason, f"{_place(method, request)}: {error.message}", error)
        except TimeoutError as error:
            _fail(progress, "timeout", f"{_place(method, request)}: {_unfinished(progress)} within {timeout_s:g} s", error)
        except httpcore.ConnectTimeout as error:
            _fail(progress, "timeout", f"{_place(method, request)}: no connection within {connect_s:g} s", error)
        except httpcore.ConnectError as error:
            what = "no secure connection" if progress.securing else "no connection"
            _fail(progress, "tls" if progress.securing else "refused", f"{_place(method, request)}: {what}: {error}", error)
        except httpcore.LocalProtocolError as error:
            # What our own side of the protocol will not write never left, unless the head was out already.
            progress.began = progress.headers_out
            _fail(progress, "request", f"{_place(method, request)}: the request can not be written: {error}", error)
        except (httpcore.ProtocolError, zlib.error) as error:
            # A connection that ends where a status line should be is reported by the same class as one that speaks no HTTP.
            cut = "disconnected" in str(error) or "closed connection" in str(error)
            what = "the connection was cut" if cut else "what came back can not be read"
            _fail(progress, "cut" if cut else "protocol", f"{_place(method, request)}: {what}: {error}", error)
        except (httpcore.NetworkError, httpcore.TimeoutException, OSError) as error:
            _fail(
                progress, "cut", f"{_place(method, request)}: the connection was cut{f': {error}' if str(error) else ''}", error
            )

    async def _exchange(
        self, request: Wire, progress: _Progress, connect_s: float, max_bytes: int, trust: str
    ) -> tuple[int, httpx.Headers, Reading]:
        progress.securing = False
        progress.headers_out = progress.began
        url = request.url
        call = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.raw_headers(),
            content=request.body or b"",
            extensions={"timeout": {"connect": connect_s}, "trace": progress.trace},
        )
        async with self._pool(trust, request.method in REUSED).lent(call.url.origin) as connection:
            response = await connection.handle_async_request(call)
            progress.status = response.status
            try:
                fields = httpx.Headers(response.headers)
                encoding = fields.get("content-encoding", "").strip().lower()
                if encoding not in ENCODINGS:
                    raise NoWay("protocol", f"the answer is packed with {encoding[:40]!r}, which was not asked for")
                body = Reading(max_bytes, encoding)
                async for chunk in response.aiter_stream():
                    if body.feed(chunk):
                        break
                return response.status, fields, body
            finally:
                await response.aclose()

    def _pool(self, trust: str, reuse: bool) -> Connections:
        """Connections to use: kept ones, but for who brings certificates of its own, since there may be any number of those."""
        if trust not in ("", _ANYBODY):
            return self._connections(_trusting_only(trust), False)
        pool = self._pools.get((trust, reuse))
        if pool is None:
            context = httpx.create_ssl_context(verify=False, trust_env=False) if trust == _ANYBODY else self._trusting
            pool = self._pools[trust, reuse] = self._connections(context, reuse)
        return pool

    def _connections(self, context: ssl.SSLContext, reuse: bool) -> Connections:
        return Connections(context, self._network, self._most, KEPT_IDLE_S if reuse else 0.0)


def _trusting_only(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=ca)
    except (ssl.SSLError, ValueError):
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
