"""One sample of every fact, made from its model alone: the same model gives the same sample, on any machine."""

from __future__ import annotations

import types
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contracts.fact import Fact

AT = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)


def sample(fact: type[Fact]) -> bytes:
    """The payload of a fact in which every field is set, also those with defaults.

    Raises:
        TypeError: a field has a type that no sample is known for.
        pydantic.ValidationError: the model asks for more than its types tell; teach this module about it.
    """
    made: Fact = fact.model_validate(_model(fact, fact.TYPE))
    return made.to_json()


def _model(model: type[BaseModel], path: str) -> dict[str, Any]:
    return {name: _field(field, f"{path}.{name}", name) for name, field in model.model_fields.items()}


def _field(field: FieldInfo, path: str, name: str) -> Any:
    for bound in field.metadata:
        least = getattr(bound, "ge", None)
        if least is not None and field.annotation is not None and _plain(field.annotation) in (int, float):
            return least + 1
    return _value(field.annotation, path, name)


def _plain(annotation: Any) -> Any:
    """The type without `| None`: a sample shows the field set."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(one for one in get_args(annotation) if one is not type(None))
    return annotation


def _value(annotation: Any, path: str, name: str) -> Any:
    annotation = _plain(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(arguments[0], path, name)
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        items = arguments[:1] if arguments[-1] is Ellipsis else arguments
        return [_value(one, f"{path}.{place}", name.removesuffix("s")) for place, one in enumerate(items)]
    if origin in (list, set, frozenset):
        return [_value(arguments[0], f"{path}.0", name.removesuffix("s"))]
    if origin is dict:
        return {"key": _value(arguments[1], f"{path}.key", "value")}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model(annotation, path)
    if isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
        hints = get_type_hints(annotation)
        return [_value(hints[one], f"{path}.{one}", one) for one in annotation._fields]
    simple: dict[Any, Any] = {
        int: 3,
        float: 2.5,
        bool: True,
        datetime: AT,
        Any: {"any": ["JSON", 1, None]},
        object: {"any": ["JSON", 1, None]},
        str: str(uuid5(NAMESPACE_URL, path)) if name == "id" or name.endswith("_id") else f"{name} ü",
    }
    if annotation not in simple:
        raise TypeError(f"no sample is known for {annotation!r} at {path}; teach contracts/sampling.py about it")
    return simple[annotation]
