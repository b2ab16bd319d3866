"""What bodies and queries have in common: names, and how values are written."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from contracts.values import problem_of
from services.gateway.http.validation import canonical_uuid

_DIGITS = re.compile(r"-?\d{1,18}")
INT32 = 2**31 - 1
INT64 = 2**63 - 1


def _by_wire_names() -> ConfigDict:
    # Only the names of the API count: what a client sends under another name is a property that is not declared.
    return ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class Body(BaseModel):
    """A JSON object with camelCase names.

    Attributes:
        NULL_IS_ABSENT: wire names for which null is taken as absence, because clients in use send it.
        MAY_BE_ABSENT: a request without any body stands for an empty object.
        CLOSED: set where properties that nobody declared are refused, here and further inside; those that are passed over all the same.
    """

    model_config = _by_wire_names()
    NULL_IS_ABSENT: ClassVar[frozenset[str]] = frozenset()
    MAY_BE_ABSENT: ClassVar[bool] = False


def _integer(value: object) -> object:
    if isinstance(value, str):
        if _DIGITS.fullmatch(value) is None:
            raise ValueError("must be integer")
        return int(value)
    return value


def _boolean(value: object) -> object:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("must be boolean")
        return value == "true"
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
QueryInt = Annotated[int, BeforeValidator(_integer)]
QueryBool = Annotated[bool, BeforeValidator(_boolean)]
MAX_OFFSET = 2**53


def _uuid(value: str) -> str:
    canonical = canonical_uuid(value)
    if canonical is None:
        raise ValueError('must match format "uuid"')
    return canonical


Uuid = Annotated[str, AfterValidator(_uuid)]
"""An id, in lower case."""


def _variable(value: Any) -> Any:
    problem = problem_of(value)
    if problem is not None:
        raise ValueError(problem)
    return value


Value = Annotated[Any, AfterValidator(_variable)]
"""The value of a variable: a literal, a reference or the hash of a secret; kept exactly as it was written."""


def _present(value: Any) -> Any:
    if value is None:
        raise ValueError("must not be null; leave the variable out instead")
    return value


Something = Annotated[Any, AfterValidator(_present)]
"""Any JSON but null."""
