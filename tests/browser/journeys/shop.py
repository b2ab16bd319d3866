"""A small shop to walk through: one deployment, two environments, and an agent that the test itself plays.

Jobs wait until the test ends them, so that every step of a rollout stays in sight for as long as the test looks at it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from tests.browser.arranging import Workspace

STAGING: Final = ("stg-1",)
PRODUCTION: Final = ("prd-1", "prd-2", "prd-3")
LIMIT_S: Final = 30.0
_LOOK_S: Final = 0.05

Rules = dict[str, list[dict[str, Any]]]


async def until(look: Callable[[], Any], what: str) -> Any:
    """Look again and again until something true is seen; what was seen. Raises: AssertionError."""
    end = time.monotonic() + LIMIT_S
    while not (seen := look()):
        assert time.monotonic() < end, f"{what}: not within {LIMIT_S:.0f} s"
        await asyncio.sleep(_LOOK_S)
    return seen


class Shop:
    """What there is, and the agent that carries jobs out.

    Args:
        workspace: an empty one.
        agent: its type; with any other than the one that asks for its jobs, jobs end by themselves.
        rules: of a policy for each environment that is named.
        everywhere: rules of a policy for both.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        agent: str = "http-pull",
        rules: Rules | None = None,
        everywhere: list[dict[str, Any]] | None = None,
    ) -> None:
        self._workspace = workspace
        call = workspace.call
        self.agent = str(uuid4())
        call("PUT", f"/job-agents/{self.agent}", {"name": "runner", "type": agent, "config": {}})
        self.resources: dict[str, str] = {}
        for stage, names in (("staging", STAGING), ("production", PRODUCTION)):
            for name in names:
                body = {"name": name, "kind": "Cluster", "version": "v1", "config": {}, "metadata": {"stage": stage}}
                call("PUT", f"/resources/identifier/{name}", body)
                self.resources[name] = call("GET", f"/resources/identifier/{name}")["id"]
        self.system = call("POST", "/systems", {"name": "shop"})["id"]
        self.environments: dict[str, str] = {}
        for stage in ("staging", "production"):
            body = {"name": stage, "resourceSelector": f'resource.metadata["stage"] == "{stage}"'}
            self.environments[stage] = call("POST", "/environments", body)["id"]
            call("PUT", f"/systems/{self.system}/environments/{self.environments[stage]}")
        body = {"name": "api", "slug": "api", "resourceSelector": "true", "jobAgentSelector": "true"}
        self.deployment = call("POST", "/deployments", body)["id"]
        call("PUT", f"/systems/{self.system}/deployments/{self.deployment}")
        for stage, some in (rules or {}).items():
            self.policy(f"{stage}-policy", f'environment.name == "{stage}"', some)
        if everywhere:
            self.policy("everywhere", "true", everywhere)

    def policy(self, name: str, selector: str, rules: list[dict[str, Any]]) -> str:
        """Make a policy; its id."""
        return str(self._workspace.call("POST", "/policies", {"name": name, "selector": selector, "rules": rules})["id"])

    def version(self, tag: str, **more: Any) -> str:
        """CI posts a version; its id."""
        body = {"tag": tag, "name": tag, "status": "ready", **more}
        return str(self._workspace.call("POST", f"/deployments/{self.deployment}/versions", body)["id"])

    def key(self, name: str) -> str:
        """The release target of a resource."""
        stage = "staging" if name in STAGING else "production"
        return f"{self.resources[name]}-{self.environments[stage]}-{self.deployment}"

    def cell(self, stage: str) -> str:
        """What finds the cell of an environment in the matrix."""
        return f'[data-cell="{self.deployment}/{self.environments[stage]}"]'

    def open_jobs(self, tag: str, names: tuple[str, ...]) -> list[str]:
        """Jobs of a version on resources that wait to be carried out."""
        items = self._workspace.call("GET", f"/job-agents/{self.agent}/jobs", limit=100, includeDispatchContext="true")["items"]
        mine = [one for one in items if one["status"] in ("pending", "queued", "inProgress")]
        return [
            one["id"]
            for one in mine
            if one["dispatchContext"]["version"]["tag"] == tag and one["dispatchContext"]["resource"]["name"] in names
        ]

    async def carry_out(self, tag: str, *names: str, status: str = "successful") -> None:
        """End the job of a version on each of these resources, as soon as there is one."""
        for name in names:
            (job,) = await until(lambda name=name: self.open_jobs(tag, (name,)), f"a job of {tag} on {name}")  # type: ignore[misc]
            self._workspace.call("PUT", f"/jobs/{job}/status", {"status": status, "message": f"{status} on {name}"})

    def state(self, name: str) -> dict[str, Any]:
        """What runs on a resource and what should."""
        told: dict[str, Any] = self._workspace.call("GET", f"/release-targets/{self.key(name)}/state")
        return told

    def runs(self, name: str, tag: str) -> bool:
        """Whether a version runs on a resource."""
        return bool((self.state(name).get("currentRelease") or {}).get("version", {}).get("tag") == tag)
