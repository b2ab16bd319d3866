"""One request on its way through: who asks, what was sent, and how a handler asks services and reads rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.command import Answer, AsOf, Refused, Wish
from contracts.envelope import NIL_WORKSPACE
from contracts.shapes import Json
from libs.bus.port import Unavailable, Written
from libs.eventlog.port import MAX_FACT_BYTES, Append, CommandAnswer, Repeated
from services.gateway.access import Identity, may_see, may_write
from services.gateway.http.browser import who_asks
from services.gateway.http.deps import Deps
from services.gateway.http.problem import NotFound, Problem, unavailable
from services.gateway.http.validation import canonical_uuid
from services.gateway.json_text import dump
from services.gateway.masking import masked
from services.gateway.rows import Table
from services.gateway.store import ReadStore
from services.gateway.views import Views, shown

_TOO_LARGE = (
    f"What this would record is too large: at most {MAX_FACT_BYTES} bytes of JSON at once. Shorten its texts, or ask for less."
)
"""For what a service did not foresee to be too large; the log would speak of facts and streams."""
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a status, and JSON or nothing."""

    status: int
    body: Any = None

    def response(self) -> Response:
        """As HTTP."""
        if self.body is None:
            return Response(status_code=self.status)
        return Response(masked(dump(self.body)), status_code=self.status, media_type="application/json")


def accepted(entity_id: str, message: str) -> Reply:
    """The answer to a write of which clients want no more than the id."""
    return Reply(202, {"id": entity_id, "message": message})


@dataclass(slots=True)
class Call:
    """A request whose form, credential and workspace were checked.

    Attributes:
        workspace_id: the tenant; the system log for endpoints above workspaces.
        path: decoded path parameters.
        query, body: as the models of the operation say.
        command_id: of the command that the request becomes; the same when it is repeated.
        fingerprint: of the body, when a key names the request and so says that a repeat has the same; else empty.
        as_of: the moment of the past that a read is as of; None for now.
        store: the rows, as of then or of now.
    """

    deps: Deps
    request: Request
    who: Identity
    workspace_id: str
    path: Mapping[str, str]
    query: Any
    body: Any
    command_id: str
    fingerprint: str = ""
    as_of: AsOf | None = None
    store: ReadStore = field(init=False)
    views: Views = field(init=False)

    def __post_init__(self) -> None:
        past = self.as_of
        self.store = self.deps.store if past is None else self.deps.past.store(self.workspace_id, past)
        self.views = Views(self.store, self.workspace_id)

    def may_go_on(self) -> bool:
        """Whether what the request was admitted with still holds: a revoked key and a session that is over end what they began."""
        found = who_asks(self.request, self.deps)
        return found is not None and may_see(self.deps.system.state, found[0], self.workspace_id)

    def now(self) -> datetime:
        """The time as which is read: what depends on the clock is told as it stood then."""
        return self.deps.clock() if self.as_of is None else self.as_of.time

    # --- what was sent ---------------------------------------------------------------------------------------------------------

    def id(self, name: str, what: str) -> str:
        """A path parameter that is a uuid, in lower case. Raises: NotFound: it is none, so nothing has this id."""
        found = canonical_uuid(self.path[name])
        if found is None:
            raise NotFound(what)
        return found

    async def own_id(self, name: str, table: Table, what: str) -> str:
        """A path parameter under which something is created or replaced. Raises: NotFound: it is no uuid; Problem, as `check_free`."""
        found = self.id(name, what)
        await self.check_free(table, found, what)
        return found

    async def check_free(self, table: Table, row_id: str, what: str) -> None:
        """Raises: Problem (409): this is the id of something in another workspace."""
        holders = set(await self.deps.store.holders(table, row_id))
        if self.workspace_id not in holders and not holders.isdisjoint(self.deps.system.state.workspaces):
            raise Problem(
                409, f"The id {row_id} is taken, but not in this workspace: choose another for this {what.lower()}.", "ID_TAKEN"
            )

    @property
    def traceparent(self) -> str:
        """The W3C trace context of the caller, or empty."""
        told = self.request.headers.get("traceparent", "")
        return told if _TRACEPARENT.fullmatch(told) else ""

    # --- asking services -------------------------------------------------------------------------------------------------------

    async def ask(self, wish: Wish | Written, workspace_id: str | None = None) -> Json:
        """Have a command decided and wait until reads show it.

        Args:
            workspace_id: whose log decides, when it is not the call's own.

        Returns: what the owner answered.
        Raises: Refused; Problem (503): nobody answered, or the rows did not follow in time, and the request may be sent again;
            Problem (422): its key named another request, whose answer this would be.
        """
        where = workspace_id or self.workspace_id
        answer = await self._answer(wish, where)
        await self._check_repeat(where)
        if where == NIL_WORKSPACE:
            reached = await self.deps.system.reached(answer.position, self.deps.read_wait_s)
        else:
            reached = await self.deps.progress.reached(where, answer.position, self.deps.read_wait_s)
        if not reached:
            raise unavailable("the change was recorded, but can not be read yet; send the same request again")
        result: Json = answer.result
        return result

    async def _check_repeat(self, workspace_id: str) -> None:
        """Keep what the request's key stands for, beside the answers of commands.

        Once the command is answered: a request that was refused named nothing, and may be mended under the same key.

        Raises: Problem (422): the key was used with another body.
        """
        if not self.fingerprint:
            return
        kept = CommandAnswer(str(uuid5(UUID(self.command_id), "request")), "request", orjson.dumps(self.fingerprint))
        try:
            await self.deps.log.append(Append(workspace_id, command=kept))
        except Repeated as repeated:
            if orjson.loads(repeated.answer) != self.fingerprint:
                raise Problem(
                    422,
                    "The Idempotency-Key was used for a request with another body. Nothing was changed: send this one with a new key.",
                    "IDEMPOTENCY_KEY_REUSED",
                ) from repeated

    async def look(self, query: Wish, *, with_rows: bool = False) -> Any:
        """Have a query answered on everything that is recorded now, or was then.

        Args:
            with_rows: the answer names things whose rows are read next, so that these must have come as far.

        Raises: Refused; Problem (503).
        """
        answer = await self._answer(query, self.workspace_id)
        behind = with_rows and self.as_of is None
        if behind and not await self.deps.progress.reached(self.workspace_id, answer.position, self.deps.read_wait_s):
            raise unavailable("what was found can not be read yet; send the same request again")
        return answer.result

    async def _answer(self, wish: Wish | Written, workspace_id: str) -> Answer:
        owner = wish.kind.SERVICE if isinstance(wish, Written) else wish.SERVICE
        if isinstance(wish, Wish):
            wish = await self.deps.configs.prepared(wish, workspace_id)
        try:
            answer = await self.deps.requests.ask(
                wish,
                id=self.command_id,
                workspace_id=workspace_id,
                auth_id=self.who.auth_id,
                min_position=await self.deps.log.head(workspace_id),
                traceparent=self.traceparent,
                as_of=self.as_of,
            )
        except Unavailable as error:
            raise unavailable(f"the {owner} service does not answer now; send the same request again") from error
        if answer.refusal is not None:
            refusal = answer.refusal
            message = _TOO_LARGE if refusal.code == "NOT_STORABLE" else refusal.message
            raise Refused(refusal.kind, message, code=refusal.code, details=refusal.details)
        if answer.unavailable is not None:
            raise unavailable(f"the {owner} service can not answer now ({answer.unavailable}); send the same request again")
        return answer

    # --- reading rows ----------------------------------------------------------------------------------------------------------

    async def row(self, table: Table, row_id: str, what: str) -> Json:
        """A row as the API shows it. Raises: NotFound."""
        found = await self.store.get(self.workspace_id, table, row_id)
        if found is None:
            raise NotFound(what)
        return shown(found)

    async def as_sent(self, documents: Sequence[Json], field: str) -> list[Json]:
        """Documents with the secrets of a configuration in clear, for whoever may write them; for everybody else as they are."""
        if not may_write(self.deps.system.state, self.who, self.workspace_id):
            return list(documents)
        configs = await self.deps.vault.unsealed(self.workspace_id, [one[field] for one in documents])
        return [{**one, field: config} for one, config in zip(documents, configs, strict=True)]

    async def row_named(self, table: Table, name: str, what: str, field: str = "name") -> Json:
        """A row by its name. Raises: NotFound."""
        page = await self.store.find(self.workspace_id, table, where={field: name}, limit=1)
        if not page.items:
            raise NotFound(what)
        return shown(page.items[0])

    async def last_known(self, table: Table, row_id: str) -> Json | None:
        """The newest document of a thing, whether it still exists or not."""
        of = f"{table}/{row_id}"
        found = await self.store.newest(self.workspace_id, "history", "$of", [of], by="$of")
        return shown(found[of]) if of in found else None


def is_named(key: str | None) -> bool:
    """Whether an idempotency key names the request."""
    return key is not None and bool(key.strip())


def command_id_of(key: str | None, made: str, who: Identity, method: str, path: str) -> str:
    """The id of the command that a request becomes.

    An idempotency key names one request of one user: the same key under another user or on another path is another command.
    """
    if key is None or not key.strip():
        return made
    return str(uuid5(UUID(who.user_id), f"{method} {path} {canonical_uuid(key.strip()) or key.strip()}"))
