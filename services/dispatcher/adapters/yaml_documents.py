"""YAML as Kubernetes' tools read it: several documents, no tags, no dates, and within bounds whatever its aliases say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

MAX_DEPTH: Final = 60
MAX_NODES: Final = 50_000
"""Values of all documents together; what an alias repeats counts each time."""

_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STR: Final = "tag:yaml.org,2002:str"
_NULL: Final = frozenset(["", "~", "null", "Null", "NULL"])
_TRUE: Final = frozenset(["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"])
_FALSE: Final = frozenset(["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"])
_WHOLE: Final = re.compile(r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")
_REAL: Final = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_INT64: Final = 2**63


class BadYaml(Exception):
    """A text that is no YAML, or more than we read; the message says where and why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def documents(text: str) -> list[Any]:
    """The documents of a text as plain JSON data, without empty ones. Parts that an alias repeats are shared, so change nothing in them.

    Raises: BadYaml.
    """
    try:
        return [one for one in _Reader(text).documents() if one is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        said = str(getattr(error, "problem", None) or error).split("\n")[0]
        raise BadYaml(f"it is no YAML{where}: {said[:200]}") from None
    except UnicodeEncodeError:
        raise BadYaml("it is no YAML: it holds half a character (a lone surrogate)") from None


class _Reader:
    """Makes values of the events of one text."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self._left = MAX_NODES
        self._anchors: dict[str, tuple[Any, int]] = {}

    def documents(self) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
                yield self._value(next(self._events), 0)

    def _value(self, event: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise BadYaml(f"it is nested deeper than {MAX_DEPTH} levels{_line(event)}")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise BadYaml(f"the alias *{event.anchor} stands for nothing before it{_line(event)}")
            value, cost = self._anchors[event.anchor]
            self._spend(cost)
            return value
        before = self._left
        self._spend(1)
        if event.tag not in (None, "!", _STR):
            raise BadYaml(f"the tag {event.tag} can not be used{_line(event)}")
        if isinstance(event, yaml.SequenceStartEvent):
            value = self._list(depth)
        elif isinstance(event, yaml.MappingStartEvent):
            value = self._map(depth)
        else:
            value = _scalar(event.value) if event.implicit[0] else event.value
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, before - self._left)
        return value

    def _list(self, depth: int) -> list[Any]:
        found = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, depth + 1))
        return found

    def _map(self, depth: int) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            plain = isinstance(event, yaml.ScalarEvent) and event.implicit[0]
            key = self._value(event, depth + 1)
            if isinstance(key, dict | list):
                raise BadYaml(f"a key is a list or a map{_line(event)}")
            # The text as it is written: `on:` is the key on, and not the key true.
            name = event.value if plain else str(key)
            value = self._value(next(self._events), depth + 1)
            if plain and name == "<<":
                for source in reversed(value if isinstance(value, list) else [value]):
                    merged |= source if isinstance(source, dict) else {}
            elif name in own:
                raise BadYaml(f"the key {name[:80]!r} stands there twice{_line(event)}")
            else:
                own[name] = value
        return merged | own

    def _spend(self, nodes: int) -> None:
        self._left -= nodes
        if self._left < 0:
            raise BadYaml(f"it has more than {MAX_NODES} values")


def _line(event: Any) -> str:
    return f" (line {event.start_mark.line + 1})"


def _scalar(text: str) -> Any:
    """What a plain scalar stands for."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    digits = text.replace("_", "")
    if len(digits) > 40:
        return text
    try:
        if _WHOLE.fullmatch(text):
            unsigned = digits.lstrip("+-")
            octal = len(unsigned) > 1 and unsigned[0] == "0" and unsigned.isdecimal()
            number = int(digits, 8 if octal else 0)
            return number if -_INT64 <= number < _INT64 else float(number)
        if _REAL.fullmatch(text):
            real = float(digits)
            return real if abs(real) != float("inf") else text
    except ValueError:
        return text
    return text
