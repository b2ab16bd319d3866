"""Policies whose metrics fail, or pass, and verifications that they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.integration.gateway.gateway_house import House
from tests.integration.gateway.test_story_in_process import shop

FAILS: dict[str, Any] = {
    "name": "health",
    "intervalSeconds": 1,
    "count": 1,
    "errorLimit": 0,
    # Nothing is called inside: the first question brings no answer.
    "provider": {"type": "http", "url": "http://127.0.0.1:9/{{.version.tag}}"},
    "successCondition": "result.ok",
}
PASSES: dict[str, Any] = {
    "name": "nap",
    "intervalSeconds": 1,
    "count": 1,
    "provider": {"type": "sleep", "durationSeconds": 1},
    "successCondition": "result.ok",
}


def policy(*metrics: dict[str, Any], name: str = "p", **more: Any) -> dict[str, Any]:
    """A policy that has every job verified by these metrics."""
    verification = {"verification": {"triggerOn": "jobSuccess", "metrics": list(metrics), **more}}
    return {"name": name, "selector": "true", "priority": 0, "enabled": True, "metadata": {}, "rules": [verification]}


async def posted(one: House, deployment: str, tag: str = "v1") -> str:
    """Post a version; its id."""
    body = {"tag": tag, "name": "", "status": "ready"}
    return str((await one.call("POST", f"/deployments/{deployment}/versions", body, want=200))["id"])


async def state_once(one: House, target: str, holds: Callable[[Any], bool]) -> Any:
    """The state of a target once it is as wanted."""
    return await one.until(lambda: one.call("GET", f"/release-targets/{target}/state", want=200), holds)


async def verified(one: House, *metrics: dict[str, Any], status: str = "failed", **more: Any) -> tuple[dict[str, str], Any]:
    """A shop whose job was verified to this status; its ids, and the verification in the target's state."""
    ids = await shop(one)
    await one.call("POST", "/policies", policy(*metrics, **more), want=202)
    await posted(one, ids["deployment"])

    def ended(state: Any) -> bool:
        found = state.get("latestJob", {}).get("verifications", [])
        return bool(found) and found[0]["status"] == status

    state = await state_once(one, ids["target"], ended)
    (found,) = state["latestJob"]["verifications"]
    return {**ids, "job": state["latestJob"]["job"]["id"]}, found
