"""`argo-cd`: puts the Application that a template renders to. Argo CD then does what the Application says, so the job has succeeded once it
is there; whether what it deploys becomes healthy is measured.

https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#applications
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import quote

from contracts.agents import ArgoCdConfig
from contracts.shapes import Json, MetricProvider, MetricSpec
from libs.outbound.asking import Outbound
from libs.runtime.clock import now
from libs.secrets.problem import SecretProblem
from libs.secrets.references import references
from services.dispatcher.adapters.argo_api import ArgoServer, part
from services.dispatcher.adapters.argo_cd_applications import Applications, application_of, path_of
from services.dispatcher.adapters.argo_cd_plan import dry_run
from services.dispatcher.adapters.argo_names import ManifestUnusable
from services.dispatcher.adapters.job_links import with_links
from services.dispatcher.adapters.outcome import Held, Rejected
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, Delayed, PlanAnswer, PlanRequest

HEALTH: Final = "argocd-application-health"
_HEALTHY: Final = (
    'result.statusCode == 200 && result.json.status.sync.status == "Synced" && result.json.status.health.status == "Healthy"'
)
_SICK: Final = (
    'result.statusCode != 200 || result.json.status.health.status == "Degraded" || result.json.status.health.status == "Missing"'
)


class ArgoCd:
    """Puts Applications. An Application is put by its name, so doing it again does no harm and nothing has to be looked for before.

    Args:
        outbound: makes the calls.
        clock: tells the time, in UTC.
    """

    def __init__(self, outbound: Outbound, *, clock: Callable[[], datetime] = now) -> None:
        self._outbound = outbound
        self._clock = clock

    async def dispatch(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Put the Application."""
        config = ArgoCdConfig.model_validate(request.config)
        applications = self._applications(config)
        try:
            application = await _rendered(config, request)
            saved = await applications.put(application)
        except ManifestUnusable as why:
            return AgentAnswer(status="failure", message=str(why))
        except Rejected as no:
            return AgentAnswer(status="failure", message=f"{no.message}{_hint(no.status)}")
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        name, wanted = application["metadata"]["name"], application["metadata"].get("namespace")
        namespace = part(saved, "metadata", "namespace") or wanted or ""
        place = "/".join(quote(str(one), safe="") for one in (namespace, name) if one)
        metrics, unmeasured = self._metrics(request, name, wanted or "")
        links = with_links(request.metadata, **{"ArgoCD Application": f"{applications.server.shown}/applications/{place}"})
        said = f"Argo CD at {applications.server.shown} has Application {place}.{unmeasured}"
        return AgentAnswer(status="successful", message=said, metadata=links, metrics=metrics)

    async def observe(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Put it once more: nothing runs that could be asked how it stands."""
        return await self.dispatch(request)

    async def cancel(self, request: AgentRequest) -> CancelAnswer:
        """Nothing runs on our behalf."""
        said = (
            "There is nothing to stop: Argo CD does by itself what the Application says, until another one is put in its place."
        )
        return CancelAnswer(stopped=True, message=said)

    async def plan(self, request: PlanRequest) -> PlanAnswer | Delayed:
        """Say what putting the Application would change."""
        config = ArgoCdConfig.model_validate(request.config)
        try:
            application = await _rendered(config, request)
        except ManifestUnusable as why:
            return PlanAnswer(status="errored", message=str(why))
        return await dry_run(self._applications(config), application, request.result_id, self._clock())

    def _applications(self, config: ArgoCdConfig) -> Applications:
        authorization = f"Bearer {config.api_key}"
        return Applications(ArgoServer(self._outbound, config.server_url, authorization, config.insecure, self._clock))

    def _metrics(self, request: AgentRequest, name: str, namespace: str) -> tuple[tuple[MetricSpec, ...], str]:
        """What is to be measured of an application, and what to say where that is nothing.

        What is measured is recorded: it names the token by its reference, as the configuration does that is recorded as well.
        """
        config = ArgoCdConfig.model_validate(request.context.get("jobAgentConfig", {}))
        try:
            referred = references(config.api_key)
        except SecretProblem:
            referred = ()
        if not referred:
            return (), " Its health is not measured, because apiKey is not recorded as a reference to a secret."
        asked: Json = {
            "type": "http",
            "url": f"{config.server_url}{path_of(name, namespace)}",
            "headers": {"Authorization": f"Bearer {config.api_key}"},
            "timeout": "5s",
        }
        if config.insecure:
            asked["insecure"] = True
        metric = MetricSpec(
            name=HEALTH,
            interval_seconds=60,
            count=15,
            provider=MetricProvider.model_validate(asked),
            success_condition=_HEALTHY,
            success_threshold=2,
            failure_condition=_SICK,
            failure_threshold=10,
        )
        return (metric,), ""


async def _rendered(config: ArgoCdConfig, request: AgentRequest | PlanRequest) -> Json:
    # A template may take a second of computing: nobody else is to wait for it.
    return await asyncio.to_thread(application_of, config.template, request.context)


def _hint(status: int) -> str:
    match status:
        case 301 | 302 | 303 | 307 | 308:
            return " Check serverUrl: it leads somewhere else, perhaps from http to https."
        case 401:
            return " Check apiKey: it must be a token of an Argo CD account that may use the API."
        case 403:
            return " The account of apiKey must be allowed to create and update applications in that project."
        case 404:
            return " Check serverUrl: it must be the address under which Argo CD's own pages are found."
        case _:
            return ""
