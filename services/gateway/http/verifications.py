"""Verifications: what they came to, their measurements as series, and measuring once more."""

from __future__ import annotations

from contracts.commands.verifier import VerifyAgain
from contracts.documents import stamp
from contracts.shapes import Json
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.lists import page_of
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound, Unprocessable, finding
from services.gateway.store import NEWEST_FIRST, Series
from services.gateway.verifications import listed, series_by_metric, whole
from services.gateway.views import shown

routes = Routes("verifications")

_DETAILS = ("asked", "conditions", "data")
"""Of a measurement, what no chart shows."""


async def _row(call: Call) -> Json:
    found = await call.store.get(call.workspace_id, "verification", call.id("verificationId", "Verification"))
    if found is None:
        raise NotFound("Verification")
    return found


@routes.add("GET", "/verifications/{verificationId}", answers={200: answers.Verification})
async def get_verification(call: Call) -> Reply:
    """A verification with the newest of its measurements."""
    return Reply(200, await whole(call.store, call.workspace_id, await _row(call)))


@routes.add(
    "GET",
    "/verifications/{verificationId}/measurements",
    answers={200: answers.Page[answers.Measurement]},
    query=bodies.MeasurementsQuery,
)
async def list_measurements(call: Call) -> Reply:
    """The measurements of a verification in the order in which they were taken, of one metric or of all."""
    query: bodies.MeasurementsQuery = call.query
    series = series_by_metric(await _row(call))
    if query.metric is not None and query.metric not in series:
        told = f"the verification has no such metric; it has {', '.join(series)}"
        raise Unprocessable([finding("/query/metric", told, "enum")])
    wanted = Series(
        of=tuple(series.values()) if query.metric is None else (series[query.metric],),
        begin=stamp(query.from_) if query.from_ is not None else None,
        end=stamp(query.to) if query.to is not None else None,
        points=query.points,
        without=() if query.include_details else _DETAILS,
    )
    page = await call.store.measured(call.workspace_id, wanted, limit=query.limit, offset=query.offset)
    return page_of([shown(one) for one in page.items], page.total, query)


@routes.add("GET", "/jobs/{jobId}/verifications", answers={200: answers.Page[answers.ListedVerification]}, query=bodies.Paging)
async def list_job_verifications(call: Call) -> Reply:
    """The verifications of a job without their measurements, newest first; those as well that a person asked for again."""
    paging: bodies.Paging = call.query
    job_id = call.id("jobId", "Job")
    await call.row("job", job_id, "Job")
    page = await call.store.find(
        call.workspace_id,
        "verification",
        where={"jobId": job_id},
        order=NEWEST_FIRST,
        limit=paging.limit,
        offset=paging.offset,
    )
    return page_of(await listed(call.store, call.workspace_id, page.items), page.total, paging)


@routes.add(
    "POST",
    "/verifications/{verificationId}/verify-again",
    answers={202: answers.Accepted},
    body=bodies.VerifyAgainBody,
)
async def verify_again(call: Call) -> Reply:
    """Measure once more, from the beginning, what a verification measured; the new one counts."""
    body: bodies.VerifyAgainBody = call.body
    wish = VerifyAgain(verification_id=call.id("verificationId", "Verification"), reason=body.reason)
    begun = await call.ask(wish)
    return accepted(begun["id"], "Verification requested")
