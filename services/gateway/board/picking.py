"""Which environments an expression picks, as far as its comparisons with literals tell: enough to put columns in order.

Nothing is decided by this: policy evaluates the expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from contracts.facts.policy import PolicySaved
from services.gateway.board.state import Named, Picked

_FIELD: Final = r"""environment\.(?:(id|name)|metadata(?:\[\s*["'](?P<key{n}>[^"']+)["']\s*\]|\.(?P<dotted{n}>\w+)))"""
_FIELD_FIRST: Final = re.compile(_FIELD.replace("{n}", "1") + r"""\s*==\s*["']([^"']*)["']""")
_LITERAL_FIRST: Final = re.compile(r"""["']([^"']*)["']\s*==\s*""" + _FIELD.replace("{n}", "2"))
_IN: Final = re.compile(_FIELD.replace("{n}", "3") + r"""\s+in\s+\[([^\]]*)\]""")
_TEXT: Final = re.compile(r"""["']([^"']*)["']""")


def picked_by(selector: str) -> Picked:
    """What an expression compares of an environment; nothing for one that compares otherwise."""
    found: list[tuple[str, str]] = []
    for match in _FIELD_FIRST.finditer(selector):
        found.append((_field(match[1], match["key1"], match["dotted1"]), match[4]))
    for match in _LITERAL_FIRST.finditer(selector):
        found.append((_field(match[2], match["key2"], match["dotted2"]), match[1]))
    for match in _IN.finditer(selector):
        field = _field(match[1], match["key3"], match["dotted3"])
        found += [(field, text) for text in _TEXT.findall(match[4])]
    return Picked(tuple(dict.fromkeys(found)))


def upstream_of(saved: PolicySaved) -> tuple[Picked, tuple[tuple[str, Picked], ...]]:
    """Where a policy applies, and by rule which environments its progressions want a version to succeed in first."""
    rules = ((rule.id, rule.environment_progression) for rule in saved.rules)
    return picked_by(saved.selector), tuple(
        (rule_id, picked_by(body.depends_on_environment_selector)) for rule_id, body in rules if body is not None
    )


def picks(picked: Picked, environment_id: str, environment: Named) -> bool:
    """Whether an environment is among those that are picked."""
    for field, value in picked.literals:
        if field == "id" and value == environment_id:
            return True
        if field == "name" and value == environment.name:
            return True
        if field.startswith("metadata.") and (field.removeprefix("metadata."), value) in environment.metadata:
            return True
    return False


def names_of(picked: Picked, environments: Iterable[tuple[str, Named]]) -> list[str]:
    """Names of the environments that are picked, sorted."""
    return sorted(one.name for id_, one in environments if picks(picked, id_, one))


def _field(plain: str | None, key: str | None, dotted: str | None) -> str:
    return plain or f"metadata.{key or dotted}"
