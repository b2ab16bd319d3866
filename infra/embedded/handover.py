"""What the running system hands to a person or a script: its address, an API key and the workspace, in credentials.json."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import httpx

from infra.embedded.datadir import DataDir
from infra.embedded.problem import CannotStart

LOOK_UP_LIMIT_S = 60.0


async def default_workspace(url: str, api_key: str, *, limit_s: float = LOOK_UP_LIMIT_S) -> str:
    """Ask the gateway for the id of the workspace `default`, or of the first one when it was renamed.

    An outage, such as a gateway that is just being restarted, is tried again.

    Raises:
        CannotStart: no workspace was named within `limit_s` seconds; says what the last answer was.
    """
    end = time.monotonic() + limit_s
    # No proxy stands between us and our own socket, whatever the environment says.
    async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": api_key}, trust_env=False, timeout=25.0) as client:
        while True:
            try:
                answer = await client.get("/api/v1/workspaces")
                answer.raise_for_status()
                workspaces = {one["slug"]: str(one["id"]) for one in answer.json()["workspaces"]}
                if workspaces:
                    return workspaces.get("default") or next(iter(workspaces.values()))
                trouble = "it lists no workspace"
            except httpx.HTTPStatusError as refusal:
                trouble = f"it answered {refusal.response.status_code}"
            except (httpx.TransportError, ValueError, KeyError, TypeError) as problem:
                trouble = repr(problem)
            if time.monotonic() > end:
                raise CannotStart(f"the gateway at {url} does not name its workspaces: {trouble}")
            await asyncio.sleep(0.2)


def write_credentials(datadir: DataDir, url: str, api_key: str, workspace: str) -> Path:
    """Write credentials.json, readable by the owner only, and return its path."""
    return datadir.write(
        "credentials.json", json.dumps({"url": url, "apiKey": api_key, "workspaceId": workspace}, indent=2) + "\n"
    )
