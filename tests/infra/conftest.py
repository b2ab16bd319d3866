"""Fixtures: supervisors that are gone, with all they started, when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.infra.supervised import Running


@pytest.fixture
def supervise() -> Iterator[Callable[..., Running]]:
    """Start a supervisor on a folder (and a port, by default a free one); it is ended after the test.

    With `options`, those of `infra/dev up`, it is the whole system; else a stand-in takes the place of the services.
    """
    started: list[Running] = []

    def start(data: Path, port: int = 0, *, options: tuple[str, ...] | None = None) -> Running:
        started.append(Running(data, port, options=options))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.rest()
        assert one.process.stdout is not None
        one.process.stdout.close()
