"""What others tell of runs: GitHub, Terraform, Argo Workflows, and whoever a `webhook` agent called. No credential: they sign what they send.

Nothing is believed before the signature over the raw bytes holds. Whether the news is late, repeated or about a job that ended is
dispatcher's to say; here it is only found out whose job it is.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from contracts.command import Refused
from contracts.commands.dispatcher import TellRun
from contracts.shapes import Json
from libs.bus.port import Unavailable
from libs.secrets.problem import SecretProblem
from libs.webhooks import argo_workflow, generic, github, tfe
from libs.webhooks.signatures import argo_is_genuine, github_is_genuine, is_ours, tfe_is_genuine
from libs.webhooks.told import Ignored, NoWebhook, Told, as_object, parsed
from services.gateway.http.call import Reply
from services.gateway.http.deps import Deps
from services.gateway.http.operation import answer_of, new_id, patient
from services.gateway.http.problem import NotFound, Problem, of_refusal, unavailable
from services.gateway.http.validation import canonical_uuid
from services.gateway.http.whose import Held, Whose, storable

TAG = "webhooks"
GITHUB, TFE, ARGO, OURS = "github-app", "tfe", "argo-workflow", "webhook"
"""Types of the agents whose runs are told of."""

log_ = logging.getLogger("signalbox.http")

News = Told | Ignored


def serve(app: FastAPI, deps: Deps) -> None:
    """Put the endpoints under `/api`."""
    webhooks = _Webhooks(deps)
    endpoints: dict[str, Callable[[Request], Awaitable[Reply]]] = {
        "/github/webhook": webhooks.github,
        "/tfe/webhook": webhooks.tfe,
        "/argo/{jobAgentId}/webhook": webhooks.argo,
        "/webhook/{jobAgentId}": webhooks.of_agent,
    }
    for path, handler in endpoints.items():
        app.add_api_route(
            "/api" + path,
            _endpoint(handler, deps),
            methods=["POST"],
            response_model=None,
            operation_id=f"webhook_{handler.__name__}",
            tags=[TAG],
        )


def _endpoint(handler: Callable[[Request], Awaitable[Reply]], deps: Deps) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return (await patient(partial(handler, request), deps.patience_s)).response()
        except Problem as problem:
            return answer_of(problem)
        except Refused as refused:
            return answer_of(of_refusal(refused.refusal))
        except NoWebhook as problem:
            return answer_of(Problem(400, f"The webhook can not be read. {problem}", "INVALID_WEBHOOK"))
        except Exception:
            log_.exception("a webhook failed", extra={"path": request.scope["path"]})
            return answer_of(Problem(500, "Internal server error", "INTERNAL_ERROR"))

    endpoint.__doc__ = handler.__doc__
    return endpoint


class _Webhooks:
    """The endpoints' handlers, each called again as a whole while something behind them is away."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._whose = Whose(deps)

    async def github(self, request: Request) -> Reply:
        """Take an event of GitHub; only those of workflow runs say anything."""
        body: bytes = request.state.raw
        secret = self._deps.webhook_secrets.github
        if not secret:
            raise _not_set_up("GitHub", "SIGNALBOX_GITHUB_WEBHOOK_SECRET")
        if not github_is_genuine(body, request.headers.get("x-hub-signature-256"), secret):
            raise _forged("X-Hub-Signature-256 is not the HMAC-SHA256 of this body under the webhook's secret")
        news = github.read(request.headers.get("x-github-event"), body)
        if isinstance(news, Ignored):
            return _taken(news.reason)
        payload = parsed(body)
        held = [one for one in await self._whose.jobs(news, patiently=True) if _is_run_in(payload, one.config)]
        return await self._tell(GITHUB, news, held)

    async def tfe(self, request: Request) -> Reply:
        """Take a notification of Terraform: signed with the secret of the job's agent, or with that of the installation."""
        body: bytes = request.state.raw
        signature = request.headers.get("x-tfe-notification-signature")
        news = _read_or_not(tfe.read, body)
        held = await self._of_terraform(body, news)
        if not held:
            if not tfe_is_genuine(body, signature, self._deps.webhook_secrets.tfe):
                raise _forged(
                    "X-TFE-Notification-Signature is not the HMAC-SHA512 of this body under the notification's token; an operator "
                    "sets it as SIGNALBOX_TFE_WEBHOOK_SECRET, or the agent brings a webhookSecret and is told at "
                    "/api/webhook/<its id>"
                )
            news = tfe.read(body)
            if isinstance(news, Ignored):
                return _taken(news.reason)
            # Its job may have been made a moment ago.
            held = await self._of_terraform(body, news, patiently=True)
        genuine = [one for one in held if tfe_is_genuine(body, signature, await self._tfe_secret(one))]
        if held and not genuine:
            raise _forged("X-TFE-Notification-Signature is not the HMAC-SHA512 of this body under the notification's token")
        assert isinstance(news, Told)
        return await self._tell(TFE, news, genuine)

    async def _of_terraform(self, body: bytes, news: News | None, *, patiently: bool = False) -> list[Held]:
        """The jobs that a notification is about, if it is genuine."""
        if not isinstance(news, Told):
            return []
        payload = parsed(body)
        return [one for one in await self._whose.jobs(news, patiently=patiently) if _is_run_of(payload, one.config)]

    async def argo(self, request: Request) -> Reply:
        """Take what a workflow's exit handler or sensor posts for an agent."""
        return await self._argo(request, await self._agent(request, ARGO))

    async def of_agent(self, request: Request) -> Reply:
        """Take what is told for an agent, in the way of its type."""
        agent = await self._agent(request, ARGO, TFE, OURS)
        if agent.type == ARGO:
            return await self._argo(request, agent)
        body: bytes = request.state.raw
        read: Callable[[bytes], News] = tfe.read if agent.type == TFE else generic.read
        held = await self._held_by(agent, _read_or_not(read, body))
        if agent.type == TFE:
            secret = await self._tfe_secret(held)
            genuine = tfe_is_genuine(body, request.headers.get("x-tfe-notification-signature"), secret)
        else:
            secret = await self._secret(held, "secret")
            genuine = is_ours(body, request.headers.get("x-signalbox-signature"), secret, self._deps.clock())
        _check_there(secret, agent)
        if not genuine:
            raise _forged("the signature does not belong to this body and the agent's secret, or was made too long ago")
        return await self._tell_agent(agent, read(body))

    async def _argo(self, request: Request, agent: Held) -> Reply:
        body: bytes = request.state.raw
        held = await self._held_by(agent, _read_or_not(argo_workflow.read, body))
        secret = await self._secret(held, "webhookSecret")
        _check_there(secret, agent)
        if not argo_is_genuine(request.headers.get("authorization"), secret):
            raise _forged("Authorization must be the agent's webhookSecret, as it is")
        return await self._tell_agent(agent, argo_workflow.read(body))

    # --- whose it is -----------------------------------------------------------------------------------------------------------

    async def _agent(self, request: Request, *types: str) -> Held:
        agent_id = canonical_uuid(request.path_params["jobAgentId"])
        found = await self._whose.agent(agent_id) if agent_id is not None else None
        if found is None:
            raise NotFound("Job agent")
        if found.type not in types:
            raise Problem(404, f"Job agent {agent_id} is of type {found.type}, which is told of nothing here", "NOT_FOUND")
        return found

    async def _held_by(self, agent: Held, news: News | None) -> Held:
        """The job of an agent that is told of, else the agent: a deployment may bring another secret than its agent has."""
        if not isinstance(news, Told):
            return agent
        jobs = [one for one in await self._whose.jobs(news) if one.agent_id == agent.agent_id]
        return jobs[0] if jobs else agent

    # --- secrets ---------------------------------------------------------------------------------------------------------------

    async def _secret(self, held: Held, field: str) -> str:
        """A secret of a configuration in clear; empty when there is none, or it can not be opened."""
        try:
            opened = await self._deps.vault.opened(held.workspace_id, held.config.get(field, ""))
        except SecretProblem as problem:
            log_.warning("the secret of a webhook can not be opened", extra={"agent": held.agent_id, "reason": problem.message})
            return ""
        return opened.config if isinstance(opened.config, str) else ""

    async def _tfe_secret(self, held: Held) -> str:
        return await self._secret(held, "webhookSecret") if held.config.get("webhookSecret") else self._deps.webhook_secrets.tfe

    # --- telling ---------------------------------------------------------------------------------------------------------------

    async def _tell_agent(self, agent: Held, news: News) -> Reply:
        if isinstance(news, Ignored):
            return _taken(news.reason)
        return await self._tell(agent.type, news, [agent], agent_id=agent.agent_id)

    async def _tell(self, agent_type: str, news: Told, held: Sequence[Held], agent_id: str | None = None) -> Reply:
        ignored = "no job here has this id"
        for one in held:
            wish = TellRun(
                type=agent_type,
                agent_id=agent_id,
                job_id=one.job_id or news.job_id,
                external_id=storable(news.external_id),
                status=news.status,
                message=storable(news.message),
                metadata={name: storable(text) or "" for name, text in news.metadata.items()},
                started_at=news.started_at,
                completed_at=news.completed_at,
                told_at=news.told_at,
            )
            ignored = await self._told(wish, one)
        return _taken(ignored)

    async def _told(self, wish: TellRun, held: Held) -> str:
        """Have it decided; why nothing came of it, or nothing."""
        deps, where = self._deps, held.workspace_id
        # Each delivery is a command of its own: one that was too early must not decide what becomes of the next.
        try:
            answer = await deps.requests.ask(
                wish,
                id=new_id(),
                workspace_id=where,
                auth_id=f"agent:{held.agent_id}",
                min_position=await deps.log.head(where),
            )
        except Unavailable as error:
            raise unavailable("the dispatcher service does not answer now; deliver the webhook again") from error
        if answer.refusal is not None:
            raise of_refusal(answer.refusal)
        if answer.unavailable is not None:
            raise unavailable(f"the dispatcher service can not answer now ({answer.unavailable}); deliver the webhook again")
        return str(answer.result.get("ignored", ""))


def _read_or_not(read: Callable[[bytes], News], body: bytes) -> News | None:
    """What a body says that may be forged: only good for finding out with which secret it should have been signed."""
    try:
        return read(body)
    except NoWebhook:
        return None


def _is_run_in(payload: Json, config: Json) -> bool:
    """Whether a run of GitHub is in the repository that the job was sent to.

    Everybody who has the GitHub App can have GitHub sign what they name after a job.
    """
    repository = str(as_object(payload.get("repository")).get("full_name") or "").lower()
    owner, _, name = repository.partition("/")
    installation = as_object(payload.get("installation")).get("id")
    wanted = ((config.get("owner"), owner), (config.get("repo"), name), (config.get("installationId"), installation))
    return all(not told or not want or str(want).lower() == str(told).lower() for want, told in wanted)


def _is_run_of(payload: Json, config: Json) -> bool:
    """Whether a run of Terraform is in the organization that the job was sent to.

    Workspaces of several organizations may sign with the secret of the installation, and who starts a run there writes its message.
    """
    wanted, told = config.get("organization"), payload.get("organization_name")
    return not wanted or not told or str(wanted).lower() == str(told).lower()


def _check_there(secret: str, agent: Held) -> None:
    if not secret:
        name = "secret" if agent.type == OURS else "webhookSecret"
        raise Problem(
            503,
            f"Job agent {agent.agent_id} has no {name} that can be used, so that nothing can be believed",
            "WEBHOOK_NOT_SET_UP",
        )


def _not_set_up(who: str, setting: str) -> Problem:
    return Problem(503, f"Webhooks of {who} are not set up here: an operator sets {setting}", "WEBHOOK_NOT_SET_UP")


def _forged(why: str) -> Problem:
    return Problem(401, f"Not genuine: {why}", "INVALID_SIGNATURE")


def _taken(ignored: str) -> Reply:
    answer: dict[str, Any] = {"message": "OK"}
    return Reply(200, {**answer, "ignored": ignored} if ignored else answer)
