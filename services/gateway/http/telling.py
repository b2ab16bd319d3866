"""What services answer, as the API writes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from contracts.documents import stamp
from contracts.shapes import Json


def told(answer: BaseModel) -> Json:
    """An answer with the names and times of the API; what has no value is absent. Its own fields have no map whose keys are data."""
    return {
        to_camel(name): _told(getattr(answer, name)) for name in type(answer).model_fields if getattr(answer, name) is not None
    }


def _told(value: Any) -> Any:
    match value:
        case BaseModel():
            return told(value)
        case datetime():
            return stamp(value)
        case tuple():
            return [_told(one) for one in value]
        case _:
            return value
