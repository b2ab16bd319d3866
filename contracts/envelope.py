"""The envelope of a recorded fact: where it stands in the log, what led to it, who did it (CloudEvents 1.0 and our extensions)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from contracts.fact import Fact

NIL_WORKSPACE = "00000000-0000-0000-0000-000000000000"
"""The workspace id of the system log: workspaces, users, keys, roles."""

T = TypeVar("T", bound=Fact)


class Recorded:
    """One fact as the log holds it.

    Immutable by convention and shared by all services of a process, so that a fact is decoded once. `fact` is decoded on first use: a
    service that does not read a type never pays for it.

    Attributes:
        workspace_id: the tenant, a uuid; `NIL_WORKSPACE` for the system log.
        position: 1, 2, 3 … without gaps inside the workspace.
        id: uuid of the fact; the same decision made again gives the same id.
        type: wire name.
        stream: `<kind>/<id>` of the thing it is about.
        time: when it happened, as the decider was told.
        recorded_time: when it was appended, by the database's clock.
        correlation_id: what the fact is part of: the version's id from CI to the last target, else the command's id.
        causation_id: id of the fact or command that led to it.
        auth_id: who did it: `user:<id>`, `key:<id>`, `agent:<id>` or `service:<name>`.
        traceparent: W3C trace context.
        data: the payload as JSON.
    """

    __slots__ = (
        "_decode", "_fact", "auth_id", "causation_id", "correlation_id", "data", "id", "position", "recorded_time", "stream", "time",
        "traceparent", "type", "workspace_id",
    )  # fmt: skip

    def __init__(
        self,
        *,
        workspace_id: str,
        position: int,
        id: str,
        type: str,
        stream: str,
        time: datetime,
        recorded_time: datetime,
        correlation_id: str,
        causation_id: str,
        auth_id: str,
        traceparent: str,
        data: bytes,
        decode: Callable[[str, bytes], Fact],
        fact: Fact | None = None,
    ) -> None:
        self.workspace_id = workspace_id
        self.position = position
        self.id = id
        self.type = type
        self.stream = stream
        self.time = time
        self.recorded_time = recorded_time
        self.correlation_id = correlation_id
        self.causation_id = causation_id
        self.auth_id = auth_id
        self.traceparent = traceparent
        self.data = data
        self._decode = decode
        self._fact = fact

    @property
    def fact(self) -> Fact:
        """The payload, upcast to today's shape."""
        if self._fact is None:
            self._fact = self._decode(self.type, self.data)
        return self._fact

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recorded) and (self.workspace_id, self.position, self.id) == (
            other.workspace_id,
            other.position,
            other.id,
        )

    def __hash__(self) -> int:
        return hash((self.workspace_id, self.position))

    def __repr__(self) -> str:
        return f"<{self.type} @{self.position} {self.stream}>"

    def cloudevent(self) -> dict[str, Any]:
        """The envelope and the payload as a CloudEvents 1.0 JSON object; `data` is left as raw JSON bytes."""
        owner = self.type.split(".", 1)[0]
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": f"/workspaces/{self.workspace_id}/{owner}",
            "type": self.type,
            "subject": self.stream,
            "time": self.time,
            "datacontenttype": "application/json",
            "dataschema": f"/schemas/{self.type}.json",
            "position": self.position,
            "recordedtime": self.recorded_time,
            "correlationid": self.correlation_id,
            "causationid": self.causation_id,
            "authid": self.auth_id,
            "traceparent": self.traceparent,
            "data": self.data,
        }
