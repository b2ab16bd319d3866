"""Sprig's functions of maps. Where Go's order of keys is random, here it is that of the keys."""

from __future__ import annotations

from typing import Any, Final

from libs.template.bounds import Budget, check_depth, check_items
from libs.template.error import Fault
from libs.template.functions.signature import ANY, MAP, TEXT, Function, with_must
from libs.template.printing import shown
from libs.template.values import is_true, type_name


def _dict(budget: Budget, *pairs: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for at in range(0, len(pairs), 2):
        made[shown(pairs[at], budget)] = pairs[at + 1] if at + 1 < len(pairs) else ""
    return made


def _set(target: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    target[key] = value
    return target


def _unset(target: dict[str, Any], key: str) -> dict[str, Any]:
    target.pop(key, None)
    return target


def _pluck(key: str, *maps: dict[str, Any]) -> list[Any]:
    return [one[key] for one in maps if key in one]


def _dig(*arguments: Any) -> Any:
    if len(arguments) < 3:
        raise Fault("dig takes at least one key, a default and a map")
    *keys, fallback, value = arguments
    for key in keys:
        if not isinstance(key, str):
            raise Fault(f"a key of dig must be a string, not {type_name(key)}")
        if not isinstance(value, dict):
            raise Fault(f"dig looks for {key[:40]!r} in a map, not in {type_name(value)}")
        if key not in value:
            return fallback
        value = value[key]
    return value


def _keys(budget: Budget, *maps: dict[str, Any]) -> list[str]:
    check_items(sum(map(len, maps)))
    budget.charge(sum(map(len, maps)))
    return [key for one in maps for key in sorted(one)]


def _values(budget: Budget, one: dict[str, Any]) -> list[Any]:
    check_items(len(one))
    budget.charge(len(one))
    return [one[key] for key in sorted(one)]


def _pick(one: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: one[key] for key in keys if key in one}


def _omit(budget: Budget, one: dict[str, Any], *keys: str) -> dict[str, Any]:
    budget.charge(len(one))
    unwanted = set(keys)
    return {key: value for key, value in one.items() if key not in unwanted}


def copied(budget: Budget, value: Any, depth: int = 0) -> Any:
    """A value that shares nothing with the one it was made from."""
    check_depth(depth)
    budget.charge(1)
    if isinstance(value, dict):
        return {key: copied(budget, one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [copied(budget, one, depth + 1) for one in value]
    return value


def _merge_into(budget: Budget, target: dict[str, Any], source: dict[str, Any], overwrite: bool, depth: int = 0) -> None:
    """Fill the target's empty places from the source, or put all that the source has into it, maps inside of maps alike."""
    check_depth(depth)
    budget.charge(1 + len(source))
    for key, value in source.items():
        known = target.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            if known is not value:
                _merge_into(budget, known, value, overwrite, depth + 1)
        elif overwrite or key not in target or (is_true(value) and not is_true(known)):
            target[key] = value


def _merge(budget: Budget, target: dict[str, Any], *sources: dict[str, Any]) -> dict[str, Any]:
    for source in sources:
        if source is not target:
            _merge_into(budget, target, source, overwrite=False)
    return target


def _merge_overwrite(budget: Budget, target: dict[str, Any], *sources: dict[str, Any]) -> dict[str, Any]:
    for source in sources:
        if source is not target:
            _merge_into(budget, target, source, overwrite=True)
    return target


TABLE: Final[dict[str, Function]] = {
    "dict": Function(_dict, rest=ANY, costs=True),
    "get": Function(lambda one, key: one.get(key, ""), (MAP, TEXT)),
    "set": Function(_set, (MAP, TEXT, ANY)),
    "unset": Function(_unset, (MAP, TEXT)),
    "hasKey": Function(lambda one, key: key in one, (MAP, TEXT)),
    "pluck": Function(_pluck, (TEXT,), rest=MAP),
    "dig": Function(_dig, rest=ANY),
    "keys": Function(_keys, rest=MAP, costs=True),
    "values": Function(_values, (MAP,), costs=True),
    "pick": Function(_pick, (MAP,), rest=TEXT),
    "omit": Function(_omit, (MAP,), rest=TEXT, costs=True),
    **with_must(
        {
            "merge": Function(_merge, (MAP,), rest=MAP, costs=True),
            "mergeOverwrite": Function(_merge_overwrite, (MAP,), rest=MAP, costs=True),
            "deepCopy": Function(copied, (ANY,), costs=True),
        }
    ),
}
