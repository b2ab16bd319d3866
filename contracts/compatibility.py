"""What may not change about a published JSON Schema: whoever wrote the old shape must still be understood.

A field may be added when it has a default. Removing or renaming one, asking for one that was optional, narrowing a type or a closed
set of words breaks readers of old facts and senders of old commands: publish a new wire name instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def breaks(old: Schema, new: Schema) -> list[str]:
    """Each breaking difference as a sentence with the path of the field; empty when the new schema understands the old shape."""
    return sorted(set(_compare(old, new, old, new, "", ())))


def _compare(
    old: Any, new: Any, old_root: Schema, new_root: Schema, path: str, seen: tuple[tuple[str, str], ...]
) -> Iterator[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return
    visit = (str(old.get("$ref")), str(new.get("$ref")))
    if "$ref" in old and visit in seen:
        return
    seen = (*seen, visit)
    old, new = _resolve(old, old_root), _resolve(new, new_root)
    olds, news = _choices(old), _choices(new)
    if len(olds) > 1 or len(news) > 1:
        for place, choice in enumerate(olds):
            problems = [list(_compare(choice, other, old_root, new_root, path, seen)) for other in news]
            if all(problems):
                # The alternative in the same place is most likely the one that was meant to match.
                yield from problems[min(place, len(problems) - 1)]
        return
    where = path or "the whole"
    if (kind := _kind(new)) is not None and _kind(old) != kind and (_kind(old), kind) != ("integer", "number"):
        yield f"{where}: was {_kind(old) or 'anything'}, is {kind}"
        return
    if "enum" in new:
        gone = [repr(one) for one in old.get("enum", ["any word"]) if one not in new["enum"]]
        if gone:
            yield f"{where}: no longer allows {', '.join(gone)}"
    yield from _fields(old, new, old_root, new_root, path, seen)
    for key, step in (("items", "[]"), ("additionalProperties", ".*")):
        yield from _compare(old.get(key), new.get(key), old_root, new_root, path + step, seen)


def _fields(
    old: Schema, new: Schema, old_root: Schema, new_root: Schema, path: str, seen: tuple[tuple[str, str], ...]
) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted(before):
        if name not in after:
            yield f"{path}.{name}: was removed or renamed"
        else:
            yield from _compare(before[name], after[name], old_root, new_root, f"{path}.{name}", seen)
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{path}.{name}: is required now"


def _resolve(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "const" in schema:
        return {**schema, "enum": [schema["const"]]}
    return schema


def _choices(schema: Schema) -> list[Schema]:
    return schema.get("anyOf") or schema.get("oneOf") or [schema]


def _kind(schema: Schema) -> str | None:
    kind: str | None = schema.get("type")
    return kind
