"""Values as YAML and back, in the shape that Kubernetes' tools write: keys in order, lists not indented, long lines not folded."""

from __future__ import annotations

import math
import re
from typing import Any, Final

import yaml

from libs.template.bounds import Budget, check_depth, check_length
from libs.template.error import Fault
from libs.template.functions.signature import ANY, TEXT, Function, with_must
from libs.template.printing import scalar
from libs.template.values import JsonNumber, Opaque

_UNRESOLVED: Final = "tag:unresolved"
_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_TRUE: Final = frozenset(["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"])
_FALSE: Final = frozenset(["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"])
_NULL: Final = frozenset(["", "~", "null", "Null", "NULL"])
_WHOLE: Final = re.compile(r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")
_REAL: Final = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_INFINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_SPECIAL: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
"""What other readers of YAML take for a time; it is a text here, and written in quotes."""
_BRACKET: Final = re.compile(r"[\[\]{}]")
_DIGITS: Final = 40

_NODE_STEPS: Final = 20
"""What writing one scalar costs: PyYAML looks at every character several times."""

_Loader: Any = type("_Loader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": {}, "DEFAULT_SCALAR_TAG": _UNRESOLVED})
_Dumper: Any = type("_Dumper", (yaml.SafeDumper,), {"yaml_implicit_resolvers": {}, "ignore_aliases": lambda self, data: True})


def _text_node(dumper: Any, text: str) -> Any:
    """Plain, unless a reader would take it for something else; block style for several lines."""
    if "\n" in text:
        style = "|"
    elif not isinstance(_resolved(text), str) or _SPECIAL.fullmatch(text) or text in _TRUE or text in _FALSE:
        style = '"'
    else:
        style = None
    return dumper.represent_scalar(_TEXT_TAG, text, style=style)


class _Plain(str):
    """A scalar that is written as it is."""

    __slots__ = ()


_Dumper.add_representer(str, _text_node)
_Dumper.add_representer(_Plain, lambda dumper, text: dumper.represent_scalar(_TEXT_TAG, str(text)))


def _to_yaml(budget: Budget, value: Any) -> str:
    try:
        written = yaml.dump(
            _writable(budget, value, 0), Dumper=_Dumper, default_flow_style=False, allow_unicode=True, width=math.inf
        )
    except (yaml.YAMLError, RecursionError, ValueError) as bad:
        raise Fault(f"the value can not be written as YAML: {str(bad)[:200]}") from None
    check_length(len(written))
    return str(written).removesuffix("\n").removesuffix("\n...")


def _writable(budget: Budget, value: Any, depth: int) -> Any:
    """A copy that holds strings, lists and maps only; numbers and the like are written plainly."""
    check_depth(depth)
    budget.charge(_NODE_STEPS)
    match value:
        case dict():
            return {_as_text(budget, key): _writable(budget, one, depth + 1) for key, one in value.items()}
        case list():
            return [_writable(budget, one, depth + 1) for one in value]
        case None:
            return _Plain("null")
        case str():
            return _as_text(budget, value)
        case Opaque():
            return _as_text(budget, scalar(value))
        case float() if not math.isfinite(value):
            return _Plain(".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf")
    return _Plain(scalar(value))


def _as_text(budget: Budget, text: str) -> str:
    budget.charge(len(text) >> 2)
    return text


def _from_yaml(budget: Budget, text: str) -> Any:
    """The first document of a text; an empty one is an empty map."""
    budget.charge(2 * len(text))
    _check_brackets(text)
    try:
        node = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError) as bad:
        problem = getattr(bad, "problem", None) or str(bad)
        mark = getattr(bad, "problem_mark", None)
        where = "" if mark is None else f" in its line {mark.line + 1}"
        raise Fault(f"the text is no YAML{where}: {str(problem)[:200]}") from None
    except RecursionError:
        raise Fault("the YAML is nested too deeply") from None
    return {} if node is None else _value(budget, node, 0)


def _check_brackets(text: str) -> None:
    """Refuse what opens too many brackets: PyYAML looks at all that are open for every token."""
    opened = 0
    for bracket in _BRACKET.findall(text):
        opened += 1 if bracket in "[{" else -1
        check_depth(opened)


def _value(budget: Budget, node: Any, depth: int) -> Any:
    """The value of a node; what an alias repeats is copied, and paid for, each time."""
    check_depth(depth)
    budget.charge(1)
    match node:
        case yaml.ScalarNode():
            plain = node.style is None and node.tag == _UNRESOLVED
            return _resolved(node.value) if plain else node.value
        case yaml.SequenceNode():
            return [_value(budget, one, depth + 1) for one in node.value]
    merged: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = _value(budget, key_node, depth + 1)
        value = _value(budget, value_node, depth + 1)
        if key == "<<" and key_node.style is None:
            for source in reversed(value if isinstance(value, list) else [value]):
                merged |= source if isinstance(source, dict) else {}
        elif isinstance(key, dict | list):
            raise Fault("a key of a YAML map must be a scalar")
        else:
            own[scalar(key) if key is not None else "null"] = value
    return merged | own


def _resolved(text: str) -> Any:
    """What a plain scalar stands for."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE if len(text) > 1 else text
    digits = text.replace("_", "")
    if len(digits) > _DIGITS:
        return text
    try:
        if _WHOLE.fullmatch(text):
            unsigned = digits.lstrip("+-")
            octal = len(unsigned) > 1 and unsigned[0] == "0" and unsigned.isdecimal()
            return JsonNumber(int(digits, 8 if octal else 0))
        if _REAL.fullmatch(text):
            value = float(digits)
            return value if math.isfinite(value) else text
    except ValueError:
        return text
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", "").lower())
    return text


TABLE: Final[dict[str, Function]] = {
    "fromYamlArray": Function(_from_yaml, (TEXT,), costs=True),
    **with_must(
        {
            "toYaml": Function(_to_yaml, (ANY,), costs=True),
            "fromYaml": Function(_from_yaml, (TEXT,), costs=True),
        }
    ),
}
