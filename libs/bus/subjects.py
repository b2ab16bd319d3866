"""Names on the wire that two sides must spell the same: subjects, headers, and the words that a requester acts on."""

from __future__ import annotations

from libs.runtime.leases import partition_of

WAKE = "wake.v1"
"""A process tells the relay that it committed: `<workspace> <head>`, plain text, lossy."""

FACTS = "evt.v1.*.*"
"""Every range of facts: `evt.v1.<partition, two digits>.<workspace>`."""

INGEST = "ingest.v1.*"
"""CloudEvents from outside: `ingest.v1.<workspace>`."""

DEAD = "dlq.v1.*"
"""Input that was refused, with its reason: `dlq.v1.<workspace>`."""

FROM, TO = "Position-From", "Position-To"
"""Headers of a range: its first and last position."""

STAGED = "Answer-Staged"
"""Header of an empty reply: the answer was too large for a message and is staged in the log under this id."""


def facts_subject(workspace_id: str) -> str:
    """The subject of a workspace's ranges; the partition comes first so that a replica can subscribe to what it owns."""
    return f"evt.v1.{partition_of(workspace_id):02d}.{workspace_id}"


def dead_subject(workspace_id: str) -> str:
    """The subject of a workspace's dead letters."""
    return f"dlq.v1.{workspace_id}"


def workspace_of(subject: str) -> str:
    """The workspace of a facts, ingest or dead letter subject: its last token."""
    return subject.rsplit(".", 1)[-1]
