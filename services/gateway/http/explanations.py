"""Where a version stands and why, and when it will be where it goes."""

from __future__ import annotations

from contracts.commands.policy.explanations import ExplainRollout, ExplainVersion, RolloutExplanation, VersionExplanation
from contracts.commands.policy.forecasts import Forecast, ForecastRollout
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.operation import Routes
from services.gateway.http.telling import told

routes = Routes("versions")

_VERSION = "/deployment-versions/{deploymentVersionId}"
_ROLLOUT = f"{_VERSION}/environments/{{environmentId}}"


@routes.add("GET", f"{_VERSION}/explanation", answers={200: answers.VersionExplanation})
async def explain_version(call: Call) -> Reply:
    """Where a version stands in every environment beside its deployment."""
    query = ExplainVersion(version_id=call.id("deploymentVersionId", "Version"))
    return Reply(200, told(VersionExplanation.model_validate(await call.look(query))))


@routes.add("GET", f"{_ROLLOUT}/explanation", answers={200: answers.RolloutExplanation}, query=bodies.Paging)
async def explain_rollout(call: Call) -> Reply:
    """Where a version stands in an environment; limit and offset are of its targets."""
    paging: bodies.Paging = call.query
    query = ExplainRollout(
        version_id=call.id("deploymentVersionId", "Version"),
        environment_id=call.id("environmentId", "Environment"),
        limit=paging.limit,
        offset=paging.offset,
    )
    return Reply(200, told(RolloutExplanation.model_validate(await call.look(query))))


@routes.add("GET", f"{_ROLLOUT}/forecast", answers={200: answers.Forecast})
async def forecast_rollout(call: Call) -> Reply:
    """When each target of a version in an environment will be cleared if nothing else changes."""
    query = ForecastRollout(
        version_id=call.id("deploymentVersionId", "Version"), environment_id=call.id("environmentId", "Environment")
    )
    return Reply(200, told(Forecast.model_validate(await call.look(query))))
