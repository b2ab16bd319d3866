"""Addresses and paths, taken apart and put together."""

from __future__ import annotations

import posixpath
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from libs.template.error import Fault
from libs.template.functions.signature import MAP, TEXT, Function
from libs.template.literals import utf8
from libs.template.printing import scalar

_PATH_SAFE: Final = "/:@!$&'()*+,;=~-._"


def _parse(text: str) -> dict[str, str]:
    try:
        parts = urlsplit(text)
        hostname, port = parts.hostname, parts.port
    except ValueError as bad:
        raise Fault(f"{text[:80]!r} is no address: {bad}") from None
    if any(one.isspace() or ord(one) < 32 for one in parts.netloc) or any(ord(one) < 32 or ord(one) == 127 for one in text):
        raise Fault(f"{text[:80]!r} is no address: it has a space or a control character")
    if text.startswith(":"):
        raise Fault(f"{text[:80]!r} is no address: the scheme is missing")
    userinfo, at, host = parts.netloc.rpartition("@")
    opaque = bool(parts.scheme) and not parts.netloc and not parts.path.startswith("/") and bool(parts.path)
    del port
    return {
        "scheme": parts.scheme,
        "host": host,
        # The library gives it in lower case, Go as it is written.
        "hostname": host[host.lower().find(hostname) :][: len(hostname)] if hostname else "",
        "path": "" if opaque else unquote(parts.path),
        "query": parts.query,
        "opaque": parts.path if opaque else "",
        "fragment": unquote(parts.fragment),
        "userinfo": userinfo if at else "",
    }


def _join(parts: dict[str, Any]) -> str:
    def part(name: str) -> str:
        value = parts.get(name)
        if value is not None and not isinstance(value, str):
            raise Fault(f"the part {name!r} of an address must be a string, not {scalar(value)[:40]}")
        return value or ""

    made = f"{part('scheme')}:" if part("scheme") else ""
    if part("opaque"):
        made += part("opaque")
    else:
        path = quote(utf8(part("path")), safe=_PATH_SAFE)
        if part("host") or part("userinfo"):
            made += "//" + (f"{part('userinfo')}@" if part("userinfo") else "") + part("host")
            path = path if not path or path.startswith("/") else f"/{path}"
        made += path
    made += f"?{part('query')}" if part("query") else ""
    return made + (f"#{quote(utf8(part('fragment')), safe=_PATH_SAFE + '?')}" if part("fragment") else "")


def _clean(path: str) -> str:
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _base(path: str) -> str:
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def _dir(path: str) -> str:
    return _clean(path[: path.rfind("/") + 1])


def _ext(path: str) -> str:
    name = path.rpartition("/")[2]
    return name[name.rfind(".") :] if "." in name else ""


TABLE: Final[dict[str, Function]] = {
    "urlParse": Function(_parse, (TEXT,)),
    "urlJoin": Function(_join, (MAP,)),
    "base": Function(_base, (TEXT,)),
    "dir": Function(_dir, (TEXT,)),
    "clean": Function(_clean, (TEXT,)),
    "ext": Function(_ext, (TEXT,)),
    "isAbs": Function(lambda path: path.startswith("/"), (TEXT,)),
}
