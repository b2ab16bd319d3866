"""Facts ⇄ stored bytes: the one place where the `eventsourcing` package maps, names and upcasts what the log holds.

Its parts and what they do here:

- topics: every wire type is registered as the topic of a fact class. A topic that was never registered is an error; it is never
  looked up as the path of something to import, because what is stored must not decide which code is loaded.
- `Transcoder`: `PayloadTranscoder` turns a payload into JSON and back.
- `Mapper`: makes an event out of a stored one, and runs the upcasts on the way.
- upcasting: a fact whose wire type ends in `.v3` declares `class_version = 3` and static methods `upcast_v1_v2(state)` and
  `upcast_v2_v3(state)`, which change a payload (a dict) in place. The version of a stored payload is the suffix of the wire type it was
  stored under, so nothing is added to payloads. An older wire type that still has a class of its own decodes to that class: while
  producers publish both side by side, neither is a form of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import orjson
from eventsourcing.persistence import Mapper, MapperDeserialisationError, StoredEvent, Transcoder
from eventsourcing.utils import register_topic

import contracts.facts  # noqa: F401  # registers every fact, so that any process can decode the whole log
from contracts.fact import FACTS, Fact


class UnknownType(LookupError):
    """The log holds a wire type that this code has no fact for."""


class Unreadable(ValueError):
    """A stored payload is not what its wire type promises."""


class PayloadTranscoder(Transcoder):
    """JSON payloads of one version of a wire type.

    Attributes:
        version: version of the payloads; handed to the mapper, which upcasts from there.
    """

    def __init__(self, version: int = 1) -> None:
        self.version = version

    def encode(self, obj: Any) -> bytes:
        """A fact, or a plain JSON value, as JSON."""
        if isinstance(obj, Fact):
            return obj.to_json()
        return orjson.dumps(obj)

    def decode(self, data: bytes) -> Any:
        """The payload as a dict, with its version where the mapper looks for it."""
        state: dict[str, Any] = orjson.loads(data)
        if self.version > 1:
            state["class_version"] = self.version
        return state


class _Shape:
    """What the mapper makes: the stream, its version and an upcast payload in `__dict__`. One subclass per fact class."""

    originator_id: str
    originator_version: int
    FACT: ClassVar[type[Fact]]


_SHAPES: dict[type[Fact], type[_Shape]] = {}
_DECODERS: dict[str, Callable[[bytes], Fact]] = {}
_ENCODER = PayloadTranscoder()


def encode(fact: Fact) -> bytes:
    """The stored bytes (JSON) of a fact."""
    return _ENCODER.encode(fact)


def decode(type: str, data: bytes) -> Fact:
    """The fact of a stored payload, upcast to today's shape.

    Args:
        type: wire name under which it was stored.
        data: the payload as JSON.

    Raises: UnknownType; Unreadable (not JSON, or not valid for the fact).
    """
    decoder = _DECODERS.get(type)
    if decoder is None:
        decoder = _DECODERS[type] = _decoder(type)
    return decoder(data)


def _decoder(wire_type: str) -> Callable[[bytes], Fact]:
    fact_class, version = _resolve(wire_type)
    shape = _SHAPES.get(fact_class)
    if shape is None:
        shape = _SHAPES[fact_class] = _shape(fact_class)
    register_topic(wire_type, shape)
    mapper: Mapper[str] = Mapper(PayloadTranscoder(version))
    validate = fact_class.model_validate

    def decoder(data: bytes) -> Fact:
        try:
            event = mapper.to_domain_event(StoredEvent(originator_id="", originator_version=0, topic=wire_type, state=data))
            return validate(event.__dict__)
        except (ValueError, MapperDeserialisationError) as error:
            raise Unreadable(f"a payload of {wire_type} can not be read as {fact_class.__name__}: {error}") from error

    return decoder


def _resolve(wire_type: str) -> tuple[type[Fact], int]:
    """The class that a wire type decodes to, and the version of its payloads."""
    own = FACTS.get(wire_type)
    name, version = _split(wire_type)
    if own is not None:
        return own, version
    newer: list[tuple[int, type[Fact]]] = []
    for known, fact_class in FACTS.items():
        known_name, known_version = _split(known)
        if known_name == name and 0 < version < known_version:
            newer.append((known_version, fact_class))
    for newest, fact_class in sorted(newer, key=lambda one: one[0]):
        if all(hasattr(fact_class, f"upcast_v{step}_v{step + 1}") for step in range(version, newest)):
            return fact_class, version
    raise UnknownType(
        f"the log holds facts of type {wire_type!r}, which this code does not know; run the version that wrote them, "
        "or register a fact class (or the upcasts of a newer one) for it"
    )


def _split(wire_type: str) -> tuple[str, int]:
    """`owner.what_happened.v2` as its name and version; version 0 when there is none."""
    name, dot, suffix = wire_type.rpartition(".v")
    return (name, int(suffix)) if dot and suffix.isdecimal() else (wire_type, 0)


def _shape(fact_class: type[Fact]) -> type[_Shape]:
    version = _split(fact_class.TYPE)[1]
    declared = getattr(fact_class, "class_version", 1)
    assert declared == max(version, 1), f"{fact_class.__name__} is {fact_class.TYPE} but declares class_version {declared}"
    for reserved in ("originator_id", "originator_version", "class_version"):
        assert reserved not in fact_class.model_fields, f"{fact_class.__name__}.{reserved} has a name that the mapper uses itself"
    upcasts = {name: staticmethod(getattr(fact_class, name)) for name in dir(fact_class) if name.startswith("upcast_v")}
    return type(fact_class.__name__, (_Shape,), {"FACT": fact_class, "class_version": declared, **upcasts})
