"""Every function an expression may call, by name; those of a pack carry its name, as in `math.abs`."""

from __future__ import annotations

from typing import Final

from libs.cel import casts, collection_functions, math_functions, string_format, string_functions, time_functions
from libs.cel.function import Function

FUNCTIONS: Final[dict[str, Function]] = {
    **casts.FUNCTIONS,
    **time_functions.FUNCTIONS,
    **string_functions.FUNCTIONS,
    **string_format.FUNCTIONS,
    **math_functions.FUNCTIONS,
    **collection_functions.FUNCTIONS,
}

METHODS: Final = frozenset(name for name, function in FUNCTIONS.items() if function.form != "global")
"""Names that may be called on a value."""

NAMESPACES: Final = frozenset(name.split(".")[0] for name in FUNCTIONS if "." in name)
"""Names of the packs; no variable may have one."""
