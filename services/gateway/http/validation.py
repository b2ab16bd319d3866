"""The one place that checks requests against their declared form: query, body, workspace id. Values are not coerced in bodies."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar, get_args
from urllib.parse import parse_qsl, unquote
from uuid import UUID

import orjson
from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import ErrorDetails

from contracts.shapes import Json
from services.gateway.http.problem import finding

M = TypeVar("M", bound=BaseModel)
Large = Callable[[bytes], Any]
"""Checks a large body and makes something smaller of it than the declared model; None when anything is wrong with it."""

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_MAX_QUERY_FIELDS = 100

_KINDS = {
    "missing": "required",
    "literal_error": "enum",
    "greater_than_equal": "minimum",
    "less_than_equal": "maximum",
    "string_too_short": "minLength",
    "string_too_long": "maxLength",
    "string_pattern_mismatch": "pattern",
    "too_short": "minItems",
    "too_long": "maxItems",
    "union_tag_invalid": "discriminator",
    "union_tag_not_found": "required",
}


def canonical_uuid(text: str) -> str | None:
    """A uuid in lower case; None when the text is none."""
    return str(UUID(text)) if _UUID.fullmatch(text) else None


def decoded_segment(text: str) -> str | None:
    """A path segment, percent-decoded once; None when what comes out can name nothing."""
    try:
        plain = unquote(text, errors="strict")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in plain else plain


def query_of(raw: bytes, model: type[M]) -> tuple[M | None, list[Json]]:
    """The query parameters as the model says. Unknown, empty and repeated ones are refused."""
    problems: list[Json] = []
    names = _names(model)
    values: dict[str, str] = {}
    try:
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS)
    except ValueError:
        return None, [finding("/query", f"has more than {_MAX_QUERY_FIELDS} parameters", "maxItems")]
    for name, value in pairs:
        if name not in names:
            problems.append(finding(f"/query/{name}", f"Unknown query parameter '{name}'", "unknown"))
        elif value == "":
            problems.append(finding(f"/query/{name}", f"Empty value found for query parameter '{name}'", "empty"))
        elif name in values:
            problems.append(finding(f"/query/{name}", f"query parameter '{name}' is given more than once", "repeated"))
        elif "\x00" in value:
            problems.append(finding(f"/query/{name}", "must not contain the character U+0000", "pattern"))
        else:
            values[name] = value
    if problems:
        return None, problems
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        return None, [_finding("/query", one) for one in error.errors(include_url=False, include_context=False)]


def body_of(value: Any, text: bytes, model: type[M]) -> tuple[M | None, list[Json]]:
    """The body as the model says.

    Args:
        value: the parsed body, looked through for nulls.
        text: the same as JSON, which the model reads strictly.
    """
    problems = list(_nulls(model, value, "/body")) if b"null" in text else []
    try:
        parsed = model.model_validate_json(text, strict=True)
    except ValidationError as error:
        told = {one["path"] for one in problems}
        found = (_finding("/body", one) for one in error.errors(include_url=False, include_context=False))
        return None, problems + [one for one in found if one["path"] not in told]
    return (None, problems) if problems else (parsed, [])


def large_body_of(text: bytes, model: type[BaseModel], large: Large | None) -> tuple[Any, list[Json]]:
    """The same of a body that is there as text alone; with `large`, what that makes of the text when nothing is wrong with it."""
    made = large(text) if large is not None else None
    if made is not None:
        return made, []
    return body_of(orjson.loads(text) if b"null" in text else None, text, model)


def _finding(root: str, error: ErrorDetails) -> Json:
    kind = error["type"]
    name = _KINDS.get(kind) or ("type" if kind.endswith(("_type", "_parsing")) else "format")
    path = "/".join([root, *(str(part) for part in error["loc"])])
    if kind == "missing":
        return finding(path, f"must have required property '{error['loc'][-1]}'", name)
    return finding(path, error["msg"].removeprefix("Value error, "), name)


def _names(model: type[BaseModel]) -> dict[str, Any]:
    """Annotation by wire name."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _nulls(model: type[BaseModel], value: Any, path: str) -> list[Json]:
    """Declared properties that are explicitly null: leaving one out means absent, null means nothing."""
    if not isinstance(value, dict) or issubclass(model, RootModel):
        return []
    found: list[Json] = []
    tolerant: frozenset[str] = getattr(model, "NULL_IS_ABSENT", frozenset())
    for name, annotation in _names(model).items():
        if name not in value or name in tolerant:
            continue
        inner = value[name]
        if inner is None:
            found.append(finding(f"{path}/{name}", "must not be null; leave it out instead", "nullable"))
        elif isinstance(inner, dict | list) and (nested := _models(annotation)):
            items = inner if isinstance(inner, list) else [inner]
            for number, item in enumerate(items):
                here = f"{path}/{name}/{number}" if isinstance(inner, list) else f"{path}/{name}"
                found.extend(_nulls(_variant(nested, item), item, here))
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _variant(models: list[type[BaseModel]], item: Any) -> type[BaseModel]:
    """Of several possible models the one whose `type` the item names; else the first."""
    for model in models:
        field = model.model_fields.get("type")
        if field is not None and isinstance(item, dict) and item.get("type") in get_args(field.annotation):
            return model
    return models[0]
