"""Finds the providers: every module beside this one that has a `PROVIDER`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from contracts.shapes import MetricProvider
from libs.metric_providers.port import Provider


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
        for one in error.errors(include_url=False, include_input=False, include_context=False):
            yield "/".join(str(part) for part in one["loc"]), one["msg"].removeprefix("Value error, ")
