"""Rules about plans, in Rego v1: checked when they are saved, and asked for what they say against a plan. See README.md."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from libs.rego.judge import MAX_INPUT_BYTES, Judge, Limits
from libs.rego.module import MAX_SOURCE_BYTES, read_module
from libs.rego.problems import RegoFailed, RegoInvalid, RegoUnavailable

__all__ = [
    "MAX_INPUT_BYTES",
    "MAX_SOURCE_BYTES",
    "Judge",
    "Limits",
    "RegoFailed",
    "RegoInvalid",
    "RegoUnavailable",
    "check",
    "in_turn",
    "read_module",
    "violations",
]

T = TypeVar("T")

_shared: Final = Judge()
atexit.register(_shared.close)
check: Final = _shared.check
violations: Final = _shared.violations

_thread: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rego")
"""There is one worker process, so that more threads would only wait, and keep those that are shared from other work."""


async def in_turn(ask: Callable[[], T]) -> T:
    """The result of `check` or `violations`, without keeping the loop waiting: `await in_turn(partial(violations, rego, input))`."""
    return await asyncio.get_running_loop().run_in_executor(_thread, ask)
