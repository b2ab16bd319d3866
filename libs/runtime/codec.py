"""States to bytes and back, by their type hints: for snapshots.

A state is made of frozen dataclasses, named tuples, `immutables.Map`, tuples, frozensets, contracts and plain values. Its type hints say
all that is needed to read it back, so no class name is stored. Documents (contract models) that several services keep are read back
as one object per process.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import orjson
from immutables import Map
from pydantic import BaseModel

T = TypeVar("T")
Convert = Callable[[Any], Any]

_PLAIN = (str, int, float, bool, type(None), object, dict, list)
_known: dict[Any, tuple[Convert, Convert]] = {}
_documents: WeakValueDictionary[tuple[type[BaseModel], bytes], BaseModel] = WeakValueDictionary()


def encode(state_type: type[T], state: T) -> bytes:
    """The state as JSON bytes."""
    return orjson.dumps(_converters(state_type)[0](state))


def decode(state_type: type[T], data: bytes) -> T:
    """The state that `encode` was given."""
    state: T = _converters(state_type)[1](orjson.loads(data))
    return state


def _converters(hint: Any) -> tuple[Convert, Convert]:
    """(to plain JSON, from plain JSON) for one type hint."""
    pair = _known.get(hint)
    if pair is None:
        pair = _known[hint] = _make(hint)
    return pair


def _make(hint: Any) -> tuple[Convert, Convert]:
    """Build a pair of converters. Raises: TypeError for a hint that a state may not have."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in _PLAIN or origin in (typing.Literal, dict):
        return _same, _same
    if hint is datetime:
        return datetime.isoformat, datetime.fromisoformat
    if origin in (typing.Union, types.UnionType):
        return _union(args)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            out, back = _converters(args[0])
            return lambda items: [out(one) for one in items], lambda items: tuple([back(one) for one in items])
        return _fields(list(args), tuple)
    if origin is frozenset:
        out, back = _converters(args[0])
        return lambda items: [out(one) for one in sorted(items)], lambda items: frozenset(back(one) for one in items)
    if origin is Map or hint is Map:
        key_out, key_back = _converters(args[0])
        out, back = _converters(args[1])
        return (
            lambda items: [[key_out(key), out(value)] for key, value in items.items()],
            lambda items: Map({key_back(key): back(value) for key, value in items}),
        )
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _document(hint)
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        hints = typing.get_type_hints(hint)
        make: Callable[[list[Any]], Any] = hint._make  # type: ignore[attr-defined]  # every NamedTuple has it
        return _fields([hints[name] for name in hint._fields], make)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        names = [field.name for field in dataclasses.fields(hint)]
        pairs = [_converters(hints[name]) for name in names]
        outs = [pair[0] for pair in pairs]
        backs = [pair[1] for pair in pairs]
        return (
            lambda value: [out(getattr(value, name)) for name, out in zip(names, outs, strict=True)],
            lambda values: hint(*[back(one) for back, one in zip(backs, values, strict=True)]),
        )
    raise TypeError(f"a state may not have a field of type {hint!r}")


def _same(value: Any) -> Any:
    return value


def _fields(hints: list[Any], make: Callable[[list[Any]], Any]) -> tuple[Convert, Convert]:
    pairs = [_converters(hint) for hint in hints]
    return (
        lambda values: [pair[0](one) for pair, one in zip(pairs, values, strict=True)],
        lambda values: make([pair[1](one) for pair, one in zip(pairs, values, strict=True)]),
    )


def _document(model: type[BaseModel]) -> tuple[Convert, Convert]:
    def out(value: BaseModel) -> Any:
        return value.model_dump(mode="json")

    def back(value: Any) -> BaseModel:
        key = (model, orjson.dumps(value))
        known = _documents.get(key)
        if known is None:
            known = _documents[key] = model.model_validate_json(key[1])
        return known

    return out, back


def _union(hints: tuple[Any, ...]) -> tuple[Convert, Convert]:
    if type(None) in hints:
        rest = tuple(hint for hint in hints if hint is not type(None))
        out, back = _converters(rest[0]) if len(rest) == 1 else _union(rest)
        return lambda value: None if value is None else out(value), lambda value: None if value is None else back(value)
    pairs = [_converters(hint) for hint in hints]
    classes = [typing.get_origin(hint) or hint for hint in hints]

    def tagged(value: Any) -> list[Any]:
        index = next(i for i, cls in enumerate(classes) if isinstance(value, cls))
        return [index, pairs[index][0](value)]

    return tagged, lambda value: pairs[value[0]][1](value[1])
