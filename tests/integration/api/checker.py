"""The one place that holds answers against the table: a client of a workspace that lets no answer pass unlooked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from urllib.parse import quote

import httpx

from tests.integration.api.row import Row
from tests.integration.api.table import NOUNS, ROWS, row_of

_numbers = count(1)

NONE: Final[Any] = object()
"""No body at all, as opposed to `null`."""


def problems_of(row: Row | None, known: bool, answer: httpx.Response) -> Iterator[str]:
    """What is wrong with an answer.

    Args:
        row: the operation that was asked, None when there is none.
        known: whether the path is among those that the table speaks of; of others only errors are looked at.
    """
    status = answer.status_code
    if status >= 400:
        yield from _problems_of_error(answer)
    if row is None:
        if known and status not in (404, 405):
            yield f"no row declares this operation, and it answers {status}"
        return
    if status not in row.statuses:
        yield f"{row.op} does not declare {status}"
    elif status < 400:
        if status != row.status:
            yield f"{row.op} answers {status}, not {row.status}"
        try:
            body = _json(answer)
        except ValueError as error:
            yield str(error)
        else:
            yield from row.answer.problems(body, "")


def _problems_of_error(answer: httpx.Response) -> Iterator[str]:
    try:
        body = _json(answer)
    except ValueError as error:
        yield str(error)
        return
    if not isinstance(body, dict):
        yield f"an error is an object, not {body!r}"
        return
    message = body.get("message")
    if not isinstance(message, str) or not message:
        yield f"an error has a message: {body!r}"
    if body.get("error") != message:
        yield f"the error repeats the message for clients of the older shape: {body!r}"
    if not isinstance(body.get("code", ""), str):
        yield f"the code of an error is a string: {body!r}"
    if more := sorted(set(body) - {"message", "error", "code", "details"}):
        yield f"an error has no {', '.join(more)}"
    details = body.get("details", [])
    if isinstance(details, list):
        for number, one in enumerate(details):
            if not isinstance(one, dict) or not isinstance(one.get("path"), str) or not isinstance(one.get("message"), str):
                yield f"details/{number} does not say what is wrong where: {one!r}"
    elif not isinstance(details, dict):
        yield f"details are an object or a list: {details!r}"


def _json(answer: httpx.Response) -> Any:
    if answer.headers.get("content-type") != "application/json":
        raise ValueError(f"the content type is {answer.headers.get('content-type')}")
    try:
        return answer.json()
    except json.JSONDecodeError as error:
        raise ValueError(f"the body is no JSON: {error}") from error


@dataclass
class Api:
    """A client of one workspace.

    Attributes:
        seen: which operations answered what.
        new: makes a client of a further workspace.
    """

    client: httpx.Client
    workspace_id: str
    new: Callable[[], Api]
    seen: set[tuple[str, int]] = field(default_factory=set)

    def send(
        self, method: str, path: str, body: Any = NONE, *, content: Any = None, workspace_id: str = "", **more: Any
    ) -> httpx.Response:
        """Send a request below the workspace and hold its answer against the table.

        Args:
            path: percent-encoded.
            body: sent as JSON; `content` instead is sent as it is.
            workspace_id: another than the client's.
        """
        if body is not NONE:
            content = json.dumps(body).encode()
            more["headers"] = {"Content-Type": "application/json", **more.get("headers", {})}
        url = f"/api/v1/workspaces/{workspace_id or self.workspace_id}{path}"
        answer = self.client.request(method, url, content=content, **more)
        plain = path.partition("?")[0]
        row = row_of(method, plain)
        found = list(problems_of(row, plain.split("/")[1] in NOUNS, answer))
        assert not found, f"{method} {path} answered {answer.status_code} {answer.text[:2000]}:\n" + "\n".join(found)
        if row is not None:
            self.seen.add((row.op, answer.status_code))
        return answer

    def ask(self, op: str, body: Any = NONE, query: Any = None, **params: str) -> httpx.Response:
        """Send an operation of the table, with its path parameters by name."""
        row = ROWS[op]
        return self.send(row.method, path_of(row, params), body, params=query)

    def call(self, op: str, body: Any = NONE, query: Any = None, **params: str) -> Any:
        """Send an operation of the table, which must succeed; the JSON of its answer."""
        answer = self.ask(op, body, query, **params)
        assert answer.status_code == ROWS[op].status, f"{op} {params}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()

    def refused(self, status: int, op: str, body: Any = NONE, query: Any = None, **params: str) -> Any:
        """Send an operation of the table, which must be refused with this status; the error."""
        answer = self.ask(op, body, query, **params)
        assert answer.status_code == status, f"{op} {params} {body!r}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()

    def pages(self, op: str, body: Any = NONE, query: Any = None, **params: str) -> list[Any]:
        """The items of a list's default page."""
        items: list[Any] = self.call(op, body, query, **params)["items"]
        return items


def new_workspace(client: httpx.Client) -> Api:
    """A client of a workspace that is empty."""
    name = f"w-{next(_numbers)}"
    answer = client.post("/api/v1/workspaces", json={"name": name, "slug": name})
    assert answer.status_code == 201, answer.text
    return Api(client, answer.json()["id"], lambda: new_workspace(client))


def path_of(row: Row, params: dict[str, str]) -> str:
    """The path of an operation, percent-encoded."""
    path = row.path
    for name, value in params.items():
        assert f"{{{name}}}" in path, f"{row.op} has no {name}"
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    assert "{" not in path, f"{row.op} needs {path}"
    return path
