"""Fixtures that tests of several folders ask for, and how hypothesis runs on a machine that may be slow."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.servers import postgres, servers, template

__all__ = ["postgres", "servers", "template"]

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
