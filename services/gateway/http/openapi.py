"""The OpenAPI document of what is served: `python -m services.gateway.http.openapi` writes it; a test holds the committed one to it."""

from __future__ import annotations

import re
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal, cast

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contracts.shapes import MetricProvider
from libs.metric_providers import KNOWN
from services.gateway.http import webhooks
from services.gateway.http.answers import ErrorAnswer
from services.gateway.http.app import create_app, operations
from services.gateway.http.bodies import NoQuery
from services.gateway.http.browser import COOKIE
from services.gateway.http.deps import Deps
from services.gateway.http.moments import AT_LEAST_HEADER
from services.gateway.http.operation import Operation

PATH = Path(__file__).parents[3] / "contracts" / "openapi" / "gateway.json"
_REQUEST = "Request."
_PARAMETER = re.compile(r"{(\w+)}")


def document() -> dict[str, Any]:
    """The document: paths as the application has them, parameters, bodies and answers as the operations declare them."""
    # Describing the routes reaches for nothing that they would work with.
    described: dict[str, Any] = create_app(cast("Deps", _Undone())).openapi()
    known = operations()
    bodies = {one.body for one in known.values() if one.body is not None}
    answers = {model for one in known.values() for model in one.answers.values() if model is not None}
    components = described.setdefault("components", {})
    # A body and an answer may share a name; what clients send is told apart by a prefix.
    components["schemas"] = {**_schemas(answers | {ErrorAnswer}), **_schemas(bodies, _REQUEST), **_providers()}
    components["securitySchemes"] = {
        "ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "BearerAuth": {"type": "http", "scheme": "bearer"},
        "Session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    }
    components["responses"] = {"Refused": {"description": "Why it could not be done.", "content": _content("ErrorAnswer")}}
    for name, path in described["paths"].items():
        for spec in path.values():
            operation = known.get(spec["operationId"])
            if operation is not None:
                spec.update(_declared(operation))
            elif webhooks.TAG in spec["tags"]:
                spec.update(_signed(name, spec["description"]))
    return described


class _Undone:
    version = "1.0.0"


def _name(model: type[BaseModel]) -> str:
    """The name of a model among the schemas; that of a generic one says what it holds."""
    return re.sub(r"\W", "_", model.__name__)


def _schemas(models: set[type[BaseModel]], prefix: str = "") -> dict[str, Any]:
    ordered: list[tuple[type[BaseModel], Literal["validation"]]] = [(one, "validation") for one in sorted(models, key=_name)]
    _, found = models_json_schema(ordered, ref_template=f"#/components/schemas/{prefix}{{model}}")
    return {f"{prefix}{name}": schema for name, schema in found.get("$defs", {}).items()}


def _providers() -> dict[str, Any]:
    """Whom a metric may ask: a schema for each type of provider, told apart by `type`, in the place of the one that takes anything."""
    schemas: dict[str, Any] = {}
    mapping: dict[str, str] = {}
    for provider in KNOWN.values():
        name = f"{_REQUEST}{provider.name[:1].upper()}{provider.name[1:]}{MetricProvider.__name__}"
        mapping[provider.name] = f"#/components/schemas/{name}"
        schema = provider.config.model_json_schema(ref_template=f"#/components/schemas/{name}.{{model}}")
        schemas.update((f"{name}.{inner}", one) for inner, one in schema.pop("$defs", {}).items())
        described = {"type": {"const": provider.name, "type": "string"}, **schema.get("properties", {})}
        schemas[name] = {**schema, "properties": described, "required": ["type", *schema.get("required", [])]}
    schemas[_REQUEST + MetricProvider.__name__] = {
        "description": cleandoc(MetricProvider.__doc__ or ""),
        "oneOf": [{"$ref": ref} for ref in mapping.values()],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }
    return schemas


def _content(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _declared(operation: Operation) -> dict[str, Any]:
    parameters = _path_parameters(operation.path)
    if operation.query is not NoQuery:
        for name, schema in operation.query.model_json_schema()["properties"].items():
            parameters.append({"name": name, "in": "query", "required": False, "schema": schema})
    if operation.past:
        description = "Answer when everything up to this position can be seen; 503 when that takes long. Streams tell positions."
        parameters.append({"name": AT_LEAST_HEADER, "in": "header", "schema": {"type": "integer"}, "description": description})
    if operation.method != "GET":
        description = "Names the request, so that repeating it changes nothing more."
        parameters.append({"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}, "description": description})
    responses: dict[str, Any] = {}
    for status, model in operation.answers.items():
        responses[str(status)] = {"description": "Done."}
        if model is not None:
            responses[str(status)]["content"] = _content(_name(model))
    responses.update((status, {"$ref": "#/components/responses/Refused"}) for status in ("400", "401", "404", "409", "503"))
    if operation.method != "GET" and operation.body is not None:
        responses["422"] = {"$ref": "#/components/responses/Refused"}
    declared: dict[str, Any] = {
        "summary": (operation.handler.__doc__ or "").strip().split("\n")[0],
        "parameters": parameters,
        "responses": responses,
        "security": [{"ApiKeyAuth": []}, {"BearerAuth": []}, {"Session": []}],
    }
    if operation.body is not None:
        required = not getattr(operation.body, "MAY_BE_ABSENT", False)
        declared["requestBody"] = {"required": required, "content": _content(_REQUEST + _name(operation.body))}
    return declared


def _signed(path: str, description: str) -> dict[str, Any]:
    """A webhook: whatever its sender documents, signed, without a credential."""
    responses: dict[str, Any] = {"200": {"description": "Taken, also when nothing comes of it."}}
    responses.update((status, {"$ref": "#/components/responses/Refused"}) for status in ("400", "401", "404", "413", "503"))
    return {
        "summary": description.partition("\n")[0],
        "parameters": _path_parameters(path),
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
        "responses": responses,
        "security": [],
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _PARAMETER.findall(path)]


def text() -> bytes:
    """The document as it is committed."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


if __name__ == "__main__":
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_bytes(text())
