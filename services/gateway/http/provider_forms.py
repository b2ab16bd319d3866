"""The form of whom a metric asks, which depends on the type that it names; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from contracts.shapes import Json, MetricProvider
from libs.metric_providers import KNOWN, ProviderConfig

TYPE: Final = "type"

PASSED_OVER: Final[Mapping[str, frozenset[str]]] = {"terraformCloudRun": frozenset({"organization"})}
"""By type, what clients of the v1 API send and nothing needs."""


_WHOLE: Final = frozenset(one.config for one in KNOWN.values())
"""The models of whom a metric asks, as against what is inside of them."""


def form_of(model: type[BaseModel], value: Any) -> type[BaseModel]:
    """The model that describes a value: of whom a metric asks that of its type, where there is one."""
    if model is not MetricProvider or not isinstance(value, dict):
        return model
    known = KNOWN.get(str(value.get(TYPE)))
    return known.config if known is not None else model


def passed_over(model: type[BaseModel], value: Json) -> frozenset[str]:
    """Properties that a closed object may have beside those of its model."""
    if not issubclass(model, ProviderConfig):
        return frozenset()
    return PASSED_OVER.get(str(value.get(TYPE)), frozenset()) | {TYPE}


def errors_of(model: type[BaseModel], value: Json) -> Iterator[ErrorDetails]:
    """What is wrong with the form of whom a metric asks; what its texts say is looked at where the policy is decided."""
    if model is MetricProvider and isinstance(value.get(TYPE), str):
        message = f"there is no provider {value[TYPE][:100]!r}; there are {', '.join(KNOWN)}"
        yield ErrorDetails(type="union_tag_invalid", loc=(TYPE,), msg=message, input=None)
    if model in _WHOLE:
        try:
            model.model_validate_json(orjson.dumps(value), strict=True)
        except ValidationError as error:
            found = error.errors(include_url=False)
            yield from (one for one in found if one["type"] != "value_error")
