"""What people choose by hand for a release target, or for all of a deployment in an environment: a version that stays, a dispatch
once more, a way back."""

from __future__ import annotations

from typing import Any

from contracts.commands.planner import PinVersion, Redeploy, ReleasePin, RollBack
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.http.targets import target_of
from services.gateway.readmodel import pin_key

routes = Routes("choices")

_TARGET = "/release-targets/{releaseTargetKey}"
_PAIR = "/deployments/{deploymentId}/environments/{environmentId}"


def _target_scope(call: Call) -> dict[str, Any]:
    target = target_of(call)
    return {
        "deployment_id": target.deployment_id,
        "environment_id": target.environment_id,
        "resource_id": target.resource_id,
    }


def _pair_scope(call: Call) -> dict[str, Any]:
    return {
        "deployment_id": call.id("deploymentId", "Deployment"),
        "environment_id": call.id("environmentId", "Environment"),
        "resource_id": None,
    }


async def _pin(call: Call, scope: dict[str, Any]) -> Reply:
    key, resource_id = pin_key(**scope), scope["resource_id"]
    found = (await call.views.pins([key])).get(key)
    # The id of a resource that was deleted never returns, and nobody can release its pin.
    gone = resource_id is not None and await call.deps.store.get(call.workspace_id, "resource", resource_id) is None
    if found is None or gone:
        raise NotFound("Pin")
    return Reply(200, found)


async def _pinned(call: Call, scope: dict[str, Any]) -> Reply:
    body: bodies.PinBody = call.body
    saved = await call.ask(PinVersion(**scope, version_id=body.version_id, reason=body.reason))
    return accepted(saved["id"], "Version pinned")


async def _released(call: Call, scope: dict[str, Any]) -> Reply:
    gone = await call.ask(ReleasePin(**scope))
    return accepted(gone["id"], "Pin released")


async def _redeployed(call: Call, scope: dict[str, Any]) -> Reply:
    body: bodies.RedeployBody = call.body
    done = await call.ask(Redeploy(**scope, reason=body.reason))
    return Reply(202, {"targets": done["targets"], "message": "Redeployment requested"})


async def _rolled_back(call: Call, scope: dict[str, Any]) -> Reply:
    body: bodies.RollbackBody = call.body
    done = await call.ask(RollBack(**scope, version_id=body.version_id, reason=body.reason))
    return Reply(202, {"targets": done["targets"], "message": "Rollback requested"})


@routes.add("GET", f"{_TARGET}/pin", answers={200: answers.Pin})
async def get_target_pin(call: Call) -> Reply:
    """The version that a target is pinned to."""
    return await _pin(call, _target_scope(call))


@routes.add("PUT", f"{_TARGET}/pin", answers={202: answers.Accepted}, body=bodies.PinBody)
async def pin_target(call: Call) -> Reply:
    """Let no other version go to a target until the pin is released."""
    return await _pinned(call, _target_scope(call))


@routes.add("DELETE", f"{_TARGET}/pin", answers={202: answers.Accepted})
async def release_target_pin(call: Call) -> Reply:
    """End the pin of a target."""
    return await _released(call, _target_scope(call))


@routes.add("POST", f"{_TARGET}/redeploy", answers={202: answers.TargetsTouched}, body=bodies.RedeployBody)
async def redeploy_target(call: Call) -> Reply:
    """Dispatch the desired release of a target once more."""
    return await _redeployed(call, _target_scope(call))


@routes.add("POST", f"{_TARGET}/rollback", answers={202: answers.TargetsTouched}, body=bodies.RollbackBody)
async def roll_target_back(call: Call) -> Reply:
    """Send a target back to its last good release, or to that of a named version."""
    return await _rolled_back(call, _target_scope(call))


@routes.add("GET", f"{_PAIR}/pin", answers={200: answers.Pin})
async def get_environment_pin(call: Call) -> Reply:
    """The version that a deployment is pinned to in an environment."""
    return await _pin(call, _pair_scope(call))


@routes.add("PUT", f"{_PAIR}/pin", answers={202: answers.Accepted}, body=bodies.PinBody)
async def pin_environment(call: Call) -> Reply:
    """Let no other version of a deployment go to an environment until the pin is released."""
    return await _pinned(call, _pair_scope(call))


@routes.add("DELETE", f"{_PAIR}/pin", answers={202: answers.Accepted})
async def release_environment_pin(call: Call) -> Reply:
    """End the pin of a deployment in an environment."""
    return await _released(call, _pair_scope(call))


@routes.add("POST", f"{_PAIR}/redeploy", answers={202: answers.TargetsTouched}, body=bodies.RedeployBody)
async def redeploy_environment(call: Call) -> Reply:
    """Dispatch the desired releases of a deployment in an environment once more."""
    return await _redeployed(call, _pair_scope(call))


@routes.add("POST", f"{_PAIR}/rollback", answers={202: answers.TargetsTouched}, body=bodies.RollbackBody)
async def roll_environment_back(call: Call) -> Reply:
    """Send all targets of a deployment in an environment back, each to its last good release or to that of a named version."""
    return await _rolled_back(call, _pair_scope(call))
