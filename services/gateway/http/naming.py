"""What the things are called that facts name by their ids."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import orjson

from contracts.envelope import Recorded
from services.gateway.http.call import Call
from services.gateway.rows import Table

_TABLES: Final[dict[str, tuple[Table, str]]] = {
    "deployment": ("deployment", "name"),
    "environment": ("environment", "name"),
    "resource": ("resource", "name"),
    "system": ("system", "name"),
    "version": ("version", "tag"),
    "policy": ("policy", "name"),
    "agent": ("agent", "name"),
    "provider": ("provider", "name"),
    "freeze": ("freeze", "name"),
    "workflow": ("workflow", "name"),
}
"""Where something stands that is named as `<kind>_id` or `<kind>/<id>`, and under which key it has its name."""
_SHORT: Final = 200
"""Characters of a text that is short enough to be told outside of its payload."""


def about(recorded: Recorded) -> dict[str, str]:
    """The short texts at the top of a payload."""
    payload = orjson.loads(recorded.data)
    return {name: value for name, value in payload.items() if isinstance(value, str) and len(value) <= _SHORT}


async def names_of(call: Call, facts: Iterable[Recorded]) -> dict[str, str]:
    """The names of what facts are about, mention at the top of their payloads, and were recorded for, as they are as of the read.

    What is no longer there, or has no name, is left out. One look-up for each kind of thing.
    """
    # Some payloads name thousands of targets: whoever shares the process need not wait until all of them are read.
    wanted, people = await asyncio.to_thread(_named_in, facts)
    names: dict[str, str] = {}
    for kind, ids in wanted.items():
        if kind in _TABLES:
            table, key = _TABLES[kind]
            rows = await call.store.many(call.workspace_id, table, sorted(ids))
            names.update({row_id: str(row[key]) for row_id, row in rows.items() if row.get(key)})
    names.update(_of_people(call, people | {f"user:{one}" for one in wanted.get("user", ())}))
    return names


def _named_in(facts: Iterable[Recorded]) -> tuple[dict[str, set[str]], set[str]]:
    """Ids by kind of thing, and who recorded something."""
    wanted: dict[str, set[str]] = {}
    people: set[str] = set()
    for one in facts:
        kind, _, thing = one.stream.partition("/")
        wanted.setdefault(kind, set()).add(thing)
        for field, text in about(one).items():
            if field.endswith("_id"):
                wanted.setdefault(field.removesuffix("_id"), set()).add(text)
        people.add(one.auth_id)
    return wanted, people


def _of_people(call: Call, auth_ids: set[str]) -> dict[str, str]:
    """By the name under which they are recorded, and by their ids."""
    users: Any = call.deps.system.state.users
    found: dict[str, str] = {}
    for one in auth_ids:
        kind, _, user_id = one.partition(":")
        if kind == "user" and user_id in users:
            found[one] = found[user_id] = users[user_id].name
    return found
