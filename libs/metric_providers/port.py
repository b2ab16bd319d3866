"""What a provider of metrics is: a configuration, and one function that asks once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from contracts.shapes import Json

if TYPE_CHECKING:
    from libs.outbound.asking import Outbound

SECRET: Final[dict[str, JsonValue]] = {"x-secret": True}
"""`json_schema_extra` of a field whose value is sealed before it is recorded, and never shown."""
PLAIN: Final[dict[str, JsonValue]] = {"x-plain": True}
"""`json_schema_extra` of a text that is no template."""
MAX_ANSWER_BYTES: Final = 1024 * 1024


class ProviderConfig(BaseModel):
    """What a provider understands. Texts are templates, unless their field is `PLAIN`; unknown fields are ignored, as in all shapes of the v1
    API.

    Validated with `literals.AS_WRITTEN` as its context, it also says which of its texts could never be asked."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False)


def is_marked(field: FieldInfo, mark: Mapping[str, Any]) -> bool:
    """Whether a field of a configuration is `SECRET`, or `PLAIN`."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra.items() >= mark.items()


class NoResult(Exception):
    """There was no answer that conditions could judge. The text is for people: who was asked, what came back, what to do.

    Attributes:
        retry_after_s: the provider wants to be left alone for so long.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Asking:
    """What a provider's function may use.

    Attributes:
        outbound: makes HTTP calls; it knows which addresses are allowed, and bounds time and size.
        now: the clock.
    """

    outbound: Outbound
    now: Callable[[], datetime]


C = TypeVar("C", bound=ProviderConfig)


def _nobody(_: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Provider(Generic[C]):
    """A type of provider.

    Attributes:
        name: its type in the API.
        config: its configuration's model.
        measure: asks once. It gets the configuration with templates rendered and secrets opened, and returns the `result` that conditions see:
            `ok`, and what the type adds; `value` where one number sums it up; `noData: true` where the answer came but holds nothing to judge.
            Raises: NoResult, or CallFailed of `libs/outbound`.
        party: who is asked, such as a host, of a configuration with templates in it or rendered: one party is asked so often and no more.
        no_value: why results of a configuration never have a `value`; empty where they may.
        delay_s: seconds that a measurement is due later than it would be; None but for a provider that waits.
    """

    name: str
    config: type[C]
    measure: Callable[[C, Asking], Awaitable[Json]]
    party: Callable[[C], str] = _nobody
    no_value: Callable[[C], str] = _nobody
    delay_s: Callable[[C], float] | None = None
