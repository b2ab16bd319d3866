"""The OpenAPI document of what is served: `python -m services.gateway.http.openapi` writes it; a test holds the committed one to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import orjson
from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from services.gateway.http.app import create_app, operations
from services.gateway.http.bodies import NoQuery
from services.gateway.http.deps import Deps
from services.gateway.http.operation import Operation

PATH = Path(__file__).parents[3] / "contracts" / "openapi" / "gateway.json"
_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"{(\w+)}")


def document() -> dict[str, Any]:
    """The document: paths and answers as the routers have them, parameters and bodies as the operations declare them."""
    # Describing the routes reaches for nothing that they would work with.
    app: FastAPI = create_app(cast("Deps", _Undone()))
    described: dict[str, Any] = app.openapi()
    bodies = sorted({one.body for one in operations().values() if one.body is not None}, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in bodies], ref_template=_REF)
    components = described.setdefault("components", {})
    # A body and an answer may share a name; what clients send is then told apart by its own.
    components["schemas"] = {**components.get("schemas", {}), **_renamed(schemas.get("$defs", {}))}
    components["securitySchemes"] = {
        "ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "BearerAuth": {"type": "http", "scheme": "bearer"},
    }
    for path in described["paths"].values():
        for spec in path.values():
            operation = operations().get(spec["operationId"])
            if operation is not None:
                spec.update(_declared(operation))
    return described


class _Undone:
    version = "1.0.0"


def _renamed(definitions: dict[str, Any]) -> dict[str, Any]:
    text = orjson.dumps(definitions).decode().replace("#/components/schemas/", "#/components/schemas/Request.")
    return {f"Request.{name}": schema for name, schema in orjson.loads(text).items()}


def _declared(operation: Operation) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(operation.path)
    ]
    if operation.query is not NoQuery:
        for name, schema in operation.query.model_json_schema()["properties"].items():
            parameters.append({"name": name, "in": "query", "required": False, "schema": schema})
    if operation.method != "GET":
        description = "Names the request, so that repeating it changes nothing more."
        parameters.append({"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}, "description": description})
    declared: dict[str, Any] = {"parameters": parameters, "security": [{"ApiKeyAuth": []}, {"BearerAuth": []}]}
    if operation.body is not None:
        reference = {"$ref": f"#/components/schemas/Request.{operation.body.__name__}"}
        declared["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
    return declared


def text() -> bytes:
    """The document as it is committed."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


if __name__ == "__main__":
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_bytes(text())
