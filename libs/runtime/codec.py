"""States to bytes and back, by their type hints: for snapshots.

A state is made of frozen dataclasses, named tuples, `immutables.Map`, tuples, frozensets, contracts and plain values. Its type hints say
all that is needed to read it back, so no class name is stored. A field that follows from others may be left out (`derived`).

The bytes are pages: large maps are cut into pieces, each compressed JSON of its own, so that neither way holds a large state twice.
What is read back takes little memory: texts that a hint names (ids, mostly) are one object per process, so are documents (contract
models) that several services keep, and repeated texts within plain documents are shared.
"""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from immutables import Map
from pydantic import BaseModel

from libs.runtime.pages import Reader, Writer

T = TypeVar("T")
Out = Callable[[Any, Writer], Any]
Back = Callable[[Any, Reader], Any]

ENTRIES_PER_PAGE: Final = 2_000
"""A map with more entries is stored in pages of so many."""

_PLAIN = (int, float, bool, type(None), object, dict, list)
_DERIVED: Final = "derived"
_known: dict[Any, tuple[Out, Back]] = {}
_documents: WeakValueDictionary[tuple[type[BaseModel], bytes], BaseModel] = WeakValueDictionary()


def derived(make: Callable[[Any], Any]) -> dict[str, Any]:
    """The metadata of a dataclass field that is not stored: `make` is given the rest of the state, read back, and returns its value."""
    return {_DERIVED: make}


def encode(state_type: type[T], state: T) -> bytes:
    """The state as bytes."""
    writer = Writer()
    return writer.finish(_converters(state_type)[0](state, writer))


def decode(state_type: type[T], data: bytes) -> T:
    """The state that `encode` was given. Raises: ValueError, TypeError, zlib.error: these are no bytes of such a state."""
    reader = Reader(data)
    state: T = _converters(state_type)[1](reader.root, reader)
    return state


def _converters(hint: Any) -> tuple[Out, Back]:
    """(to plain JSON, from plain JSON) for one type hint."""
    pair = _known.get(hint)
    if pair is None:
        pair = _known[hint] = _make(hint)
    return pair


def _make(hint: Any) -> tuple[Out, Back]:
    """Build a pair of converters. Raises: TypeError for a hint that a state may not have."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is str:
        return _same, lambda text, _reader: sys.intern(text)
    if hint in _PLAIN or origin in (typing.Literal, dict):
        return _same, _same
    if hint is datetime:
        return lambda at, _writer: at.isoformat(), lambda text, _reader: datetime.fromisoformat(text)
    if origin in (typing.Union, types.UnionType):
        return _union(args)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            out, back = _converters(args[0])
            return (
                lambda items, writer: [out(one, writer) for one in items],
                lambda items, reader: tuple([back(one, reader) for one in items]),
            )
        return _fields(list(args), tuple)
    if origin is frozenset:
        out, back = _converters(args[0])
        return (
            lambda items, writer: [out(one, writer) for one in sorted(items)],
            lambda items, reader: frozenset([back(one, reader) for one in items]),
        )
    if origin is Map:
        return _map(*args)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _document(hint)
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        hints = typing.get_type_hints(hint)
        make: Callable[[list[Any]], Any] = hint._make  # type: ignore[attr-defined]  # every NamedTuple has it
        return _fields([hints[name] for name in hint._fields], make)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _dataclass(hint)
    raise TypeError(f"a state may not have a field of type {hint!r}")


def _same(value: Any, _pages: Writer | Reader) -> Any:
    return value


def _fields(hints: list[Any], make: Callable[[list[Any]], Any]) -> tuple[Out, Back]:
    outs, backs = _apart(hints)
    return (
        lambda values, writer: [out(one, writer) for out, one in zip(outs, values, strict=True)],
        lambda values, reader: make([back(one, reader) for back, one in zip(backs, values, strict=True)]),
    )


def _dataclass(model: type[Any]) -> tuple[Out, Back]:
    hints = typing.get_type_hints(model)
    fields = dataclasses.fields(model)
    names = [field.name for field in fields if _DERIVED not in field.metadata]
    makers = [(field.name, field.metadata[_DERIVED]) for field in fields if _DERIVED in field.metadata]
    outs, backs = _apart([hints[name] for name in names])

    def back(values: Any, reader: Reader) -> Any:
        stored = zip(names, backs, values, strict=True)
        state = model(**{name: convert(one, reader) for name, convert, one in stored})
        return dataclasses.replace(state, **{name: make(state) for name, make in makers}) if makers else state

    return lambda value, writer: [out(getattr(value, name), writer) for name, out in zip(names, outs, strict=True)], back


def _apart(hints: list[Any]) -> tuple[list[Out], list[Back]]:
    pairs = [_converters(hint) for hint in hints]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


# --- maps --------------------------------------------------------------------------------------------------------------------------


def _map(key_hint: Any, value_hint: Any) -> tuple[Out, Back]:
    """A small map is `[keys, values]`, a large one the place of its pages, each of them such a pair. All true are told as one `true`."""
    key_out, key_back = _converters(key_hint)
    value_out, value_back = _converters(value_hint)

    def piece(items: list[tuple[Any, Any]], writer: Writer) -> list[Any]:
        keys = [key for key, _ in items] if key_out is _same else [key_out(key, writer) for key, _ in items]
        if value_hint is bool and all(value for _, value in items):
            return [keys, True]
        return [keys, [value for _, value in items] if value_out is _same else [value_out(one, writer) for _, one in items]]

    def entries(pair: Any, reader: Reader) -> Iterator[tuple[Any, Any]]:
        keys, values = pair
        keys = map(sys.intern, keys) if key_hint is str else [key_back(key, reader) for key in keys]
        if values is True:
            return iter(dict.fromkeys(keys, True).items())
        return zip(keys, values if value_back is _same else [value_back(one, reader) for one in values], strict=True)

    def out(items: Map[Any, Any], writer: Writer) -> Any:
        told = list(items.items())
        if len(told) <= ENTRIES_PER_PAGE:
            return piece(told, writer)
        return [
            writer.add(piece(told[start : start + ENTRIES_PER_PAGE], writer)) for start in range(0, len(told), ENTRIES_PER_PAGE)
        ]

    def back(told: Any, reader: Reader) -> Any:
        if len(told) == 2 and isinstance(told[0], list):
            return Map(entries(told, reader))
        new: Any = Map[Any, Any]().mutate()
        for number in told:
            new.update(entries(reader.page(number), reader))
        return new.finish()

    return out, back


# --- documents and unions ------------------------------------------------------------------------------------------------------------


def _document(model: type[BaseModel]) -> tuple[Out, Back]:
    # As a text within the page: a service that finds the document known in its process need not parse it to say so.
    def out(value: BaseModel, _writer: Writer) -> str:
        text: bytes = value.__pydantic_serializer__.to_json(value)
        return text.decode()

    def back(value: str, _reader: Reader) -> BaseModel:
        text = value.encode()
        key = (model, blake2b(text, digest_size=16).digest())
        known = _documents.get(key)
        if known is None:
            known = _documents[key] = model.model_validate_json(text)
        return known

    return out, back


def _union(hints: tuple[Any, ...]) -> tuple[Out, Back]:
    if type(None) in hints:
        rest = tuple(hint for hint in hints if hint is not type(None))
        out, back = _converters(rest[0]) if len(rest) == 1 else _union(rest)
        return (
            lambda value, writer: None if value is None else out(value, writer),
            lambda value, reader: None if value is None else back(value, reader),
        )
    pairs = [_converters(hint) for hint in hints]
    classes = [typing.get_origin(hint) or hint for hint in hints]

    def tagged(value: Any, writer: Writer) -> list[Any]:
        index = next(i for i, cls in enumerate(classes) if isinstance(value, cls))
        return [index, pairs[index][0](value, writer)]

    return tagged, lambda value, reader: pairs[value[0]][1](value[1], reader)
