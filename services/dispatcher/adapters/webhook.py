"""`webhook`: a signed request out, a signed call back.

What the receiver is told and has to keep to is in the README of this folder.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, cast, get_args

import orjson

from contracts.agents import WebhookConfig
from contracts.shapes import JobStatus, Json
from libs.outbound.answer import Answer
from libs.outbound.asking import Outbound
from libs.outbound.failures import NotJson
from libs.runtime.clock import now
from libs.secrets.config import masked
from libs.webhooks.signatures import signed
from libs.webhooks.told import as_object, moment
from services.dispatcher.adapters.job_links import with_links
from services.dispatcher.adapters.outcome import Held, Rejected, Unsure, asked
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, Delayed, PlanAnswer, PlanRequest
from services.dispatcher.adapters.rendering import Unrenderable, rendered

ASKED_AT: Final = "webhook/asked-at"
"""Metadata: when the job was sent first and nobody knows whether it arrived."""

UNSURE_FOR: Final = timedelta(minutes=10)
"""So long is a job sent again, under the same key, while no answer says that it arrived."""
SOONEST_S: Final = 5.0
LATEST_S: Final = 60.0

MAX_BODY: Final = 256 * 1024
"""Characters of a body that a template renders to."""
MAX_ANSWER_BYTES: Final = 32 * 1024
"""What a receiver says is kept with the job, so it has to be short."""
MAX_EXTERNAL_ID: Final = 500
MAX_LINKS: Final = 20

KNOWN: Final = 409
"""How a receiver says that it has the job already."""
GONE: Final = frozenset({404, 409, 410})
"""How it says of a job to be stopped that nothing runs (any more)."""
_MISPLACED: Final = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405, 407, 410})
"""Answers that say that the address or the headers are wrong, not the job."""


class Webhook:
    """Sends jobs to a receiver, which is to be idempotent by `Idempotency-Key`, and stops them there.

    Args:
        outbound: makes the calls.
        public_url: where the receiver calls back, without a slash at the end; empty: it is told the path only.
        clock: tells the time, in UTC.
    """

    def __init__(self, outbound: Outbound, *, public_url: str = "", clock: Callable[[], datetime] = now) -> None:
        self._outbound = outbound
        self._public_url = public_url
        self._clock = clock

    async def dispatch(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Send the job; the receiver calls back, unless its answer says how the job ended."""
        asked_at = self._clock()
        try:
            return _taken(request, await self._send(request))
        except Unrenderable as why:
            return AgentAnswer(status="failure", message=why.message)
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except Unsure as doubt:
            return AgentAnswer(
                status="pending",
                message=f"It is not known whether the receiver has the job; it is sent again under the same key: {doubt.message}",
                metadata={ASKED_AT: asked_at.isoformat()},
                look_again_s=SOONEST_S,
            )
        except Rejected as no:
            status: JobStatus = "invalidIntegration" if no.status in _MISPLACED else "failure"
            return AgentAnswer(status=status, message=f"{no.message}{_hint(no.status)}")

    async def observe(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Send a job again that may not have arrived, under the same key."""
        if request.status != "pending":
            # Who has called back has the job.
            return AgentAnswer(status=request.status)
        asked_at = moment(request.metadata.get(ASKED_AT))
        age = self._clock() - asked_at if asked_at is not None else UNSURE_FOR
        if age >= UNSURE_FOR:
            minutes = int(UNSURE_FOR.total_seconds() // 60)
            said = f"Within {minutes} min the receiver did not say that it has the job: look there before the job is run again."
            return AgentAnswer(status="externalRunNotFound", message=said)
        try:
            return _taken(request, await self._send(request))
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except Unsure:
            return AgentAnswer(status="pending", look_again_s=min(max(age.total_seconds() / 5, SOONEST_S), LATEST_S))
        except (Rejected, Unrenderable) as no:
            said = f"It is not known whether the receiver took the job when it was sent first, and it does not take it now: {no.message}"
            return AgentAnswer(status="externalRunNotFound", message=said)

    async def cancel(self, request: AgentRequest) -> CancelAnswer | Delayed:
        """Tell the receiver to stop the job; telling it twice does no harm."""
        config = WebhookConfig.model_validate(request.config)
        body = orjson.dumps(self._about("cancel", request))
        try:
            answer = await self._post(request, config.cancel_url or config.url, body, "cancel", also=GONE)
        except (Held, Unsure) as later:
            return Delayed(message=later.message, retry_after_s=later.retry_after_s if isinstance(later, Held) else None)
        except Rejected as no:
            return CancelAnswer(stopped=False, message=no.message)
        told = _told(answer)
        message = _text(told.get("message"))
        if answer.status in GONE:
            return CancelAnswer(stopped=True, message=message or f"The receiver has nothing to stop ({answer.status}).")
        return CancelAnswer(stopped=told.get("stopped") is not False, message=message or "The receiver was told to stop the job.")

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        """A receiver is only told to do things."""
        return PlanAnswer(status="unsupported", message="The receiver of a webhook can not say what it would change.")

    async def _send(self, request: AgentRequest) -> Answer:
        """The receiver's answer to the job. Raises: Held, Unsure, Rejected, Unrenderable."""
        config = WebhookConfig.model_validate(request.config)
        about = self._about("dispatch", request)
        # What is sealed is of no use to anybody but us.
        context = masked(request.context)
        if config.template is None:
            body = orjson.dumps({**about, "context": context})
        else:
            root = {**context, "callback": about["callback"]}
            body = rendered("template", config.template, root, longest=MAX_BODY).encode("utf-8", "replace")
        return await self._post(request, config.url, body, "dispatch", also=frozenset({KNOWN}))

    def _about(self, event: str, request: AgentRequest) -> Json:
        path = f"/api/webhook/{request.agent_id}"
        callback = {"path": path, "url": f"{self._public_url}{path}"} if self._public_url else {"path": path}
        about: Json = {
            "event": event,
            "jobId": request.job_id,
            "agentId": request.agent_id,
            "workspaceId": request.workspace_id,
            "callback": callback,
        }
        if request.external_id is not None:
            about["externalId"] = request.external_id
        return about

    async def _post(self, request: AgentRequest, url: str, body: bytes, event: str, *, also: frozenset[int]) -> Answer:
        config = WebhookConfig.model_validate(request.config)
        ours = {
            "X-Signalbox-Signature": signed(body, config.secret, self._clock()),
            "X-Signalbox-Event": event,
            # A key of its own, or a receiver would answer with what it said to the job itself.
            "Idempotency-Key": request.job_id if event == "dispatch" else f"{request.job_id}/{event}",
        }
        taken = {name.lower() for name in ours}
        headers = {name: value for name, value in config.headers.items() if name.lower() not in taken}
        if "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = "application/json" if _is_json(body) else "text/plain; charset=utf-8"
        return await asked(
            self._outbound,
            "POST",
            url,
            headers={**headers, **ours},
            content=body,
            starts=True,
            clock=self._clock,
            words=_words,
            max_bytes=MAX_ANSWER_BYTES,
            also=also,
        )


def _taken(request: AgentRequest, answer: Answer) -> AgentAnswer:
    """How the job stands once the receiver has it."""
    told = _told(answer)
    status = told.get("status")
    known = status in get_args(JobStatus)
    said = _text(told.get("message"))
    if said is None:
        said = "The receiver has the job already." if answer.status == KNOWN else f"The receiver took the job ({answer.status})."
    if status is not None and not known:
        said += f" It gave a status that is none of ours: {str(status)[:40]!r}."
    external_id = _text(told.get("externalId"))
    named = list(as_object(told.get("links")).items())[:MAX_LINKS]
    return AgentAnswer(
        status=cast(JobStatus, status) if known else "inProgress",
        message=said,
        external_id=external_id[:MAX_EXTERNAL_ID] if external_id else None,
        metadata=with_links(request.metadata, **{label: url for label, url in named if isinstance(url, str)}),
    )


def _told(answer: Answer) -> Json:
    """The object that an answer is; an empty one where it is none, since receivers need say nothing."""
    try:
        return as_object(answer.json())
    except NotJson:
        return {}


def _text(value: Any) -> str | None:
    return value.replace("\x00", "\ufffd") if isinstance(value, str) and value else None


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def _words(answer: Answer) -> str:
    if answer.headers.get("content-type", "").startswith("text/plain"):
        return answer.text()
    told = answer.json()
    said = [told[key] for key in ("message", "error", "detail", "title") if isinstance(told.get(key), str)]
    return str(said[0])


def _hint(status: int) -> str:
    if status in _MISPLACED:
        return " Check url and headers; redirects are not followed."
    return " Check url and headers." if status == 0 else " The receiver does not want the job: see what it says, or its log."
