"""Takes measurements: asks an HTTP endpoint; a sleep is over when it is asked for."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any, Final

import httpx

from libs.runtime.service import Intent

MAX_BODY_BYTES: Final = 1024 * 1024
MAX_REDIRECTS: Final = 10
MAX_TIMEOUT_S: Final = 600.0

_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


class Measurer:
    """Performs verifier's intents. What goes wrong outside is a result `{"error": …}`.

    Args:
        client: asks for us; made on first use when none is given.
    """

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._client = client

    async def __call__(self, intent: Intent) -> dict[str, Any]:
        """Take the measurement that an intent asks for."""
        request = intent.request
        if request["type"] == "sleep":
            seconds = request["durationSeconds"]
            return {"ok": True, "value": seconds, "duration": seconds * 1000}
        return await self._ask(request)

    async def close(self) -> None:
        """Close the connections; a later measurement opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        url = request["url"]
        timeout_s = go_seconds(request["timeout"])
        if timeout_s is None or timeout_s <= 0:
            return {"error": f"the timeout {request['timeout']!r} is no duration above 0; write for example 30s or 1m30s"}
        client = self._client or self._new_client()
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(timeout_s, MAX_TIMEOUT_S)):
                status, headers, body = await _exchange(client, request)
        except TimeoutError:
            return {"error": f"{url} did not answer within {request['timeout']}"}
        # An address or header that is no text of HTTP ends in one of several built-in errors, depending on where it is noticed.
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, OverflowError) as error:
            return {"error": f"{url} could not be asked: {type(error).__name__}: {error}"}
        return {
            "ok": 200 <= status < 300,
            "statusCode": status,
            "body": body,
            "headers": headers,
            "duration": round((time.monotonic() - began) * 1000),
        }

    def _new_client(self) -> httpx.AsyncClient:
        self._client = httpx.AsyncClient(follow_redirects=True, max_redirects=MAX_REDIRECTS, timeout=MAX_TIMEOUT_S)
        return self._client


async def _exchange(client: httpx.AsyncClient, request: dict[str, Any]) -> tuple[int, dict[str, list[str]], str]:
    """Status, headers and body (as far as we read it) of an answer."""
    headers = {name.encode(): value.encode() for name, value in request["headers"].items()}
    content = None if request["body"] is None else request["body"].encode()
    body = bytearray()
    async with client.stream(request["method"], request["url"], headers=headers, content=content) as response:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= MAX_BODY_BYTES:
                break
        listed: dict[str, list[str]] = {}
        for name, value in response.headers.multi_items():
            listed.setdefault("-".join(word.capitalize() for word in name.split("-")), []).append(value)
    text = bytes(body[:MAX_BODY_BYTES]).decode("utf-8", errors="replace")
    # A database text can not hold this one character.
    return response.status_code, listed, text.replace("\x00", "\ufffd")


def go_seconds(text: str) -> float | None:
    """Seconds of a Go duration such as `30s`, `1m30s` or `1.5h`; None when it is none."""
    at, total = 0, 0.0
    while part := _PART.match(text, at):
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    return total if at == len(text) and at > 0 else None
