"""Calls to an Argo server, be it Argo CD's or Argo Workflows': both answer as grpc-gateway does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from contracts.shapes import Json
from libs.outbound.answer import Answer
from libs.outbound.asking import Outbound
from libs.outbound.failures import NotJson
from libs.secrets.references import MASK
from services.dispatcher.adapters.outcome import Rejected, asked

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""The manifests of a large application have some megabytes."""


@dataclass(frozen=True, slots=True)
class ArgoServer:
    """A server as one token sees it.

    Attributes:
        address: without a slash at its end.
        authorization: the header's value; empty for none.
        insecure: do not ask for a valid certificate.
        clock: tells the time, in UTC.
    """

    outbound: Outbound
    address: str = field(repr=False)
    authorization: str = field(repr=False)
    insecure: bool
    clock: Callable[[], datetime]

    @property
    def shown(self) -> str:
        """The address for people: without user and password."""
        return shown(self.address)

    async def call(self, method: str, path: str, *, json: Any = None, starts: bool = False) -> Json:
        """Make a call and return the object that it is answered with.

        Args:
            path: begins with a slash; names in it are quoted already.
            starts: as of `outcome.asked`.

        Raises: Held, Unsure, Rejected.
        """
        answer = await asked(
            self.outbound,
            method,
            f"{self.address}{path}",
            headers={"Authorization": self.authorization} if self.authorization else {},
            json=json,
            starts=starts,
            clock=self.clock,
            words=self._words,
            max_bytes=MAX_ANSWER_BYTES,
            insecure=self.insecure,
        )
        try:
            told = answer.json()
        except NotJson as error:
            # An address of something else, such as a sign-in page, answers with a success as well.
            said = f"{method} {self.shown}{path.split('?', maxsplit=1)[0]} was answered with something else: {error}. Check serverUrl."
            raise Rejected(said, answer.status) from None
        return told if isinstance(told, dict) else {}

    async def found(self, path: str) -> Json | None:
        """The object at a path; None where it is not. Raises: Held, Rejected."""
        try:
            return await self.call("GET", path)
        except Rejected as no:
            if no.status == 404:
                return None
            raise

    def _words(self, answer: Answer) -> str:
        """What the server says is wrong, without the token, which some proxies repeat."""
        told = answer.json()
        said = str(told.get("message") or told["error"])
        for secret in (self.authorization, self.authorization.removeprefix("Bearer ")):
            said = said.replace(secret, MASK) if secret else said
        return said


def shown(address: str) -> str:
    """An address without user and password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def part(told: Any, *keys: str) -> Any:
    """What is at a path inside of an answer; None where it is not."""
    for key in keys:
        told = told.get(key) if isinstance(told, dict) else None
    return told
