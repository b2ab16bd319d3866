"""`datadog`: asks Datadog for one number for each query, over the last minutes.

https://docs.datadoghq.com/api/latest/metrics/#query-scalar-data-across-multiple-products
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from contracts.shapes import Json
from libs.metric_providers.addresses import base_of
from libs.metric_providers.answers import heed_limits, result_of
from libs.metric_providers.http import party_of
from libs.metric_providers.literals import HeaderValue, is_as_written, is_literal, literal
from libs.metric_providers.port import MAX_ANSWER_BYTES, SECRET, Asking, NoResult, Provider, ProviderConfig
from libs.outbound.wire import checked_url

if TYPE_CHECKING:
    from libs.outbound.answer import Answer

MAX_QUERIES: Final = 50
TIMEOUT_S: Final = 30.0
MAX_SAID: Final = 500
"""Characters of Datadog's own words about an error that a result repeats."""

_SITE: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.IGNORECASE)
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\{[^{}]*\}|[0-9.][A-Za-z0-9_.]*|([A-Za-z_][A-Za-z0-9_]*)(?!\s*[(=]|[A-Za-z0-9_])")
"""What a formula is made of, the names of queries as the first group; functions are followed by a bracket, and what they are told by its name
by an equals sign."""


def _check_name(text: str) -> None:
    if _NAME.fullmatch(text) is None:
        raise NoResult(f"{text[:100]!r} can not name a query; names are letters, digits and _, for use in a formula")


def _check_formula(formula: str, queries: Mapping[str, str]) -> None:
    names = [found[1] for found in _WORDS.finditer(formula) if found[1]]
    unknown = next((one for one in names if one not in queries), None)
    if unknown is not None or not names:
        what = f"it names {unknown[:100]!r}, which is no query" if unknown is not None else "it names no query"
        raise ValueError(f"{what}; the queries are {', '.join(queries)}"[:MAX_SAID])


def _check_site(text: str) -> None:
    address, _ = checked_url(address_of(text))
    labels = address.host.split(".")
    if "://" not in text and (len(labels) < 3 or not all(map(_LABEL.fullmatch, labels))):
        raise NoResult(
            f"{text.strip()[:100]!r} is no host name of a site; write for example datadoghq.com, datadoghq.eu or us5.datadoghq.com"
        )


Aggregator: TypeAlias = Literal["avg", "min", "max", "sum", "last", "percentile", "mean", "l2norm", "area"]
Name: TypeAlias = Annotated[str, Field(min_length=1), literal(_check_name, filled_in=False)]
Query: TypeAlias = Annotated[str, Field(min_length=1)]


class DatadogConfig(ProviderConfig):
    """Whom to ask for what.

    Attributes:
        queries: metric queries by name.
        formula: made of the names of the queries; its number is the result's `value`.
        aggregator: makes one number of a query's points.
        interval_seconds: how far back from now the points are taken.
        site: as in `datadoghq.eu`. Beyond the v1 API: an address with its scheme is called as it stands, for whoever has a host between.
    """

    api_key: HeaderValue = Field(min_length=1, json_schema_extra=SECRET)
    app_key: HeaderValue = Field(min_length=1, json_schema_extra=SECRET)
    queries: dict[Name, Query] = Field(min_length=1, max_length=MAX_QUERIES)
    formula: str | None = None
    aggregator: Aggregator = "last"
    interval_seconds: int = Field(300, ge=1, le=3600)
    site: Annotated[str, literal(_check_site)] = Field("datadoghq.com", min_length=1)

    @field_validator("formula")
    @classmethod
    def _of_queries(cls, formula: str | None, info: ValidationInfo) -> str | None:
        if is_as_written(info) and formula and is_literal(formula) and "queries" in info.data:
            _check_formula(formula, info.data["queries"])
        return formula

    @property
    def wanted(self) -> list[str]:
        """The columns to get: every query's, and last the formula's. A formula that is just a query's name is no column of its own."""
        names = list(self.queries)
        return names if not self.formula or self.formula in self.queries else [*names, self.formula]


async def measure(config: DatadogConfig, asking: Asking) -> Json:
    """Gives `ok` (2xx and no error told), `statusCode`, `body`, `json` and `duration` (ms), and

    - `queries`: each name with its number, or None; of a query with groups the first number;
    - `value`: the formula's number, or that of the only query;
    - `noData: true` where that one has no number, or of several queries without a formula none has;
    - `error`: what Datadog says is wrong with the keys or the query; such an answer is not ok.

    Raises: NoResult: asked too often, or no answer of Datadog's. CallFailed: nothing usable came back.
    """
    answer = await asking.outbound.ask(
        "POST",
        f"{address_of(config.site)}/api/v2/query/scalar",
        headers={"DD-API-KEY": config.api_key, "DD-APPLICATION-KEY": config.app_key, "Accept": "application/json"},
        json=request_of(config, asking.now()),
        timeout_s=TIMEOUT_S,
        max_bytes=MAX_ANSWER_BYTES,
    )
    heed_limits(answer, "Datadog", asking.now())
    return read(config, answer)


def address_of(site: str) -> str:
    """The API of a site. Raises: NoResult: no site is called so."""
    site = site.strip()
    if "://" in site:
        return base_of(site, "site")
    if _SITE.fullmatch(site) is None:
        raise NoResult(f"{site[:100]!r} is no site of Datadog; write for example datadoghq.com or datadoghq.eu")
    return f"https://api.{site}"


def request_of(config: DatadogConfig, now: datetime) -> Json:
    """The question; instants are Unix milliseconds."""
    to_ms = round(now.timestamp() * 1000)
    attributes: Json = {
        "from": to_ms - config.interval_seconds * 1000,
        "to": to_ms,
        "queries": [
            {"data_source": "metrics", "name": name, "query": query, "aggregator": config.aggregator}
            for name, query in config.queries.items()
        ],
    }
    if config.formula:
        # Where there are formulas only theirs are answered, so that each query is one as well.
        attributes["formulas"] = [{"formula": one} for one in config.wanted]
    return {"data": {"type": "scalar_request", "attributes": attributes}}


def read(config: DatadogConfig, answer: Answer) -> Json:
    """The `result` of an answer. Raises: NoResult: a success that is no answer of Datadog's."""
    result = result_of(answer)
    told = result.get("json")
    said = told if isinstance(told, dict) else {}
    result["queries"] = dict.fromkeys(config.queries)
    if not answer.ok or said.get("errors"):
        result["ok"] = False
        result["error"] = "; ".join(_errors(said.get("errors")))[:MAX_SAID] or f"Datadog answered {answer.status}"
        return result
    if answer.cut:
        raise NoResult(f"Datadog's answer is longer than {MAX_ANSWER_BYTES} bytes; group by less")
    numbers = _numbers(config.wanted, _columns(said))
    result["queries"] = {name: numbers[name] for name in config.queries}
    summed_up = [config.formula] if config.formula else list(config.queries)
    if len(summed_up) == 1 and numbers[summed_up[0]] is not None:
        result["value"] = numbers[summed_up[0]]
    if all(numbers[one] is None for one in summed_up):
        result["noData"] = True
    return result


def _columns(said: dict[str, Any]) -> list[dict[str, Any]]:
    """The columns of numbers; those of groups only say which row is whose."""
    data = said.get("data")
    attributes = data.get("attributes") if isinstance(data, dict) else None
    columns = attributes.get("columns") if isinstance(attributes, dict) else None
    if not isinstance(columns, list):
        raise NoResult("what came back is no answer of Datadog's API: is the site right?")
    return [one for one in columns if isinstance(one, dict) and one.get("type") != "group"]


def _numbers(wanted: list[str], columns: list[dict[str, Any]]) -> dict[str, float | None]:
    """A number for each column that was asked for, found by its name, or else by its place, since columns come in the order they were
    asked for."""
    by_name = {str(one.get("name")): one for one in columns}
    if len(columns) == len(wanted) and not all(one in by_name for one in wanted):
        by_name = dict(zip(wanted, columns, strict=True))
    return {one: _number(by_name.get(one, {}).get("values")) for one in wanted}


def _number(values: Any) -> float | None:
    rows = values if isinstance(values, list) else []
    return next((one for one in rows if isinstance(one, int | float) and not isinstance(one, bool)), None)


def _errors(errors: Any) -> Iterator[str]:
    """`errors` is a list of texts, of objects of JSON:API, or one text, as the version of the API has it."""
    for one in errors if isinstance(errors, list) else [errors] if errors else ():
        if isinstance(one, dict):
            yield ": ".join(str(one[part]) for part in ("title", "detail") if one.get(part))
        else:
            yield str(one)


def _party(config: DatadogConfig) -> str:
    return party_of(config.site if "://" in config.site else f"https://api.{config.site}")


def _no_value(config: DatadogConfig) -> str:
    if len(config.queries) > 1 and not config.formula:
        return "several queries without a formula have no one value: give a formula, or look at result.queries"
    return ""


PROVIDER = Provider("datadog", DatadogConfig, measure, party=_party, no_value=_no_value)
