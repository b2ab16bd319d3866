"""Verifications as they are shown: put together from their rows, with what each of their metrics comes to. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from contracts.shapes import Json
from services.gateway.attempts import newest_attempts, standing_of
from services.gateway.readmodel.verifications import series_of
from services.gateway.store import ReadStore
from services.gateway.views import shown

MOST_MEASUREMENTS: Final = 500
"""So many of a verification's measurements, the newest, are in its document; all of them are read as a series."""


async def of_job(store: ReadStore, workspace_id: str, job_id: str) -> list[Json]:
    """The verifications of a job that count, oldest first, with their measurements."""
    rows = await store.among(workspace_id, "verification", "jobId", [job_id])
    return [await whole(store, workspace_id, row) for row in newest_attempts(rows)]


async def whole(store: ReadStore, workspace_id: str, row: Json) -> Json:
    """A verification with its newest measurements, oldest first, below their metrics."""
    series = series_by_metric(row)
    newest = await _newest(store, workspace_id, series)
    found: dict[str, list[Json]] = {name: [] for name in series}
    for one in await store.last_measured(workspace_id, tuple(series.values()), limit=MOST_MEASUREMENTS):
        found[one["metric"]].append(shown(one))
    doc = _with_metrics(row, newest)
    for metric in doc["metrics"]:
        metric["measurements"] = found[metric["name"]]
    # Each metric counts its own from 1.
    return {**doc, "measurementsTotal": sum(one["number"] for one in newest.values())}


async def listed(store: ReadStore, workspace_id: str, rows: Sequence[Json]) -> list[Json]:
    """Verifications without their measurements."""
    series = [series_by_metric(row) for row in rows]
    newest = await _newest(store, workspace_id, {one: one for each in series for one in each.values()})
    return [
        _with_metrics(row, {name: newest[one] for name, one in each.items() if one in newest})
        for row, each in zip(rows, series, strict=True)
    ]


def series_by_metric(row: Json) -> dict[str, str]:
    """Where the measurements of each metric of a verification are, by its name."""
    return {metric["name"]: series_of(row["id"], metric["name"]) for metric in row["metrics"]}


async def _newest(store: ReadStore, workspace_id: str, series: Mapping[str, str]) -> dict[str, Json]:
    """The newest measurement of each series that has any."""
    found = await store.newest(workspace_id, "measurement", "$series", sorted(set(series.values())), by="measuredAt")
    return {name: found[one] for name, one in series.items() if one in found}


def _with_metrics(row: Json, newest: Mapping[str, Json]) -> Json:
    metrics = [{**one, "status": standing_of(row, one, newest.get(one["name"]))} for one in row["metrics"]]
    return {**shown(row), "metrics": metrics}
