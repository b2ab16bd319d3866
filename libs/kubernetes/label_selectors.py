"""Whether an API server can read a label selector; pure.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)"
_SUBDOMAIN: Final = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)"
_KEY: Final = re.compile(rf"(?:(?=[^/]{{1,253}}/){_SUBDOMAIN}/)?{_NAME}")
_VALUE: Final = re.compile(rf"{_NAME}?")
_SET: Final = re.compile(r"(?P<key>[^\s=!<>(),]+)\s+(?P<how>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUAL: Final = re.compile(r"(?P<key>[^\s=!<>(),]+)\s*(?:==|!=|=)\s*(?P<value>[^\s=!<>(),]*)")
_COMPARED: Final = re.compile(r"(?P<key>[^\s=!<>(),]+)\s*[<>]\s*(?P<value>[+-]?[0-9]+)")
_EXISTS: Final = re.compile(r"!?\s*(?P<key>[^\s=!<>(),]+)")
_FORMS: Final = (_SET, _EQUAL, _COMPARED, _EXISTS)

_PLAIN: Final = "write for example app=shop,tier in (web, api),!canary"


def problem_of(selector: str) -> str | None:
    """Why a selector can not be read; None where it can. One that is empty selects everything, and is no problem here."""
    parts = _parts(selector) if selector.strip() else []
    if parts is None:
        return f"a bracket of the selector is not closed, or was never opened; {_PLAIN}"
    return next((said for part in parts if (said := _of_part(part.strip())) is not None), None)


def _parts(selector: str) -> list[str] | None:
    """What stands between its commas, those in brackets apart; None where brackets do not match."""
    parts, depth, begins = [], 0, 0
    for at, sign in enumerate(selector):
        depth += (sign == "(") - (sign == ")")
        if depth not in (0, 1):
            return None
        if sign == "," and depth == 0:
            parts.append(selector[begins:at])
            begins = at + 1
    return [*parts, selector[begins:]] if depth == 0 else None


def _of_part(part: str) -> str | None:
    if not part:
        return f"there is nothing between two commas of the selector, or at its end; {_PLAIN}"
    found = next((one for form in _FORMS if (one := form.fullmatch(part)) is not None), None)
    if found is None:
        return f"{part[:100]!r} is no requirement that labels can meet; {_PLAIN}"
    named = found.groupdict()
    if _KEY.fullmatch(named["key"]) is None:
        return f"{named['key'][:100]!r} is no key of a label; keys are letters, digits, - _ and . with a domain and / before them or not"
    if "values" in named and not named["values"].strip():
        return f"{part[:100]!r} names no value; {_PLAIN}"
    values = named.get("values", named.get("value", "")).split(",") if found.re is not _COMPARED else ()
    wrong = next((one.strip() for one in values if _VALUE.fullmatch(one.strip()) is None), None)
    return None if wrong is None else f"{wrong[:100]!r} is no value of a label; values are at most 63 letters, digits, - _ and ."
