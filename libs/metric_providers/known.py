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
from contracts.wording import words_of
from libs.metric_providers.literals import AS_WRITTEN
from libs.metric_providers.port import Provider
from libs.secrets.fields import SecretFields
from libs.secrets.hiding import hidden

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
        known.config.model_validate(given.given, context=AS_WRITTEN)
    except ValidationError as error:
        yield from told_by(error)


def secret_problems(given: MetricProvider) -> Iterator[tuple[str, str]]:
    """Of `problems`, those that only show while secrets stand in clear: for whoever seals them, since nobody can tell afterwards."""
    if provider_of(given) is None:
        return
    without, _ = hidden(given.given, fields_of_provider(given.type))
    others = set(problems(MetricProvider.model_validate(without)))
    yield from (one for one in problems(given) if one not in others)


def no_value(given: MetricProvider) -> str:
    """Why results never have a `value`; empty where they may, or where the configuration can not be read."""
    known = provider_of(given)
    if known is None:
        return ""
    try:
        return known.no_value(known.config.model_validate(given.given))
    except ValidationError:
        return ""


def told_by(error: ValidationError) -> Iterator[tuple[str, str]]:
    """What a configuration's model says is wrong, as `(path, message)`, each path once and without what was sent."""
    told: dict[str, str] = {}
    for one in error.errors(include_url=False):
        # What is wrong with a name is told at the name.
        where = "/".join(str(part) for part in one["loc"] if part != "[key]")
        told.setdefault(where, words_of(one))
    yield from told.items()


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
