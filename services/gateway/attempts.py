"""Which verifications count, and what a metric of one comes to; pure."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.shapes import Json


def newest_attempts(rows: Iterable[Json]) -> list[Json]:
    """The verifications that count: of several for one job and rule the one that was asked for last. In the order of `rows`."""
    rows = list(rows)
    newest: dict[tuple[str, str | None], Json] = {}
    for row in rows:
        key = (row["jobId"], row["ruleId"])
        if key not in newest or newest[key]["attempt"] < row["attempt"]:
            newest[key] = row
    return [row for row in rows if newest[row["jobId"], row["ruleId"]] is row]


def standing_of(row: Json, metric: Json, newest: Json | None) -> str:
    """What a metric comes to: running, passed, failed, inconclusive, or cancelled where it ended without a verdict.

    Args:
        row: of its verification.
        newest: its newest measurement; None before the first.
    """
    status: str = row["status"]
    if row.get("metric") == metric["name"]:
        # The one that decided the verification.
        return status
    told: str | None = newest.get("$standing") if newest is not None else None
    if told is not None and told != "running":
        return told
    if status == "running":
        return "running"
    if metric.get("reaction") == "observe":
        # Nobody waits for it.
        return "running" if row.get("watching") else "cancelled"
    # One that counts has passed when its verification did, whatever the round comes to in which it is measured on.
    return "passed" if status == "passed" or row.get("afterPassing") else "cancelled"
