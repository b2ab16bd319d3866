"""What people choose by hand for a release target, or for all of a deployment in an environment: a version that stays, a dispatch
once more, a way back."""

from __future__ import annotations

from typing import Any

from contracts.commands.planner import (
    LiftMark,
    PinVersion,
    PreviewRollback,
    Redeploy,
    ReleasePin,
    RollBack,
    RollBackEnvironment,
    RollbackPreview,
)
from contracts.shapes import Json
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.lists import page_of
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.http.targets import target_of
from services.gateway.readmodel import pin_key
from services.gateway.store import NEWEST_FIRST
from services.gateway.views import shown

routes = Routes("choices")

_TARGET = "/release-targets/{releaseTargetKey}"
_PAIR = "/deployments/{deploymentId}/environments/{environmentId}"


def _scope(call: Call) -> dict[str, Any]:
    """What the path names: one target, or all of a deployment in an environment."""
    if "releaseTargetKey" in call.path:
        target = target_of(call)
        return {
            "deployment_id": target.deployment_id,
            "environment_id": target.environment_id,
            "resource_id": target.resource_id,
        }
    return {
        "deployment_id": call.id("deploymentId", "Deployment"),
        "environment_id": call.id("environmentId", "Environment"),
        "resource_id": None,
    }


@routes.add("GET", f"{_TARGET}/pin", name="get_target_pin", answers={200: answers.Pin})
@routes.add("GET", f"{_PAIR}/pin", name="get_environment_pin", answers={200: answers.Pin})
async def get_pin(call: Call) -> Reply:
    """The version to which a target, or a deployment in an environment, is pinned."""
    scope = _scope(call)
    key, resource_id = pin_key(**scope), scope["resource_id"]
    found = (await call.views.pins([key])).get(key)
    # The id of a resource that was deleted never returns, and nobody can release its pin.
    gone = resource_id is not None and await call.store.get(call.workspace_id, "resource", resource_id) is None
    if found is None or gone:
        raise NotFound("Pin")
    return Reply(200, found)


@routes.add("PUT", f"{_TARGET}/pin", name="pin_target", answers={202: answers.Accepted}, body=bodies.PinBody)
@routes.add("PUT", f"{_PAIR}/pin", name="pin_environment", answers={202: answers.Accepted}, body=bodies.PinBody)
async def pin(call: Call) -> Reply:
    """Let no other version go to a target, or to a deployment's targets in an environment, until the pin is released."""
    body: bodies.PinBody = call.body
    saved = await call.ask(PinVersion(**_scope(call), version_id=body.version_id, reason=body.reason))
    return accepted(saved["id"], "Version pinned")


@routes.add("DELETE", f"{_TARGET}/pin", name="release_target_pin", answers={202: answers.Accepted})
@routes.add("DELETE", f"{_PAIR}/pin", name="release_environment_pin", answers={202: answers.Accepted})
async def release_pin(call: Call) -> Reply:
    """End the pin of a target, or of a deployment in an environment."""
    gone = await call.ask(ReleasePin(**_scope(call)))
    return accepted(gone["id"], "Pin released")


@routes.add(
    "POST", f"{_TARGET}/redeploy", name="redeploy_target", answers={202: answers.TargetsTouched}, body=bodies.RedeployBody
)
@routes.add(
    "POST", f"{_PAIR}/redeploy", name="redeploy_environment", answers={202: answers.TargetsTouched}, body=bodies.RedeployBody
)
async def redeploy(call: Call) -> Reply:
    """Dispatch the desired release once more: of a target, or of each of a deployment's targets in an environment."""
    body: bodies.RedeployBody = call.body
    done = await call.ask(Redeploy(**_scope(call), reason=body.reason))
    return Reply(202, {"targets": done["targets"], "message": "Redeployment requested"})


@routes.add(
    "POST", f"{_TARGET}/rollback", name="roll_target_back", answers={202: answers.TargetsTouched}, body=bodies.RollbackBody
)
async def roll_target_back(call: Call) -> Reply:
    """Send a target back to its last good release or to a named version's."""
    body: bodies.RollbackBody = call.body
    return await _rolled_back(call, RollBack(**_scope(call), version_id=body.version_id, reason=body.reason))


@routes.add(
    "POST", f"{_PAIR}/rollback", name="roll_environment_back", answers={202: answers.TargetsTouched}, body=bodies.PairRollbackBody
)
async def roll_pair_back(call: Call) -> Reply:
    """Send each of a deployment's targets in an environment back, or the whole of one rollout there."""
    body: bodies.PairRollbackBody = call.body
    wish = RollBack(**_scope(call), version_id=body.version_id, from_version_id=body.from_version_id, reason=body.reason)
    return await _rolled_back(call, wish)


@routes.add(
    "POST",
    "/environments/{environmentId}/rollback",
    name="roll_everything_back",
    answers={202: answers.TargetsTouched},
    body=bodies.EnvironmentRollbackBody,
)
async def roll_everything_back(call: Call) -> Reply:
    """Send every target of an environment back to its last good release, whatever its deployment."""
    body: bodies.EnvironmentRollbackBody = call.body
    wish = RollBackEnvironment(environment_id=call.id("environmentId", "Environment"), reason=body.reason)
    return await _rolled_back(call, wish)


@routes.add(
    "GET",
    f"{_PAIR}/rollback",
    name="preview_environment_rollback",
    answers={200: answers.RollbackPreview},
    query=bodies.RollbackQuery,
)
async def preview_pair_rollback(call: Call) -> Reply:
    """What rolling a deployment back in an environment would do; refused as that would be, and nothing is changed."""
    query: bodies.RollbackQuery = call.query
    scope = _scope(call)
    wish = PreviewRollback(
        deployment_id=scope["deployment_id"],
        environment_id=scope["environment_id"],
        version_id=query.version_id,
        from_version_id=query.from_version_id,
    )
    return await _previewed(call, wish)


@routes.add(
    "GET", "/environments/{environmentId}/rollback", name="preview_whole_rollback", answers={200: answers.RollbackPreview}
)
async def preview_whole_rollback(call: Call) -> Reply:
    """What rolling every target of an environment back would do; refused as that would be, and nothing is changed."""
    return await _previewed(call, PreviewRollback(environment_id=call.id("environmentId", "Environment")))


async def _previewed(call: Call, wish: PreviewRollback) -> Reply:
    found = RollbackPreview.model_validate(await call.look(wish, with_rows=True))
    ids = {version_id for one in found.items for version_id in (one.from_version_id, one.to_version_id)}.union(found.marked)
    versions = await call.store.many(call.workspace_id, "version", sorted(ids))
    deployments = await call.store.many(call.workspace_id, "deployment", sorted({one.deployment_id for one in found.items}))

    def named(version_id: str) -> Json:
        return {"versionId": version_id, "tag": versions.get(version_id, {}).get("tag", "")}

    items = [
        {
            "deployment": {"id": one.deployment_id, "name": deployments.get(one.deployment_id, {}).get("name", "")},
            "leaves": named(one.from_version_id),
            "to": named(one.to_version_id),
            "targets": one.targets,
        }
        for one in found.items
    ]
    return Reply(200, {"items": items, "targets": found.targets, "marked": [named(one) for one in found.marked]})


async def _rolled_back(call: Call, wish: RollBack | RollBackEnvironment) -> Reply:
    done = await call.ask(wish)
    return Reply(202, {"targets": done["targets"], "message": "Rollback requested"})


@routes.add("GET", f"{_TARGET}/bad-versions", answers={200: answers.Page[answers.BadVersion]}, query=bodies.Paging)
async def list_bad_versions(call: Call) -> Reply:
    """The versions that do not go to a target again until a person lifts their mark, the newest mark first."""
    paging: bodies.Paging = call.query
    target = target_of(call)
    await call.row("target", target.key, "Release target")
    # The id of a resource that was deleted never returns, and nothing goes there.
    if await call.store.get(call.workspace_id, "resource", target.resource_id) is None:
        return page_of([], 0, paging)
    page = await call.store.find(
        call.workspace_id,
        "mark",
        where={"$target": target.key},
        order=NEWEST_FIRST,
        limit=paging.limit,
        offset=paging.offset,
    )
    versions = await call.store.many(call.workspace_id, "version", sorted({one["versionId"] for one in page.items}))
    tags = {version_id: version["tag"] for version_id, version in versions.items()}
    return page_of([{**shown(one), "tag": tags.get(one["versionId"], "")} for one in page.items], page.total, paging)


@routes.add("DELETE", f"{_TARGET}/bad-versions/{{versionId}}", name="lift_target_mark", answers={202: answers.TargetsTouched})
@routes.add("DELETE", f"{_PAIR}/bad-versions/{{versionId}}", name="lift_environment_mark", answers={202: answers.TargetsTouched})
async def lift_mark(call: Call) -> Reply:
    """Let a version that was marked bad go again to a target, or to all of a deployment's targets in an environment."""
    done = await call.ask(LiftMark(**_scope(call), version_id=call.id("versionId", "Version")))
    return Reply(202, {"targets": done["targets"], "message": "Bad version mark lifted"})
