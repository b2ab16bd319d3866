"""The API of Terraform Cloud and Enterprise (JSON:API), as far as it takes to run a workspace.

https://developer.hashicorp.com/terraform/cloud-docs/api-docs
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, urlencode

from contracts.shapes import Json
from libs.outbound.answer import Answer
from libs.outbound.asking import Outbound
from libs.outbound.failures import NotJson
from libs.secrets.references import MASK
from services.dispatcher.adapters.outcome import Held, asked

PAGE: Final = 100
MAX_PAGES: Final = 20
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
JSON_API: Final = "application/vnd.api+json"


@dataclass(frozen=True, slots=True)
class Tfe:
    """One organization as a token sees it. Every method raises `Held` and `Rejected`; those that start something also `Unsure`."""

    outbound: Outbound
    address: str
    organization: str
    token: str = field(repr=False)
    clock: Callable[[], datetime]

    async def get(self, path: str, **query: str) -> Json:
        """The `data` of one object."""
        return _data(await self._ask("GET", path, query))

    async def each(self, path: str, **query: str) -> AsyncIterator[Json]:
        """The `data` of a list, one after the other; pages are read as they are needed."""
        for page in range(1, MAX_PAGES + 1):
            told = _object(await self._ask("GET", path, {**query, "page[size]": str(PAGE), "page[number]": str(page)}))
            for one in told.get("data") or ():
                if isinstance(one, dict):
                    yield one
            paging = _at(told, "meta", "pagination")
            if not isinstance(paging, dict) or not paging.get("next-page"):
                return

    async def save(
        self,
        method: str,
        path: str,
        type_: str,
        attributes: Mapping[str, Any],
        *,
        belongs_to: Mapping[str, str] = MappingProxyType({}),
        starts: bool = False,
    ) -> Json:
        """Create or change an object.

        Args:
            method: `POST` or `PATCH`.
            belongs_to: ids of objects, by their type in the singular.
            starts: it starts something that must not be started twice.
        """
        data: Json = {"type": type_, "attributes": dict(attributes)}
        if belongs_to:
            data["relationships"] = {name: {"data": {"type": f"{name}s", "id": one}} for name, one in belongs_to.items()}
        return _data(await self._ask(method, path, {}, {"data": data}, starts=starts))

    async def act(self, path: str, comment: str) -> None:
        """Do something with a run; the answer is empty."""
        await self._ask("POST", path, {}, {"comment": comment})

    async def delete(self, path: str) -> None:
        await self._ask("DELETE", path, {})

    async def read(self, path: str, *, max_bytes: int) -> Answer:
        """An answer as it comes, from wherever it is kept."""
        return await self._ask("GET", path, {}, max_bytes=max_bytes, redirects=2)

    def workspace_path(self, name: str) -> str:
        """The path of a workspace by its name."""
        return f"{self.organization_path}/workspaces/{quote(name, safe='')}"

    @property
    def organization_path(self) -> str:
        return f"organizations/{quote(self.organization, safe='')}"

    def page_of(self, workspace: str, run_id: str | None = None) -> str:
        """The page for people of a workspace, or of a run in it."""
        place = f"{self.address}/app/{quote(self.organization, safe='')}/workspaces/{quote(workspace, safe='')}"
        return f"{place}/runs/{run_id}" if run_id else place

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        json: Any = None,
        *,
        starts: bool = False,
        max_bytes: int = MAX_ANSWER_BYTES,
        redirects: int = 0,
    ) -> Answer:
        return await asked(
            self.outbound,
            method,
            f"{self.address}/api/v2/{path}{f'?{urlencode(query)}' if query else ''}",
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": JSON_API,
                "Accept": f"{JSON_API}, application/json",
            },
            json=json,
            starts=starts,
            clock=self.clock,
            words=lambda answer: _words(answer).replace(self.token, MASK),
            max_bytes=max_bytes,
            redirects=redirects,
        )


def attribute(data: Json, name: str) -> Any:
    """An attribute of an object; None where it has none."""
    return _at(data, "attributes", name)


def related(data: Json, name: str) -> str | None:
    """The id of a related object."""
    found = _at(data, "relationships", name, "data", "id")
    return found if isinstance(found, str) else None


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _object(answer: Answer) -> Json:
    try:
        told = answer.json()
    except NotJson as error:
        raise Held(f"Terraform gave no answer that can be read: {error}.") from None
    return told if isinstance(told, dict) else {}


def _data(answer: Answer) -> Json:
    data = _object(answer).get("data")
    if not isinstance(data, dict) or not isinstance(data.get("id"), str):
        raise Held(
            f"Terraform's answer with status {answer.status} holds no object: is {answer.url.split('/api/')[0]} its address?"
        )
    return data


def _words(answer: Answer) -> str:
    """What Terraform says is wrong: titles and details of `errors`."""
    errors = [one if isinstance(one, dict) else {"title": one} for one in answer.json()["errors"]]
    return "; ".join(": ".join(str(one[part]) for part in ("title", "detail") if one.get(part)) for one in errors)
