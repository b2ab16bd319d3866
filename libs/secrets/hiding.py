"""Data with its secrets taken out by the names of their fields, before anybody has sealed them, or without any of its values; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from libs.secrets.addresses import is_address, without_user_info
from libs.secrets.fields import Path, SecretFields
from libs.secrets.redaction import Redacted
from libs.secrets.references import MASK, MAX_DEPTH, SEALED, masked_text, whole

SHOWN: Final = 50
"""Fields of an object, and elements of a list, of which the form is told."""
MAX_NAME: Final = 100


def hidden(data: Any, fields: SecretFields) -> tuple[Any, Redacted]:
    """JSON data with the mask for every secret in it, and what takes the same secrets out of texts about the data.

    A secret field with lists or objects in it has all texts and numbers in them hidden. References to secrets stay, sealed ones do not.
    """
    secrets: list[str] = []
    shown = _hidden(data, fields, (), None, secrets, secret=False)
    redacted = Redacted(secrets)
    return redacted.json(shown), redacted


def form_of(data: Any, depth: int = 0) -> Any:
    """What JSON data looks like: the names of its fields, and of values only their type and size."""
    if depth > MAX_DEPTH:
        return "…"
    if isinstance(data, Mapping):
        form = {str(key)[:MAX_NAME]: form_of(value, depth + 1) for key, value in list(data.items())[:SHOWN]}
        return form if len(data) <= SHOWN else {**form, "…": f"{len(data) - SHOWN} more fields"}
    if isinstance(data, str):
        return f"text of {len(data)} characters"
    if isinstance(data, Sequence):
        elements = [form_of(one, depth + 1) for one in data[:SHOWN]]
        return elements if len(data) <= SHOWN else [*elements, f"… {len(data) - SHOWN} more elements"]
    if isinstance(data, bool):
        return "boolean"
    return "null" if data is None else "number"


def _hidden(
    value: Any, fields: SecretFields, path: Path, siblings: Mapping[str, Any] | None, secrets: list[str], *, secret: bool
) -> Any:
    if len(path) > MAX_DEPTH:
        return MASK
    secret = secret or fields.has(path, siblings)
    if isinstance(value, Mapping):
        return {key: _hidden(one, fields, (*path, key), value, secrets, secret=secret) for key, one in value.items()}
    if isinstance(value, str):
        if not secret or not value:
            return without_user_info(masked_text(value), alone=is_address(path))
        reference = whole(value)
        if reference is not None and reference.kind != "sealed":
            return value
        if SEALED not in value:
            secrets.append(value)
        return MASK
    if isinstance(value, Sequence):
        return [_hidden(one, fields, (*path, place), None, secrets, secret=secret) for place, one in enumerate(value)]
    if secret and isinstance(value, int | float) and not isinstance(value, bool):
        secrets.append(str(value))
        return MASK
    return value
