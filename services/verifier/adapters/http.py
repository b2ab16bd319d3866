"""Takes measurements: asks an HTTP endpoint; a sleep is over when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.outbound.failures import CallFailed
from libs.runtime.service import Intent
from libs.secrets.problem import SecretProblem
from libs.secrets.redaction import Redacted
from libs.secrets.references import replaced
from libs.secrets.vault import Vault

MAX_BODY_BYTES: Final = 1024 * 1024
MAX_REDIRECTS: Final = 10
MAX_TIMEOUT_S: Final = 600.0

_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


class Measurer:
    """Performs verifier's intents. What goes wrong outside is a result `{"error": …}`; no result holds a secret that was used for it.

    Args:
        outbound: makes the calls; without it public addresses are called.
        vault: opens the secrets that a metric names; without it none are opened.
    """

    def __init__(self, outbound: Outbound | None = None, vault: Vault | None = None) -> None:
        self._outbound = outbound or Outbound(AddressRules())
        self._vault = vault

    async def __call__(self, intent: Intent) -> dict[str, Any]:
        """Take the measurement that an intent asks for."""
        request = intent.request
        if request["type"] == "sleep":
            seconds = request["durationSeconds"]
            return {"ok": True, "value": seconds, "duration": seconds * 1000}
        timeout_s = go_seconds(request["timeout"])
        if timeout_s is None or timeout_s <= 0:
            return {"error": f"the timeout {request['timeout']!r} is no duration above 0; write for example 30s or 1m30s"}
        try:
            filled, redacted = await self._opened(request)
        except SecretProblem as problem:
            return {"error": f"a secret can not be opened: {problem.message}"}
        result: dict[str, Any] = redacted.json(await self._ask(request, filled, min(timeout_s, MAX_TIMEOUT_S)))
        return result

    async def _opened(self, request: dict[str, Any]) -> tuple[Callable[[str], str], Redacted]:
        """What fills the secrets of a metric into a text of it, and what takes them out again. Raises: SecretProblem."""
        named = request.get("secrets", [])
        if self._vault is None or not named:
            return str, Redacted()
        opened = await self._vault.opened(request["workspace_id"], named)
        values = {name: str(value) for name, value in zip(named, opened.config, strict=True)}
        # What a template brought into the text may look like a reference as well, and is left alone.
        return lambda text: replaced(text, lambda one: values.get(str(one), str(one))), opened.redacted

    async def _ask(self, request: dict[str, Any], filled: Callable[[str], str], timeout_s: float) -> dict[str, Any]:
        body = request["body"]
        try:
            answer = await self._outbound.ask(
                request["method"],
                filled(request["url"]),
                headers={name: filled(value) for name, value in request["headers"].items()},
                content=None if body is None else filled(body),
                timeout_s=timeout_s,
                connect_s=timeout_s,
                max_bytes=MAX_BODY_BYTES,
                redirects=MAX_REDIRECTS,
                insecure=request.get("insecure", False),
            )
        except CallFailed as error:
            return {"error": str(error)}
        listed: dict[str, list[str]] = {}
        for name, value in answer.headers.multi_items():
            listed.setdefault("-".join(word.capitalize() for word in name.split("-")), []).append(value)
        return {
            "ok": answer.ok,
            "statusCode": answer.status,
            "body": answer.text(),
            "headers": listed,
            "duration": round(answer.elapsed_s * 1000),
        }


def go_seconds(text: str) -> float | None:
    """Seconds of a Go duration such as `30s`, `1m30s` or `1.5h`; None when it is none."""
    at, total = 0, 0.0
    while part := _PART.match(text, at):
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    return total if at == len(text) and at > 0 else None
