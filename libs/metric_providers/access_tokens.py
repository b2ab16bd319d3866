"""Access tokens of OAuth2 (client credentials, RFC 6749 4.4): fetched once, used until shortly before they expire."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from pydantic import Field

from libs.metric_providers.literals import Address
from libs.metric_providers.port import PLAIN, SECRET, Asking, NoResult, ProviderConfig
from libs.outbound.failures import CallFailed, NotJson
from libs.outbound.pause import pause_of
from libs.secrets.redaction import Redacted

if TYPE_CHECKING:
    from libs.outbound.answer import Answer
    from libs.outbound.asking import Outbound

MOST_TOKENS: Final = 1000
MAX_TOKEN_BYTES: Final = 64 * 1024
UNSAID_LIFE_S: Final = 300.0
"""How long a token is used whose server does not say how long it is good; one that ends earlier is noticed by its refusal."""
MARGIN_S: Final = 30.0
"""A token is not used in its last seconds, so that it does not expire on its way; of a short life, in its last tenth."""


class OAuth2(ProviderConfig):
    """Where to get a token, and as whom."""

    token_url: Address = Field(min_length=1)
    client_id: str = Field(min_length=1)
    client_secret: str = Field(json_schema_extra=SECRET)
    scopes: tuple[str, ...] = Field((), json_schema_extra=PLAIN)


@dataclass(slots=True)
class _Entry:
    """What is known about one client.

    Attributes:
        until: when the token is used no more.
        failures: how often there was none to be had; tells who waited for the lock that somebody else has tried meanwhile.
        failure: why, the last time.
    """

    token: str = ""
    until: datetime | None = None
    failures: int = 0
    failure: NoResult | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def good(self, now: datetime) -> str:
        return self.token if self.until is not None and now < self.until else ""


class AccessTokens:
    """The tokens of one process. Clients are told apart by a digest under a key that is drawn for the process, not by their secrets.

    Args:
        most: clients that are remembered; the one that was not used for the longest time is forgotten first.
    """

    def __init__(self, most: int = MOST_TOKENS) -> None:
        self._most = most
        self._key = secrets.token_bytes(32)
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()

    async def token(self, who: OAuth2, asking: Asking, *, timeout_s: float, insecure: bool = False, refused: str = "") -> str:
        """A token that is good now. However many ask for the same one, one request is under way, and its failure is everybody's.

        Args:
            refused: a token that was just turned down, and is not to be given again.

        Raises: NoResult: there is none; says who refused and why.
        """
        entry = self._entry(who, insecure)
        if refused and entry.token == refused:
            entry.until = None
        seen = entry.failures
        if token := entry.good(asking.now()):
            return token
        async with entry.lock:
            if token := entry.good(asking.now()):
                return token
            if entry.failures != seen and entry.failure is not None:
                raise NoResult(str(entry.failure), retry_after_s=entry.failure.retry_after_s)
            try:
                entry.token, life_s = await _fetched(who, asking, timeout_s, insecure)
            except NoResult as failure:
                entry.failure = failure
                entry.failures += 1
                raise
            entry.until = asking.now() + timedelta(seconds=life_s - min(MARGIN_S, life_s / 10))
            return entry.token

    def _entry(self, who: OAuth2, insecure: bool) -> _Entry:
        digest = hashlib.blake2b(key=self._key)
        for part in (who.token_url, who.client_id, who.client_secret, str(insecure), *who.scopes):
            coded = part.encode()
            digest.update(len(coded).to_bytes(8, "big") + coded)
        entry = self._entries.setdefault(digest.digest(), _Entry())
        self._entries.move_to_end(digest.digest())
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)
        return entry


_tokens: WeakKeyDictionary[Outbound, AccessTokens] = WeakKeyDictionary()


def tokens_of(asking: Asking) -> AccessTokens:
    """The tokens that were fetched by these calls to the outside, and end with them."""
    return _tokens.setdefault(asking.outbound, AccessTokens())


async def _fetched(who: OAuth2, asking: Asking, timeout_s: float, insecure: bool) -> tuple[str, float]:
    form = {"grant_type": "client_credentials", "client_id": who.client_id, "client_secret": who.client_secret}
    if who.scopes:
        form["scope"] = " ".join(who.scopes)
    try:
        answer = await asking.outbound.ask(
            "POST",
            who.token_url,
            headers={"Accept": "application/json"},
            form=form,
            timeout_s=timeout_s,
            max_bytes=MAX_TOKEN_BYTES,
            insecure=insecure,
        )
    except CallFailed as error:
        raise NoResult(f"no access token: {error}") from error
    told = _told(answer)
    if not answer.ok:
        # Who refuses a client may well repeat what it was sent.
        why = Redacted([who.client_secret]).text(_reason(told))
        retry_after_s = pause_of(answer, asking.now()) if answer.status in (429, 503) else None
        raise NoResult(f"no access token: the token server answered {answer.status}{why}", retry_after_s=retry_after_s)
    token, life = told.get("access_token"), told.get("expires_in")
    if not isinstance(token, str) or not token:
        raise NoResult("no access token: the token server's answer holds no access_token")
    return token, _seconds(life)


def _told(answer: Answer) -> dict[str, Any]:
    try:
        told = answer.json()
    except NotJson:
        return {}
    return told if isinstance(told, dict) else {}


def _reason(told: dict[str, Any]) -> str:
    texts = [text for key in ("error", "error_description") if isinstance(text := told.get(key), str)]
    return f": {': '.join(texts)[:300]}" if texts else ""


def _seconds(life: Any) -> float:
    """Some servers write the number as a text; a life of nothing is not believed, or each measurement would fetch a token."""
    try:
        seconds = float(life)
    except (TypeError, ValueError):
        return UNSAID_LIFE_S
    return min(seconds, 86_400.0) if seconds > 0 else UNSAID_LIFE_S
