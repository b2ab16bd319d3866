"""Sprig's questions about types."""

from __future__ import annotations

from typing import Any, Final

from libs.template.functions.signature import ANY, TEXT, Function
from libs.template.values import are_equal, kind_name, type_name


def _is_like(target: str, value: Any) -> bool:
    return type_name(value) in (target, f"*{target}")


TABLE: Final[dict[str, Function]] = {
    "typeOf": Function(type_name, (ANY,)),
    "typeIs": Function(lambda target, value: type_name(value) == target, (TEXT, ANY)),
    "typeIsLike": Function(_is_like, (TEXT, ANY)),
    "kindOf": Function(kind_name, (ANY,)),
    "kindIs": Function(lambda target, value: kind_name(value) == target, (TEXT, ANY)),
    "deepEqual": Function(lambda budget, one, other: are_equal(one, other, budget), (ANY, ANY), costs=True),
}
