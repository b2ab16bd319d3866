"""What a browser is given in the place of an API key: a token in a cookie, and one more that its pages send when they change something.

Pure: keys, time and random bytes come in. A token says whose key it stands for and until when, and is signed; nothing is stored. What the
log holds is not enough to make one: the signing key comes from the master key, which is in a file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from services.gateway.state import ApiKey

LIFE: Final = timedelta(hours=12)
"""How long a session lasts that nobody uses. One that is used past half of it is renewed."""
ID_BYTES: Final = 16

PURPOSE: Final = b"signalbox session 1"
"""What the signing keys are derived from the master key for."""
_TOKEN: Final = re.compile(r"([0-9a-f]{16})\.([0-9]{1,12})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who signed in, in one browser.

    Attributes:
        key_prefix: of the API key it was opened with; it ends with that key.
        id: random, the same however often the session is renewed.
        expires_at: in whole seconds.
    """

    key_prefix: str
    id: str
    expires_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether it has expired."""
        return self.expires_at <= now

    def is_due(self, now: datetime) -> bool:
        """Whether half of its life is over, so that it should be renewed."""
        return self.expires_at - now < LIFE / 2


def opened(key_prefix: str, random: bytes, now: datetime) -> Session:
    """A new session. Args: random: 16 bytes that nobody can guess."""
    assert len(random) == ID_BYTES
    return Session(key_prefix, _text(random), _end(now))


def renewed(session: Session, now: datetime) -> Session:
    """The same session, for as long again."""
    return replace(session, expires_at=_end(now))


def _end(now: datetime) -> datetime:
    return (now + LIFE).replace(microsecond=0)


class Signer:
    """Signs sessions and knows its own signatures.

    Args:
        keys: secret bytes, 32 or more each; the first one signs, the others only know what they signed before.
    """

    def __init__(self, *keys: bytes) -> None:
        assert keys, "a signer has at least one key"
        assert all(len(one) >= 32 for one in keys), "a key has at least 32 bytes"
        self._keys: Sequence[bytes] = keys

    def token(self, session: Session, key: ApiKey) -> str:
        """The session as a cookie holds it."""
        return f"{_claims(session)}.{_mac(self._keys[0], _signed(session, key))}"

    def csrf(self, session: Session) -> str:
        """What the session's pages send along when they change something; the same for all of its life."""
        return _mac(self._keys[0], b"csrf\0" + session.id.encode())

    def genuine(self, session: Session, signature: str, key: ApiKey | None) -> bool:
        """Whether we signed this session, for this very key; in constant time, also for a key that there is not."""
        found = False
        for one in self._keys:
            found |= hmac.compare_digest(_mac(one, _signed(session, key)), signature)
        return found and key is not None

    def is_csrf(self, session: Session, told: str) -> bool:
        """Whether this is what the session's pages send; in constant time."""
        found = False
        for one in self._keys:
            found |= hmac.compare_digest(_mac(one, b"csrf\0" + session.id.encode()).encode(), told.encode())
        return found


def read(token: str) -> tuple[Session, str] | None:
    """What a token claims, and its signature, not yet looked at; None when it has not the form of one."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    try:
        expires_at = datetime.fromtimestamp(int(match[2]), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return Session(match[1], match[3], expires_at), match[4]


def _claims(session: Session) -> str:
    return f"{session.key_prefix}.{int(session.expires_at.timestamp())}.{session.id}"


def _signed(session: Session, key: ApiKey | None) -> bytes:
    # With the key's own id: a later key that happens to have the same prefix is another one.
    return f"session\0{_claims(session)}\0{key.id if key is not None else ''}".encode()


def _mac(key: bytes, message: bytes) -> str:
    return _text(hmac.digest(key, message, hashlib.sha256))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
