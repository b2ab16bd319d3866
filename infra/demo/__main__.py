"""Simulated CI for the demo shop: posts a version every now and then, some of them unhealthy, until it is stopped."""

from __future__ import annotations

import os
import sys
import time
from itertools import cycle
from pathlib import Path

from infra.demo import monitoring, shop
from infra.demo.api import Api, ApiError

BUILD_EVERY_S = 20
APPROVE_AFTER_S = 25
"""The colleague who approves `checkout` takes a moment; newcomers may be faster."""


def main() -> None:
    """Create the shop, then build and approve for ever."""
    api = Api(Path(os.environ["SIGNALBOX_CREDENTIALS"]))
    port = monitoring.serve(shop.monitoring_port_of(api))
    deployments = shop.create(api, port)
    production = api("GET", "/environments/name/production")["id"]
    to_approve: list[tuple[float, str]] = []
    builds = {name: next_build(api, id_) for name, id_ in deployments.items()}
    names = cycle(deployments)
    next_at = time.monotonic()
    first = all(build == 0 for build in builds.values())
    while True:
        if time.monotonic() >= next_at:
            for name in list(deployments) if first else [next(names)]:
                version = post_version(api, deployments[name], builds[name])
                builds[name] += 1
                if name == "checkout":
                    to_approve.append((time.monotonic() + APPROVE_AFTER_S, version))
            first = False
            next_at = time.monotonic() + BUILD_EVERY_S
        while to_approve and to_approve[0][0] <= time.monotonic():
            approve(api, to_approve.pop(0)[1], production)
        time.sleep(0.5)


def next_build(api: Api, deployment_id: str) -> int:
    """The number of the next build: one more than the newest."""
    items = api("GET", f"/deployments/{deployment_id}/versions?limit=1")["items"]
    return monitoring.build_of(items[0]["tag"]) + 1 if items else 0


def post_version(api: Api, deployment_id: str, build: int) -> str:
    """Post a version as CI would; its id."""
    tag = f"v1.0.{build}"
    body = {"name": tag, "tag": tag, "status": "ready", "config": {}, "jobAgentConfig": {}, "metadata": {"ci/build": str(build)}}
    return str(api("POST", f"/deployments/{deployment_id}/versions", body)["id"])


def approve(api: Api, version_id: str, environment_id: str) -> None:
    """Approve a version for production."""
    body = {"status": "approved", "environmentIds": [environment_id], "reason": "Looks good in staging."}
    api("PUT", f"/deployment-versions/{version_id}/user-approval-records", body)


if __name__ == "__main__":
    try:
        main()
    except ApiError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        pass
