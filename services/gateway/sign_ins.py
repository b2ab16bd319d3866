"""What a process remembers of signing in and out: who guesses keys, and which sessions are over before their time. Time comes in."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from services.gateway.sessions import LIFE, Session

TRIES: Final = 10
WINDOW: Final = timedelta(minutes=1)
"""So many wrong keys from one address are looked into in a minute. A key has 256 random bits: this is against noise, not against luck."""
MOST: Final = 10_000


class WrongKeys:
    """Counts sign-ins with a wrong key by address. Forgets the addresses that were quiet longest when there are too many."""

    def __init__(self) -> None:
        self._by_address: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def add(self, address: str, now: datetime) -> None:
        """A key from there was wrong."""
        count, since = self._by_address.pop(address, (0, now))
        if now - since >= WINDOW:
            count, since = 0, now
        self._by_address[address] = (count + 1, since)
        while len(self._by_address) > MOST:
            self._by_address.popitem(last=False)

    def wait_s(self, address: str, now: datetime) -> int:
        """Seconds until a key from there that is not known is looked into again; 0 for at once."""
        count, since = self._by_address.get(address, (0, now))
        left = (since + WINDOW - now).total_seconds()
        return max(1, round(left)) if count >= TRIES and left > 0 else 0


class SignedOut:
    """Sessions that their owner ended. Their cookies would be good for hours yet, for whoever has a copy.

    Of this process alone: another one, or this one after a restart, does not know. Revoking the API key ends its sessions everywhere.
    """

    def __init__(self) -> None:
        self._until: OrderedDict[str, datetime] = OrderedDict()

    def add(self, session: Session, now: datetime) -> None:
        """The session is over."""
        self._until[session.id] = now + LIFE
        while self._until and (len(self._until) > MOST or next(iter(self._until.values())) <= now):
            self._until.popitem(last=False)

    def __contains__(self, session: Session) -> bool:
        return session.id in self._until
