"""Datadog's API as far as asking for scalars needs it.

- One number for each query, or row of groups, over the time from `from` to `to` in Unix milliseconds; without formulas a column for each
  query under its name, with formulas a column for each of those; group columns say whose the rows are; null where there was nothing:
  https://docs.datadoghq.com/api/latest/metrics/#query-scalar-data-across-multiple-products
- Keys that do not hold are a 403, a query that can not be read a 400, both with `errors`:
  https://docs.datadoghq.com/api/latest/authentication/
- Too many calls are a 429, with the seconds until more are allowed: https://docs.datadoghq.com/api/latest/rate-limits/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from tests.fakes.serving import Asked, Clock, Fake, Reply

API_KEY = "an-api-key-of-32-characters-0000"
APP_KEY = "an-application-key-of-40-characters-0000"
AGGREGATORS = {"avg", "min", "max", "sum", "last", "percentile", "mean", "l2norm", "area"}

Number: TypeAlias = float | None


class FakeDatadog(Fake):
    """One organization.

    Attributes:
        known: what queries, by their text, and formulas come to; of a query with groups a number each.
        columns: names of columns, where they are to be others than the API's documentation has.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.known: dict[str, Number | Mapping[str, Number]] = {}
        self.columns: Mapping[str, str] = {}

    def handle(self, asked: Asked) -> Reply:
        if (asked.headers.get("dd-api-key"), asked.headers.get("dd-application-key")) != (API_KEY, APP_KEY):
            return no(403, "Forbidden")
        if str(asked) != "POST /api/v2/query/scalar":
            return no(404, "Not found")
        data = asked.json["data"]
        attributes = data["attributes"]
        if data["type"] != "scalar_request" or not 0 < attributes["from"] < attributes["to"]:
            return no(400, "Invalid request")
        queries: dict[str, str] = {}
        for one in attributes["queries"]:
            if one["data_source"] != "metrics" or one["aggregator"] not in AGGREGATORS:
                return no(400, f"Invalid query {one['name']}")
            if one["query"] not in self.known:
                return no(400, f"Error parsing query: {one['query']}")
            queries[one["name"]] = one["query"]
        named = [one["formula"] for one in attributes.get("formulas", ())] or list(queries)
        if wrong := [one for one in named if queries.get(one, one) not in self.known]:
            return no(400, f"Invalid formula: {wrong[0]}")
        columns = self._columns({one: self.known[queries.get(one, one)] for one in named})
        return Reply(json={"data": {"type": "scalar_response", "attributes": {"columns": columns}}})

    def _columns(self, numbers: Mapping[str, Number | Mapping[str, Number]]) -> Sequence[Any]:
        groups = sorted({group for one in numbers.values() if isinstance(one, Mapping) for group in one})
        columns: list[Any] = []
        if groups:
            columns.append({"name": "host", "type": "group", "values": [[group] for group in groups]})
        for name, one in numbers.items():
            values = [one.get(group) for group in groups] if isinstance(one, Mapping) else [one] * max(len(groups), 1)
            columns.append({"name": self.columns.get(name, name), "type": "number", "values": values, "meta": {"unit": None}})
        return columns


def no(status: int, error: str, **headers: str) -> Reply:
    """How Datadog says no."""
    return Reply(status, {"errors": [error]}, {name.replace("_", "-"): value for name, value in headers.items()})
