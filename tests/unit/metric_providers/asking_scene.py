"""What a provider's function is given in tests: calls to this machine, and a clock that only tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from libs.metric_providers import Asking
from libs.outbound.addresses import AddressRules
from tests.fakes.serving import Clock
from tests.unit.outbound.outside import LOOPBACK, calling


@asynccontextmanager
async def asking(clock: Clock | None = None, rules: AddressRules = LOOPBACK) -> AsyncIterator[Asking]:
    async with calling(rules) as outbound:
        yield Asking(outbound, clock or Clock())
