"""What must not happen on any page: an error on the console, a request to another host."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Request, WebError

_OWN = ("data", "blob", "about")


class Watch:
    """Follows every page of a browser profile.

    Args:
        url: of the gateway.
    """

    def __init__(self, url: str) -> None:
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.asked: list[str] = []
        self._host = urlsplit(url).netloc
        self._expected: list[re.Pattern[str]] = []

    def follow(self, context: BrowserContext) -> None:
        """From now on."""
        context.on("console", self._said)
        context.on("weberror", self._failed)
        context.on("request", self._requested)

    def expect(self, pattern: str) -> None:
        """A complaint with these words is what this test is about: the browser itself reports each answer that is an error."""
        self._expected.append(re.compile(pattern))

    def judge(self) -> None:
        """Raises: AssertionError: something happened that must not."""
        unexpected = [one for one in self.complaints if not any(pattern.search(one) for pattern in self._expected)]
        assert not unexpected, f"on the console: {unexpected}"
        assert not self.foreign, f"asked of other hosts: {self.foreign}"

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _failed(self, error: WebError) -> None:
        self.complaints.append(f"exception: {error.error}")

    def _requested(self, request: Request) -> None:
        place = urlsplit(request.url)
        self.asked.append(request.url)
        if place.scheme not in _OWN and place.netloc != self._host:
            self.foreign.append(request.url)
