"""Releases and release targets: what should run where, what does, and why."""

from __future__ import annotations

from contracts.commands.policy.explanations import ExplainTarget, Explanation
from contracts.shapes import Target
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.lists import page_of
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound, Problem
from services.gateway.http.telling import told
from services.gateway.http.validation import canonical_uuid
from services.gateway.readmodel import pair_key
from services.gateway.store import NEWEST_FIRST
from services.gateway.verifications import of_job
from services.gateway.views import may_be_desired, shown

routes = Routes("release targets")


def target_of(call: Call) -> Target:
    """The target of the path. Raises: Problem (400): the key is none."""
    target = Target.parse(call.path["releaseTargetKey"])
    ids = [canonical_uuid(one) for one in target] if target is not None else [None]
    if None in ids:
        raise Problem(
            400, "a release target key is the ids of resource, environment and deployment, joined by '-'", "Bad Request"
        )
    return Target(*(one for one in ids if one is not None))


@routes.add("GET", "/releases/{releaseId}", answers={200: answers.Release})
async def get_release(call: Call) -> Reply:
    """A release."""
    release_id = call.id("releaseId", "Release")
    found = (await call.views.releases([release_id])).get(release_id)
    if found is None:
        raise NotFound("Release")
    return Reply(200, found)


@routes.add(
    "POST",
    "/release-targets/state",
    answers={200: answers.Page[answers.TargetWithState]},
    body=bodies.PairBody,
    query=bodies.Paging,
    past=True,
)
async def list_target_states(call: Call) -> Reply:
    """The targets of a deployment in an environment with their states, by identifier of the resource."""
    body: bodies.PairBody = call.body
    paging: bodies.Paging = call.query
    pair = pair_key(body.deployment_id.lower(), body.environment_id.lower())
    page = await call.store.targets(call.workspace_id, pair, limit=paging.limit, offset=paging.offset)
    keys = [Target(row["resourceId"], row["environmentId"], row["deploymentId"]).key for row in page.items]
    states = await call.views.states(keys)
    items = [{"releaseTarget": shown(row), "state": states[key]} for row, key in zip(page.items, keys, strict=True)]
    return page_of(items, page.total, paging)


@routes.add("GET", "/release-targets/{releaseTargetKey}/state", answers={200: answers.TargetState}, query=bodies.StateQuery)
async def get_target_state(call: Call) -> Reply:
    """Desired, current and last good release of a target, its pin, and its newest job with its verifications."""
    key = target_of(call).key
    state = (await call.views.states([key]))[key]
    if (job := state.get("latestJob")) is not None:
        state["latestJob"] = {"job": job, "verifications": await of_job(call.store, call.workspace_id, job["id"])}
        if (good := await call.views.last_good(key)) is not None:
            state["lastGoodRelease"] = good
    return Reply(200, state)


@routes.add("GET", "/release-targets/{releaseTargetKey}/desired-release", answers={200: answers.DesiredRelease})
async def get_desired_release(call: Call) -> Reply:
    """The release that a target should run."""
    key = target_of(call).key
    row = await call.store.get(call.workspace_id, "target", key)
    desired = row.get("$desired") if row is not None else None
    releases = await call.views.releases([desired]) if desired else {}
    if desired not in releases or not may_be_desired(releases[desired]):
        raise NotFound("Desired release")
    return Reply(200, {"desiredRelease": releases[desired]})


@routes.add("GET", "/release-targets/{releaseTargetKey}/jobs", answers={200: answers.Page[answers.Job]}, query=bodies.CelPaging)
async def list_target_jobs(call: Call) -> Reply:
    """The jobs of a target, newest first."""
    paging: bodies.CelPaging = call.query
    page = await call.store.find(
        call.workspace_id,
        "job",
        where={"$target": target_of(call).key},
        order=NEWEST_FIRST,
        limit=paging.limit,
        offset=paging.offset,
    )
    return page_of(await call.views.jobs(page.items), page.total, paging)


@routes.add("GET", "/release-targets/{releaseTargetKey}/explanation", answers={200: answers.Explanation})
async def explain_target(call: Call) -> Reply:
    """Why a target is where it is: for each newer version, what holds it and what ends the wait."""
    target = target_of(call)
    query = ExplainTarget(
        resource_id=target.resource_id, environment_id=target.environment_id, deployment_id=target.deployment_id
    )
    explanation = Explanation.model_validate(await call.look(query))
    return Reply(200, told(explanation))
