"""Facts to append, and what tests ask of every log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts.policy import ApprovalRecorded, PolicyDeleted
from libs.eventlog.port import CommandAnswer, EventLog, NewFact

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def deleted(policy: int = 1) -> PolicyDeleted:
    """A small fact; its stream is `policy/<uuid of the number>`."""
    return PolicyDeleted(policy_id=str(UUID(int=policy)))


def approval(reason: str = "looks good") -> ApprovalRecorded:
    """A fact of another type, with text and a time in it."""
    return ApprovalRecorded(
        version_id=str(UUID(int=1)),
        environment_id=str(UUID(int=2)),
        user_id=str(UUID(int=3)),
        status="approved",
        reason=reason,
        decided_at=AT,
    )


def new(
    fact: Fact | None = None, *, tags: Sequence[str] = (), id: str | None = None, causation_id: str = str(UUID(int=8))
) -> NewFact:
    """A fact with a full envelope and an id of its own."""
    return NewFact(
        id=id or str(uuid4()),
        fact=fact or deleted(),
        time=AT,
        correlation_id=str(UUID(int=7)),
        causation_id=causation_id,
        auth_id="user:ana",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        tags=tuple(tags),
    )


def command(number: int, answer: bytes = b'{"ok":true}') -> CommandAnswer:
    """The answer of the command with this number."""
    return CommandAnswer(id=str(UUID(int=number)), name="save_policy", answer=answer)


def workspace() -> str:
    """A tenant that nobody else uses."""
    return str(uuid4())


async def everything(log: EventLog, workspace_id: str) -> list[Recorded]:
    """The whole log of a workspace, read in small pages."""
    found: list[Recorded] = []
    while page := await log.read(workspace_id, len(found), 700):
        found.extend(page)
    return found
