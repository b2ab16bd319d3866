"""GitHub's API as a GitHub App: its token, an installation's token, and the limits that GitHub sets.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/about-authentication-with-a-github-app
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Self
from urllib.parse import quote
from weakref import WeakValueDictionary

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from libs.outbound.answer import Answer
from libs.outbound.asking import Outbound
from libs.outbound.failures import NotJson
from libs.outbound.pause import pause_of
from libs.runtime.clock import now
from libs.runtime.outside import Outside
from libs.secrets.references import MASK
from libs.webhooks.told import moment
from services.dispatcher.adapters.outcome import Held, Rejected, asked

GITHUB: Final = "https://api.github.com"
RENEWED_BEFORE: Final = timedelta(minutes=5)
"""An installation's token is used no longer than until so long before its end (an hour after it was made)."""

ISSUED_BEFORE: Final = timedelta(seconds=60)
EXPIRES_AFTER: Final = timedelta(minutes=9)
"""GitHub takes no token that ends in more than ten minutes by its own clock; ours may be a little ahead."""

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""A page of a hundred runs has about one megabyte."""

MAX_REDIRECTS: Final = 3
"""Repositories that were renamed or moved are redirected."""

MAX_KEY: Final = 8_192
"""Characters of a private key; GitHub's have 1,700. Looking whether a longer one is sound would hold everybody up."""

MAX_KEPT: Final = 10_000
"""Installations whose tokens and pauses are kept in memory before those that are over are forgotten."""


@dataclass(frozen=True, slots=True)
class AppKey:
    """A GitHub App as it signs in.

    Attributes:
        app_id: its number, or its client id.
        private_key: PEM; line breaks may be written as `\\n`.
        api_url: where it is registered, without a slash at the end.
    """

    app_id: str
    private_key: str = field(repr=False)
    api_url: str = GITHUB


@dataclass(frozen=True, slots=True)
class Installation:
    """A GitHub App in one account: what it may do there, it does by the installation's token."""

    app: AppKey
    number: int


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    until: datetime


class KeyUnusable(Exception):
    """The private key of an App is none; the message says what to mend and shows nothing of the key."""


class GithubApi:
    """Calls as an App or as one of its installations.

    Args:
        outbound: makes the calls.
        own: the App that this service was started with; None where it has none.
        clock: tells the time, in UTC.
    """

    def __init__(self, outbound: Outbound, own: AppKey | None = None, *, clock: Callable[[], datetime] = now) -> None:
        self._outbound = outbound
        self._clock = clock
        self._tokens: dict[Installation, _Token] = {}
        self._paused: dict[Installation, datetime] = {}
        self._making: WeakValueDictionary[Installation, asyncio.Lock] = WeakValueDictionary()
        self.own = own

    @classmethod
    def of(cls, outside: Outside) -> Self:
        """GitHub as this service sees it."""
        own = outside.own
        has_app = own.github_app_id and own.github_private_key
        return cls(outside.outbound, AppKey(own.github_app_id, own.github_private_key, own.github_api_url) if has_app else None)

    async def call(self, installation: Installation, method: str, path: str, *, json: Any = None, starts: bool = False) -> Answer:
        """Call as an installation; the answer is a success.

        Args:
            path: begins with a slash; names in it are quoted already.
            starts: it starts something that must not be started twice.

        Raises: Held, Unsure, Rejected, KeyUnusable.
        """
        self._not_while_paused(installation)
        token = await self._token(installation)
        try:
            return await self._call(installation, method, path, token, json, starts)
        except Rejected as no:
            if no.status != 401:
                raise
        # The token was taken back before its time: what is answered with 401 was not done.
        if self._tokens.get(installation) is token:
            del self._tokens[installation]
        return await self._call(installation, method, path, await self._token(installation), json, starts)

    async def installation_of(self, app: AppKey, owner: str, repo: str) -> Installation:
        """The installation of an App that may see a repository. Raises: Held, Rejected (404 where it is not installed), KeyUnusable."""
        path = f"/repos/{quote(owner, safe='')}/{quote(repo, safe='')}/installation"
        answer = await self._as_app(app, "GET", path)
        return Installation(app, int(object_of(answer)["id"]))

    async def _call(self, installation: Installation, method: str, path: str, token: _Token, json: Any, starts: bool) -> Answer:
        try:
            answer = await self._asked(installation.app, method, path, token.text, json, starts)
        except Held as held:
            if held.retry_after_s is not None:
                self._pause(installation, held.retry_after_s)
            raise
        spent_s = pause_of(answer, self._clock())
        if spent_s is not None:
            self._pause(installation, spent_s)
        return answer

    async def _token(self, installation: Installation) -> _Token:
        lock = self._making.setdefault(installation, asyncio.Lock())
        async with lock:
            known = self._tokens.get(installation)
            if known is not None and self._clock() < known.until:
                return known
            answer = await self._as_app(installation.app, "POST", f"/app/installations/{installation.number}/access_tokens")
            told = object_of(answer)
            ends = moment(told.get("expires_at"))
            if not isinstance(told.get("token"), str) or ends is None:
                raise Held(f"GitHub at {installation.app.api_url} gave a token that can not be read.")
            token = _Token(told["token"], ends - RENEWED_BEFORE)
            self._forget()
            self._tokens[installation] = token
            return token

    async def _as_app(self, app: AppKey, method: str, path: str) -> Answer:
        """Call as the App itself; nothing that is called so starts a run."""
        return await self._asked(app, method, path, await asyncio.to_thread(signed, app, self._clock()), None, False)

    async def _asked(self, app: AppKey, method: str, path: str, token: str, json: Any, starts: bool) -> Answer:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        return await asked(
            self._outbound,
            method,
            f"{app.api_url}{path}",
            headers=headers,
            json=json,
            starts=starts,
            clock=self._clock,
            words=lambda answer: _words(answer).replace(token, MASK),
            max_bytes=MAX_ANSWER_BYTES,
            redirects=MAX_REDIRECTS,
        )

    def _not_while_paused(self, installation: Installation) -> None:
        """GitHub bans who goes on calling while it is limited. Raises: Held."""
        until = self._paused.get(installation)
        left_s = (until - self._clock()).total_seconds() if until is not None else 0.0
        if left_s > 0:
            raise Held(f"GitHub wants installation {installation.number} to wait until its rate limit is over.", left_s)

    def _pause(self, installation: Installation, seconds: float) -> None:
        until = self._clock() + timedelta(seconds=seconds)
        self._forget()
        self._paused[installation] = max(until, self._paused.get(installation, until))

    def _forget(self) -> None:
        if len(self._tokens) + len(self._paused) > MAX_KEPT:
            at = self._clock()
            self._tokens = {one: token for one, token in self._tokens.items() if token.until > at}
            self._paused = {one: until for one, until in self._paused.items() if until > at}


def signed(app: AppKey, at: datetime) -> str:
    """The token (JWT, RS256) by which an App says who it is. Raises: KeyUnusable."""
    key = _key(app.private_key)
    claims = {
        "iat": int((at - ISSUED_BEFORE).timestamp()),
        "exp": int((at + EXPIRES_AFTER).timestamp()),
        "iss": app.app_id,
    }
    head = b".".join(_unpadded(orjson.dumps(part)) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return b".".join((head, _unpadded(key.sign(head, PKCS1v15(), SHA256())))).decode()


@lru_cache(maxsize=100)
def _key(pem: str) -> RSAPrivateKey:
    """Read a key, which takes fifty times as long as signing with it: all installations of an App share it. Raises: KeyUnusable."""
    if len(pem) > MAX_KEY:
        raise KeyUnusable(f"The private key of the GitHub App has {len(pem)} characters, at most {MAX_KEY} are read.")
    try:
        key = load_pem_private_key(pem.replace("\\n", "\n").strip().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable(
            "The private key of the GitHub App can not be read: privateKey must be the PEM file that GitHub gave, without a password."
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise KeyUnusable("The private key of the GitHub App is no RSA key: privateKey must be the PEM file that GitHub gave.")
    return key


def _unpadded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def object_of(answer: Answer) -> dict[str, Any]:
    """The object that an answer is. Raises: Held: it is none, which a proxy in between may have done."""
    try:
        told = answer.json()
    except NotJson as error:
        raise Held(f"GitHub gave no answer that can be read: {error}.") from None
    if not isinstance(told, dict):
        raise Held("GitHub gave no answer that can be read: no object.")
    return told


def _words(answer: Answer) -> str:
    """What GitHub says is wrong: `message`, and the messages of `errors`."""
    told = answer.json()
    errors = told.get("errors") or ()
    if isinstance(errors, str):
        errors = (errors,)
    details = [one.get("message") or one.get("code") if isinstance(one, dict) else one for one in errors]
    return "; ".join(str(one) for one in (told["message"], *details) if one)
