"""Fixtures that tests of several folders ask for, and how hypothesis runs on a machine that may be slow."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from tests.servers import postgres, servers, template
from tests.spreading import Spreading

__all__ = ["postgres", "servers", "template"]

# The same examples each time, so that a change is refused for what it does and not for what was drawn; `--hypothesis-profile=anew` draws others.
settings.register_profile("anew", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("any machine", settings.get_profile("anew"), derandomize=True)
settings.load_profile("any machine")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Spreading:
    """Tests that share a server stay in one process."""
    return Spreading(config, log)
