"""What is put on the wire: a request's address, method, headers and body, checked before anything is connected to."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import unquote, urlencode

import httpx
import orjson

from libs.outbound.failures import NoWay

MAX_URL: Final = 16_384
QUESTIONS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that start nothing."""

FRAMING: Final = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)  # fmt: skip
"""Headers that say where a request ends or who carries it: ours alone, or one request could be made to look like two."""

UNHARMING: Final = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
"""Headers that go along when a redirect leads to another place; any other may be a secret meant for the first one alone."""

_BODILESS: Final = QUESTIONS | {"DELETE"}
"""Methods that say nothing of a body where there is none."""
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_VALUE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_IN_PATH: Final = re.compile(rb"[^\x21-\x7e]")
_NUMBER: Final = re.compile(r"(?:[0-9]+|0[xX][0-9a-fA-F]*)")


@dataclass(frozen=True, slots=True)
class Wire:
    """A request as it is written.

    Attributes:
        url: http or https, without user information or fragment.
        headers: lower-case names, in order, with everything but Host, Content-Length and Connection.
        body: empty for none.
    """

    method: str
    url: httpx.URL
    headers: tuple[tuple[str, bytes], ...]
    body: bytes | None = None

    @property
    def where(self) -> str:
        """Method and address for people, without the query, which may hold secrets."""
        return f"{self.method} {self.url.copy_with(query=None)}"

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """All headers as bytes."""
        known = {name for name, _ in self.headers}
        raw = [] if "host" in known else [(b"Host", self.url.netloc)]
        raw += [(name.encode("ascii"), value) for name, value in self.headers]
        if self.body is not None or self.method not in _BODILESS:
            raw.append((b"Content-Length", str(len(self.body or b"")).encode("ascii")))
        return raw

    def written(self) -> bytes:
        """All of it, as it goes over a connection."""
        lines = [b"%s %s HTTP/1.1" % (self.method.encode("ascii"), self.url.raw_path)]
        lines += [b"%s: %s" % one for one in self.raw_headers()]
        return b"\r\n".join((*lines, b"", self.body or b""))


def wire(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    json: Any = None,
    content: bytes | str | None = None,
    form: Mapping[str, str] | None = None,
    agent: str = "signalbox",
) -> Wire:
    """Check and build a request. User and password in the address become an Authorization header.

    Raises: NoWay: `request`, with what is wrong.
    """
    if not _TOKEN.fullmatch(method) or method in ("CONNECT", "TRACE"):
        raise NoWay("request", f"{method!r} is no HTTP method that can be used here")
    address, basic = checked_url(url)
    given = [(name.lower(), value) for name, value in (headers.items() if isinstance(headers, Mapping) else headers)]
    ready: dict[str, list[bytes]] = {}
    for name, value in given:
        ready.setdefault(header_name(name), []).append(header_value(name, value))
    if basic is not None:
        if "authorization" in ready:
            raise NoWay(
                "request", "the address holds a user and password, and there is an Authorization header: give one of them"
            )
        ready["authorization"] = [basic]
    if len(ready.get("host", ())) > 1:
        raise NoWay("request", "there are two Host headers")
    body, kind = _body(json, content, form)
    if kind is not None:
        ready.setdefault("content-type", [kind])
    ready.setdefault("user-agent", [agent.encode("ascii")])
    ready.setdefault("accept", [b"*/*"])
    # Only what we can unpack within bounds is asked for.
    ready["accept-encoding"] = [b"gzip"]
    return Wire(method, address, tuple((name, value) for name, values in ready.items() for value in values), body)


def checked_url(text: str) -> tuple[httpx.URL, bytes | None]:
    """An address that can be called, and the Authorization value made of the user information in it, if any.

    Raises: NoWay: `request`.
    """
    if len(text) > MAX_URL:
        raise NoWay("request", f"the address has {len(text)} characters, at most {MAX_URL} are allowed")
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii")
    # Malformed host names end in one of several built-in errors, depending on where it is noticed.
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        if str(error).startswith("Invalid port"):
            # What stands there is not shown: it may be the rest of a password with a slash in it.
            raise NoWay(
                "request",
                "the address is none: its port can not be read; a port is a number from 1 to 65535, and IPv6 goes in [brackets]",
            ) from None
        raise NoWay("request", f"the address is none: {error}") from None
    if _NOT_IN_PATH.search(url.raw_path):
        raise NoWay("request", "the path of the address holds a character that must be written with a percent sign")
    if url.scheme not in ("http", "https"):
        raise NoWay("request", f"the address begins with {url.scheme or 'no scheme'!r}, only http: and https: can be called")
    if not host:
        raise NoWay("request", "the address names no host")
    if "%" in host:
        raise NoWay("request", f"the host {host} names a network interface or holds a percent sign")
    last = host.rstrip(".").rsplit(".", 1)[-1]
    if ":" not in host and _NUMBER.fullmatch(last):
        # 2130706433, 0x7f.1 and 0177.0.0.1 are all 127.0.0.1 to the system; nobody writes them so with good intentions.
        try:
            ip_address(host)
        except ValueError:
            raise NoWay("request", f"the host {host} is no name; write an IP address as four numbers or as IPv6") from None
    if url.port is not None and not 1 <= url.port <= 65_535:
        raise NoWay("request", f"port {url.port} can not be called; ports are 1 to 65535")
    basic = None
    if url.userinfo:
        user, _, password = url.userinfo.decode("ascii").partition(":")
        basic = b"Basic " + base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode())
    if "@" in text or "#" in text:
        url = url.copy_with(userinfo=b"", fragment=None)
    return url, basic


def redirected(sent: Wire, status: int, location: str) -> Wire:
    """The request that a redirect asks for: as browsers do it, less what would give something away.

    Raises: NoWay: `request` or `redirect`.
    """
    try:
        joined = str(sent.url.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise NoWay("redirect", f"it redirects to no address: {error}") from None
    url, basic = checked_url(joined)
    if basic is not None:
        raise NoWay("redirect", "it redirects to an address with a user and password in it")
    if sent.url.scheme == "https" and url.scheme != "https":
        raise NoWay("redirect", f"it redirects from https to http ({url.host})")
    following = replace(sent, url=url)
    if (status == 303 and sent.method != "HEAD") or (status in (301, 302) and sent.method == "POST"):
        kept = tuple(one for one in sent.headers if not one[0].startswith("content-"))
        following = replace(following, method="GET", body=None, headers=kept)
    if (sent.url.scheme, sent.url.host, sent.url.port) == (url.scheme, url.host, url.port):
        return following
    if following.body:
        raise NoWay("redirect", f"it redirects what was sent to another place ({url.host})")
    return replace(following, headers=tuple(one for one in following.headers if one[0] in UNHARMING))


def header_name(name: str) -> str:
    """The name of a header that a caller may set, in lower case as it is given. Raises: NoWay: `request`."""
    if not _TOKEN.fullmatch(name):
        raise NoWay("request", f"{name!r} is no name of a header")
    if name in FRAMING:
        raise NoWay("request", f"the header {name} is not for callers to set")
    return name


def header_value(name: str, value: str) -> bytes:
    """What a header says, as it is written. Raises: NoWay: `request`; says nothing of what is in it."""
    if _NOT_IN_VALUE.search(value):
        # The value may be a secret: it is not shown.
        raise NoWay("request", f"the header {name} holds a line break or another control character")
    try:
        return value.strip(" \t").encode()
    except UnicodeEncodeError:
        raise NoWay("request", f"the header {name} holds half a character (a lone surrogate)") from None


def _body(json: Any, content: bytes | str | None, form: Mapping[str, str] | None) -> tuple[bytes | None, bytes | None]:
    assert (json is not None) + (content is not None) + (form is not None) <= 1, "a request has one body"
    try:
        if json is not None:
            return orjson.dumps(json), b"application/json"
        if form is not None:
            return urlencode(form).encode("ascii"), b"application/x-www-form-urlencoded"
        return (content.encode() if isinstance(content, str) else content), None
    except (TypeError, UnicodeEncodeError) as error:
        raise NoWay("request", f"the body can not be written: {error}") from None
