"""Whether a webhook is genuine: compared over the raw bytes, in constant time."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(minutes=5)
"""How old, or how far ahead, the time in a signature of ours may be: an older one may be a replay."""


def github_is_genuine(body: bytes, header: str | None, secret: str) -> bool:
    """Whether `X-Hub-Signature-256` (`sha256=<hex>`) is the HMAC-SHA256 of the body."""
    return _equal(header, "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()) and bool(secret)


def tfe_is_genuine(body: bytes, header: str | None, secret: str) -> bool:
    """Whether `X-TFE-Notification-Signature` (hex) is the HMAC-SHA512 of the body."""
    return _equal(header, hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()) and bool(secret)


def argo_is_genuine(header: str | None, secret: str) -> bool:
    """Whether `Authorization` is the secret, verbatim."""
    return _equal(header, secret) and bool(secret)


def signed(body: bytes, secret: str, at: datetime) -> str:
    """The value of `X-Signalbox-Signature`: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`."""
    t = int(at.timestamp())
    return f"t={t},v1={_mark(t, body, secret)}"


def is_ours(body: bytes, header: str | None, secret: str, now: datetime) -> bool:
    """Whether `X-Signalbox-Signature` was made with the secret over this body, not long ago."""
    parts = dict(part.split("=", 1) for part in (header or "").split(",") if "=" in part)
    t = parts.get("t", "")
    if not (t.isascii() and t.isdigit() and len(t) <= 12) or not secret:
        return False
    genuine = _equal(parts.get("v1"), _mark(int(t), body, secret))
    return genuine and abs(now.timestamp() - int(t)) <= TOLERANCE.total_seconds()


def _mark(t: int, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()


def _equal(given: str | None, right: str) -> bool:
    return hmac.compare_digest((given or "").encode(), right.encode())
