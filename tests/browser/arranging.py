"""What is there before a page is opened: things made over HTTP, as CI and people's scripts make them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.story.house import House


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of a test's own.

    Attributes:
        client: asks below it, with the administrator's key.
    """

    id: str
    slug: str
    name: str
    client: httpx.Client

    def url(self, rest: str = "") -> str:
        """The address of a page, such as `/w/of-mine/approvals` for `/approvals`."""
        return f"/w/{self.slug}{rest}"

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Ask the API; its JSON, or None. Raises: AssertionError: it refused."""
        answer = self.client.request(method, path, json=body, params=query or None)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@contextmanager
def new_workspace(system: House) -> Iterator[Workspace]:
    """Make one, and keep a client to it."""
    slug = f"w-{uuid4().hex[:12]}"
    headers = {"X-API-Key": system.api_key}
    made = httpx.post(f"{system.url}/api/v1/workspaces", json={"name": slug, "slug": slug}, headers=headers, timeout=30)
    assert made.status_code == 201, made.text
    base = f"{system.url}/api/v1/workspaces/{made.json()['id']}"
    with httpx.Client(base_url=base, headers=headers, timeout=30) as client:
        yield Workspace(made.json()["id"], slug, slug, client)
