"""Values of variables, as the API writes them and the log holds them: a literal, a reference to a related entity, or a secret's hash.

A literal is a string, a number, a boolean or `{"object": …}` around an object or a list. A reference is
`{"reference": "<name>", "path": ["<field>", …]}`. A sensitive value is `{"valueHash": "<hash>"}`: the plain text is never held here, so
that it can not be resolved.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeGuard

from contracts.shapes import Json


class Reference(NamedTuple):
    """A field of the entity that relationship rules of this name relate a resource to."""

    reference: str
    path: tuple[str, ...]


def reference_of(value: Any) -> Reference | None:
    """The reference that a value is; None for a literal or a sensitive value."""
    if not isinstance(value, dict):
        return None
    name, path = value.get("reference"), value.get("path")
    if isinstance(name, str) and name and isinstance(path, list) and all(isinstance(one, str) for one in path):
        return Reference(name, tuple(path))
    return None


def is_sensitive(value: Any) -> bool:
    """Whether a value is the hash of a secret."""
    return isinstance(value, dict) and isinstance(value.get("valueHash"), str) and reference_of(value) is None


def is_object(value: Any) -> TypeGuard[Json]:
    """Whether a value is a wrapped object or list."""
    return isinstance(value, dict) and set(value) == {"object"} and isinstance(value["object"], dict | list)


def problem_of(value: Any) -> str | None:
    """What is wrong with a value; None when it is one of the forms above."""
    if isinstance(value, str | bool | int | float) or is_object(value) or is_sensitive(value) or reference_of(value) is not None:
        return None
    if value is None:
        return "must not be null; leave the variable out instead"
    return 'must be a text, a number, true or false, {"object": {…}}, {"reference": "…", "path": ["…"]} or {"valueHash": "…"}'
