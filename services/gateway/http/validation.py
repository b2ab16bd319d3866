"""The one place that checks requests against their declared form: query, body, workspace id. Values are not coerced in bodies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl, unquote
from uuid import UUID

import orjson
from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import ErrorDetails

from contracts.shapes import Json, MetricProvider
from contracts.wording import place_of, words_of
from services.gateway.http.problem import finding
from services.gateway.http.provider_forms import errors_of, form_of, passed_over

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
        return None, _once(_finding("/query", one, values) for one in error.errors(include_url=False))


def body_of(value: Any, text: bytes, model: type[M]) -> tuple[M | None, list[Json]]:
    """The body as the model says.

    Args:
        value: the parsed body, looked through for nulls and for names that must not be there; None when there is only its text.
        text: the same as JSON, which the model reads strictly.
    """
    has_nulls, closed = b"null" in text, _is_closed(model)
    if value is None and (has_nulls or closed):
        value = orjson.loads(text)
    problems = [one for each in _objects(model, value, "/body") for one in _nulls(*each)] if has_nulls else []
    parsed: M | None = None
    try:
        parsed = model.model_validate_json(text, strict=True)
    except ValidationError as error:
        value = orjson.loads(text) if value is None else value
        found = [_finding("/body", one, value) for one in error.errors(include_url=False)]
        problems += [one for one in found if not _follows(one, found)]
    if closed:
        problems += [
            _finding(path, one, at) for form, at, path, _ in _objects(model, value, "/body") for one in errors_of(form, at)
        ]
        wrong = tuple(f"{one['path']}/" for one in problems)
        unknown = (one for each in _objects(model, value, "/body") for one in _unknown(*each))
        problems += [one for one in unknown if not one["path"].startswith(wrong)]
    return (None, _once(problems)) if problems else (parsed, [])


def large_body_of(text: bytes, model: type[BaseModel], large: Large | None) -> tuple[Any, list[Json]]:
    """The same of a body that is there as text alone; with `large`, what that makes of the text when nothing is wrong with it."""
    made = large(text) if large is not None else None
    if made is not None:
        return made, []
    return body_of(None, text, model)


def _finding(root: str, error: ErrorDetails, value: Any) -> Json:
    kind = error["type"]
    name = _KINDS.get(kind) or ("type" if kind.endswith(("_type", "_parsing")) else "format")
    path = "/".join([root, *map(str, place_of(error, value))])
    return finding(path, f"must have required property '{error['loc'][-1]}'" if kind == "missing" else words_of(error), name)


def _once(problems: Iterable[Json]) -> list[Json]:
    """What is wrong, each place once: of several forms that a value could have, each says the same."""
    return list({one["path"]: one for one in reversed([*problems])}.values())[::-1]


def _follows(one: Json, others: Sequence[Json]) -> bool:
    """Whether a list is only too short because something in it is wrong."""
    return one["errorCode"].startswith("minItems.") and any(other["path"].startswith(f"{one['path']}/") for other in others)


def _names(model: type[BaseModel]) -> dict[str, Any]:
    """Annotation by wire name."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


_Held = Literal["", "list", "map"]
"""What holds a declared object: the property itself, a list, or an object under keys of the client's."""

_Object = tuple[type[BaseModel], Json, str, frozenset[str] | None]
"""A declared object of a body: its model, itself, its path, and, when it may have no other properties than the model has, which others it
may have all the same."""


@cache
def _is_closed(model: type[BaseModel]) -> bool:
    """Whether some object in it may have no other properties."""
    inner = (one for annotation in _names(model).values() for _, one in _models(annotation))
    return hasattr(model, "CLOSED") or any(_is_closed(one) for one in inner)


def _objects(model: type[BaseModel], value: Any, path: str, closed: frozenset[str] | None = None) -> Iterator[_Object]:
    """The declared objects in a value, each before those in it; what is in a closed one is closed as well."""
    if not isinstance(value, dict) or issubclass(model, RootModel):
        return
    closed = getattr(model, "CLOSED", closed)
    model = form_of(model, value)
    if closed is not None:
        closed |= passed_over(model, value)
    yield model, value, path, closed
    inside = frozenset[str]() if closed is not None else None
    for name, annotation in _names(model).items():
        nested = _models(annotation) if isinstance(value.get(name), dict | list) else []
        for place, item, models in _items(value.get(name), nested):
            yield from _objects(_variant(models, item), item, f"{path}/{name}{place}", inside)


def _nulls(model: type[BaseModel], value: Json, path: str, _closed: frozenset[str] | None) -> Iterator[Json]:
    """Declared properties that are explicitly null: leaving one out means absent, null means nothing."""
    tolerant: frozenset[str] = getattr(model, "NULL_IS_ABSENT", frozenset())
    for name in _names(model):
        if name not in tolerant and name in value and value[name] is None:
            yield finding(f"{path}/{name}", "must not be null; leave it out instead", "nullable")


def _unknown(model: type[BaseModel], value: Json, path: str, closed: frozenset[str] | None) -> Iterator[Json]:
    """Properties of a closed object that nobody declared."""
    if closed is None or model is MetricProvider:  # of a type that nobody knows nothing else is known either
        return
    known = _names(model)
    for name in value:
        if name not in known and name not in closed:
            yield finding(f"{path}/{name}", f"is not known here; known are {', '.join(known)}", "additionalProperties")


def _models(annotation: Any, held: _Held = "") -> list[tuple[_Held, type[BaseModel]]]:
    """The models in an annotation, each with what holds it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(held, annotation)]
    origin = get_origin(annotation)
    held = "list" if origin in (list, tuple) else "map" if origin is dict else held
    return [found for inner in get_args(annotation) for found in _models(inner, held)]


def _items(value: Any, nested: Sequence[tuple[_Held, type[BaseModel]]]) -> Iterator[tuple[str, Any, list[type[BaseModel]]]]:
    """What in a property's value a model may describe: its place below the property, itself, and the models, where it is held as they are."""

    def held(how: _Held) -> list[type[BaseModel]]:
        return [model for one, model in nested if one == how]

    if isinstance(value, list) and (models := held("list")):
        yield from ((f"/{number}", item, models) for number, item in enumerate(value))
    if isinstance(value, dict) and (models := held("map")):
        yield from ((f"/{key}", item, models) for key, item in value.items())
    if isinstance(value, dict) and (models := held("")):
        yield "", value, models


def _variant(models: list[type[BaseModel]], item: Any) -> type[BaseModel]:
    """Of several possible models the one whose `type` the item names; else the first."""
    for model in models:
        field = model.model_fields.get("type")
        if field is not None and isinstance(item, dict) and item.get("type") in get_args(field.annotation):
            return model
    return models[0]
