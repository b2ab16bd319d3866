"""Sizes that the log keeps to."""

from __future__ import annotations

GROUP_FACTS = 1_000
"""Facts of one call of `es.append`; a longer request is copied in, in a transaction of its own."""

GROUP_BYTES = 1_000_000
"""Payload bytes of one call."""

GROUP_REQUESTS = 256
"""Requests that share one commit."""

LONG_AT_ONCE = 2
"""Appends that take more than one call and are under way at the same time, at most: each holds a connection for seconds."""

PIECE_FACTS = 500
"""Facts of a long append that are encoded, or sent, at a stretch: who shares the process waits for no more than these."""

KEPT_SNAPSHOTS = 3
"""Newest snapshots kept of a consumer in a workspace."""

OLDER_SNAPSHOTS = 5
"""Snapshots kept beside the newest, for those who look back."""

CHUNK_BYTES = 8_000_000
"""Bytes of a snapshot in one row."""

STAGED_KEPT_H = 24
"""Hours after which a staged payload is dropped that a crash left behind; others go with the answer of their command."""
