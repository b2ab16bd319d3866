"""Sizes that the log keeps to."""

from __future__ import annotations

GROUP_FACTS = 1_000
"""Facts of one call of `es.append`; a longer request is written by several calls in one transaction."""

GROUP_BYTES = 1_000_000
"""Payload bytes of one call."""

GROUP_REQUESTS = 256
"""Requests that share one commit."""

KEPT_SNAPSHOTS = 3
"""Newest snapshots kept of a consumer in a workspace."""

CHUNK_BYTES = 8_000_000
"""Bytes of a snapshot in one row."""

STAGED_KEPT_H = 24
"""Hours after which a staged payload is dropped that a crash left behind; others go with the answer of their command."""
