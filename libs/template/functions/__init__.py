"""All functions of templates by name, and why some that Sprig has are not here."""

from __future__ import annotations

import difflib
from typing import Final

from libs.template.error import Fault
from libs.template.functions import (
    builtin,
    casing,
    conversion,
    dates,
    defaults,
    dicts,
    encoding,
    json_data,
    lists,
    numbers,
    reflection,
    regexes,
    strings,
    urls,
    versions,
    wrapping,
    yaml_data,
)
from libs.template.functions.absent import why_absent
from libs.template.functions.signature import Function

FUNCTIONS: Final[dict[str, Function]] = {
    **builtin.TABLE,
    **casing.TABLE,
    **conversion.TABLE,
    **dates.TABLE,
    **defaults.TABLE,
    **dicts.TABLE,
    **encoding.TABLE,
    **json_data.TABLE,
    **lists.TABLE,
    **numbers.TABLE,
    **reflection.TABLE,
    **regexes.TABLE,
    **strings.TABLE,
    **urls.TABLE,
    **versions.TABLE,
    **wrapping.TABLE,
    **yaml_data.TABLE,
}


def function_named(name: str) -> Function:
    """The function of a name. Raises: Fault: there is none, with the reason or a similar name."""
    if (function := FUNCTIONS.get(name)) is not None:
        return function
    if (reason := why_absent(name)) is not None:
        raise Fault(f"the function {name!r} is not available in templates: {reason}")
    similar = difflib.get_close_matches(name[:40], sorted(FUNCTIONS), n=1)
    raise Fault(f"there is no function {name[:40]!r}" + (f"; did you mean {similar[0]}?" if similar else ""))
