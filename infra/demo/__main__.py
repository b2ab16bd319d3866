"""Simulated CI and a simulated colleague for the demo shop, until it is stopped.

Nothing is remembered between two starts: what to build and what to approve next is read from the API, so that a demo which was
killed goes on where it was.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from infra.demo import monitoring, shop
from infra.demo.api import Api, ApiError
from infra.demo.colleague import Colleague

BUILD_EVERY_S = 20
"""While somebody is probably looking."""
LIVELY_BUILDS = 30
LATER_BUILD_EVERY_S = 180
"""After that: a demo that is forgotten over a weekend shall not fill the disk."""
LOOK_EVERY_S = 2


def main() -> None:
    """Create the shop, then build and approve for ever."""
    api = Api(Path(os.environ["SIGNALBOX_CREDENTIALS"]))
    port = monitoring.serve(shop.monitoring_port_of(api))
    deployments = shop.create(api, port)
    colleague = Colleague(api, deployments[shop.NEEDS_A_PERSON], api("GET", "/environments/name/production")["id"])
    built = 0
    next_at = time.monotonic()
    while True:
        if time.monotonic() >= next_at:
            builds = {name: next_build(api, id_) for name, id_ in deployments.items()}
            for name in due(builds):
                post_version(api, deployments[name], shop.DEPLOYMENTS[name], builds[name])
            built += 1
            next_at = time.monotonic() + (BUILD_EVERY_S if built < LIVELY_BUILDS else LATER_BUILD_EVERY_S)
        colleague.look(time.monotonic())
        time.sleep(LOOK_EVERY_S)


def due(builds: dict[str, int]) -> list[str]:
    """Name the deployments to build now, given the number of each one's next build: all that have none yet, else one that is behind."""
    fresh = [name for name, build in builds.items() if build == 0]
    return fresh or [min(builds, key=lambda name: builds[name])]


def next_build(api: Api, deployment_id: str) -> int:
    """The number of the next build: one more than the newest."""
    items = api("GET", f"/deployments/{deployment_id}/versions?limit=1")["items"]
    return monitoring.build_of(items[0]["tag"]) + 1 if items else 0


def post_version(api: Api, deployment_id: str, series: str, build: int) -> None:
    """Post a version as CI would."""
    tag = f"{series}.{build}"
    body = {"name": tag, "tag": tag, "status": "ready", "config": {}, "jobAgentConfig": {}, "metadata": {"ci/build": str(build)}}
    api("POST", f"/deployments/{deployment_id}/versions", body)


if __name__ == "__main__":
    try:
        main()
    except ApiError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        pass
