"""A client of the v1 API, as small as the demo needs it."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

import httpx

PATIENCE_S = 60.0
"""How long an outage is waited out before the demo gives up."""


class ApiError(Exception):
    """The API said no."""

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        super().__init__(f"{method} {path} answered {status}: {body[:300]}")
        self.status = status


class Api:
    """Calls one workspace with the credentials that `infra/dev up` wrote."""

    def __init__(self, credentials: Path) -> None:
        known = json.loads(credentials.read_text(encoding="utf-8"))
        self._client = httpx.Client(
            base_url=f"{known['url'].rstrip('/')}/api/v1/workspaces/{known['workspaceId']}",
            headers={"X-API-Key": known["apiKey"]},
            timeout=30,
            # No proxy stands between us and our own machine, whatever the environment says.
            trust_env=False,
        )

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """Call; outages are waited out, and a write keeps its key over its retries. Raises: ApiError."""
        headers = {} if method == "GET" else {"Idempotency-Key": str(uuid.uuid4())}
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                response = self._client.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code != 503:
                break
            if time.monotonic() > end:
                raise ApiError(method, path, 503, "no answer")
            time.sleep(0.3)
        if response.is_error:
            raise ApiError(method, path, response.status_code, response.text)
        return response.json() if response.content else {}

    def find(self, path: str) -> Any:
        """GET, or None when there is no such thing."""
        try:
            return self("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise
