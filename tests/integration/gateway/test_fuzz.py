"""Whatever is sent, no request ends in a 500, and every answer has a declared shape."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import hypothesis
from hypothesis import strategies as st

from services.gateway.http.app import operations
from services.gateway.http.operation import Operation
from tests.integration.gateway.gateway_house import KEY, House, check_shape, house

OPERATIONS = [one for name, one in sorted(operations().items()) if name != "stream_events"]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from(["true", "x ==", "ready", "http"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=8
)


def near(schema: dict[str, Any], definitions: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that mostly fit a JSON schema."""
    if "$ref" in schema:
        return near(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions, depth + 1)
    if depth > 8:
        return SCALARS
    if variants := schema.get("anyOf") or schema.get("oneOf"):
        fits = st.one_of([near(one, definitions, depth + 1) for one in variants])
    elif "enum" in schema or "const" in schema:
        fits = st.sampled_from(schema.get("enum") or [schema["const"]])
    elif schema.get("type") == "object":
        known = {name: near(inner, definitions, depth + 1) for name, inner in schema.get("properties", {}).items()}
        required = {name: known.pop(name) for name in schema.get("required", ()) if name in known}
        fits = st.fixed_dictionaries(required, optional=known)
    elif schema.get("type") == "array":
        fits = st.lists(near(schema.get("items", {}), definitions, depth + 1), max_size=2)
    elif schema.get("type") == "integer":
        fits = st.integers(-1, 2**40)
    elif schema.get("type") == "string":
        fits = st.text(max_size=8) | st.sampled_from(["true", "resource.name == 'x'", "2026-01-01T00:00:00Z", str(uuid4())])
    else:
        fits = SCALARS
    return st.one_of(fits, fits, fits, fits, fits, VALUES)


def body_of(operation: Operation) -> st.SearchStrategy[Any]:
    if operation.body is None:
        return VALUES
    schema = operation.body.model_json_schema()
    return near(schema, schema.get("$defs", {}))


BODIES = [body_of(one) for one in OPERATIONS]
SEGMENTS = st.sampled_from([str(uuid4()), str(uuid4()), "x", "%00", "%ff", "%2F", "a" * 110, "default", "name"])
QUERIES = st.sampled_from(
    [
        "",
        "",
        "limit=1",
        "limit=x",
        "cel=resource.name%20%3D%3D%20%27x%27",
        "cel=((",
        "order=asc",
        "types=a",
        "after=5",
        "%ff=%ff",
        "at=0",
        "at=x",
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Operation, str, str, str]:
    number = draw(st.integers(0, len(OPERATIONS) - 1))
    path = OPERATIONS[number].path.replace("{workspaceId}", "WORKSPACE")
    while "{" in path:
        begin, end = path.index("{"), path.index("}")
        path = path[:begin] + draw(SEGMENTS) + path[end + 1 :]
    return OPERATIONS[number], path, draw(QUERIES), json.dumps(draw(BODIES[number]))


def collected(count: int) -> list[tuple[Operation, str, str, str]]:
    found: list[tuple[Operation, str, str, str]] = []

    @hypothesis.settings(max_examples=count, database=None, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(requests())
    def collect(one: tuple[Operation, str, str, str]) -> None:
        found.append(one)

    collect()
    return found


async def send(one: House, operation: Operation, path: str, query: str, body: str) -> int:
    url = "/api" + path.replace("WORKSPACE", one.workspace_id)
    if operation.method == "DELETE" and not operation.path.removeprefix("/v1/workspaces/{workspaceId}"):
        url = url.replace(one.workspace_id, str(uuid4()))  # everything else lives there
    answer = await one.client.request(
        operation.method,
        f"{url}?{query}" if query else url,
        content=body.encode("utf-8", "surrogatepass"),
        headers={"X-API-Key": KEY, "Content-Type": "application/json"},
    )
    assert answer.status_code < 500, f"{operation.method} {url}?{query} {body}: {answer.status_code} {answer.text}"
    check_shape(operation.method, url, answer)
    return answer.status_code


async def test_no_request_ends_in_a_500() -> None:
    async with house() as one:
        statuses = [await send(one, *request) for request in collected(600)]
        # The services live on: each still decides.
        async with asyncio.timeout(20):
            assert await one.call("POST", "/systems", {"name": "after"}, want=202)
            assert await one.call("POST", "/policies", {"name": "after"}, want=202)
            assert await one.call("PUT", one.path_of("after"), {"name": "n", "kind": "k", "version": "v"}, want=202)
        # Whether something is created is left to chance; that the form, the path and lists are reached is not.
        assert {200, 400, 404} <= set(statuses)
        assert [host.health()["stopped"] for host in one.requests.hosts.values()] == [{}] * 6
