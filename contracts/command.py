"""What every command and query is: a wish that may be refused, with the envelope it travels in."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Wish(BaseModel):
    """A command or a query, in the imperative.

    A subclass sets `SERVICE` (who answers), `NAME` and `KIND`; it travels on `cmd.v1.<service>.<name>` or `query.v1.<service>.<name>`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    SERVICE: ClassVar[str]
    NAME: ClassVar[str]
    KIND: ClassVar[Literal["cmd", "query"]] = "cmd"

    @classmethod
    def subject(cls) -> str:
        """The NATS subject on which it is asked."""
        return f"{cls.KIND}.v1.{cls.SERVICE}.{cls.NAME}"


class Query(Wish):
    """A wish that changes nothing."""

    KIND: ClassVar[Literal["cmd", "query"]] = "query"


W = TypeVar("W", bound=type[Wish])
WISHES: dict[str, type[Wish]] = {}
"""Every command and query, by subject."""


def wish(cls: W) -> W:
    """Register a command or query class under its subject."""
    assert cls.subject() not in WISHES, f"two wishes are named {cls.subject()}"
    WISHES[cls.subject()] = cls
    return cls


class AsOf(BaseModel):
    """A moment of the past, as which a query is answered.

    Attributes:
        position: the owner answers as when its log had come to here, 0 for before the first fact.
        time: what the clock said then.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    position: int = Field(ge=0)
    time: AwareDatetime


class Request(BaseModel):
    """A wish on its way.

    Attributes:
        id: uuid; a command asked again with the same id gets the first answer. Ids of new things derive from it.
        workspace_id: the tenant.
        min_position: the owner folds its log up to here before it decides.
        auth_id: who asks.
        traceparent: W3C trace context of the asker, or empty.
        payload: the wish as JSON; empty when the payload was large and is staged under `staged_id`.
        staged_id: id of a staged payload (over 256 KB), or None.
        as_of: of a query that is about the past: when that is; None for now.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str
    workspace_id: str
    min_position: int = 0
    auth_id: str
    traceparent: str = ""
    payload: dict[str, Any] = Field(default_factory=dict)
    staged_id: str | None = None
    as_of: AsOf | None = None


RefusalKind = Literal["invalid", "not_found", "conflict", "forbidden"]


class Refusal(BaseModel):
    """A sender's mistake, told so that it can be mended.

    Attributes:
        kind: invalid (400), not_found (404), conflict (409), forbidden (403).
        code: stable, for programs: `DUPLICATE_NAME`, `INVALID_CEL` …; may be empty.
        message: for people: what was wrong and what to do.
        details: where: a list of `{path, message, errorCode, line?, column?}`, or what the code promises.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    kind: RefusalKind
    code: str = ""
    message: str
    details: Any = None


NOT_OWNER = "not the owner of this workspace"
"""`Answer.unavailable` of a replica whose partition it is not: another one is to be asked at once."""


class Answer(BaseModel):
    """What came of a wish.

    Attributes:
        position: the workspace's position that the answer reflects; a read that waits for it sees the effect.
        result: the answer of a command or query (JSON).
        refusal: set instead when the wish was refused.
        unavailable: set instead when the owner could not answer now; the same request may be sent again.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    position: int = 0
    result: Any = None
    refusal: Refusal | None = None
    unavailable: str | None = None


class Asked(BaseModel):
    """What a command handler is told beside the wish itself: who asked, when, under which id."""

    model_config = ConfigDict(frozen=True)
    id: str
    workspace_id: str
    auth_id: str
    now: datetime


class Refused(Exception):
    """Raised by a command handler, before it returns any fact."""

    def __init__(self, kind: RefusalKind, message: str, *, code: str = "", details: Any = None) -> None:
        super().__init__(message)
        self.refusal = Refusal(kind=kind, code=code, message=message, details=details)
