"""Finds the providers: every module beside this one that has a `PROVIDER`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from contracts.shapes import Json, MetricProvider
from libs.metric_providers.port import Provider
from libs.secrets.fields import SecretFields

_DEEPEST: Final = 10


def _found() -> Iterator[Provider[Any]]:
    for module in sorted(one.name for one in pkgutil.iter_modules([str(Path(__file__).parent)])):
        provider = getattr(importlib.import_module(f"{__package__}.{module}"), "PROVIDER", None)
        if isinstance(provider, Provider):
            yield provider


KNOWN: Final[dict[str, Provider[Any]]] = {one.name: one for one in _found()}
"""Every provider by its type, in the order of the module names."""


def provider_of(given: MetricProvider) -> Provider[Any] | None:
    """The provider of a metric; None when nobody knows the type."""
    return KNOWN.get(given.type)


def problems(given: MetricProvider) -> Iterator[tuple[str, str]]:
    """What is wrong with a provider as it was sent: `(path, message)`, the path below the provider with `/` between its parts."""
    known = provider_of(given)
    if known is None:
        yield "type", f"there is no provider {given.type!r}; there are {', '.join(sorted(KNOWN))}"
        return
    try:
        known.config.model_validate(given.given)
    except ValidationError as error:
        yield from told_by(error)


def told_by(error: ValidationError) -> Iterator[tuple[str, str]]:
    """What a configuration's model says is wrong, as `(path, message)`, without what was sent."""
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        yield "/".join(str(part) for part in one["loc"]), one["msg"].removeprefix("Value error, ")


@cache
def fields_of_provider(provider_type: str) -> SecretFields:
    """Which fields of a provider are secret: those that its type marks so, and those whose name says so."""
    known = KNOWN.get(provider_type)
    schema = known.config.model_json_schema(by_alias=True) if known is not None else {}
    return SecretFields.of(*sorted(".".join(path) for path in _secret(schema, schema.get("$defs", {}), ())))


def _secret(schema: Any, definitions: Json, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths that a JSON schema marks as secret; `*` for any key or place."""
    if not isinstance(schema, dict) or len(path) > _DEEPEST:
        return
    if schema.get("x-secret") and path:
        yield path
        return
    if "$ref" in schema:
        yield from _secret(definitions.get(schema["$ref"].rpartition("/")[2]), definitions, path)
    for way in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _secret(way, definitions, path)
    for name, inner in schema.get("properties", {}).items():
        yield from _secret(inner, definitions, (*path, name))
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        yield from _secret(inner, definitions, (*path, "*"))
