"""Fixtures that tests of several folders ask for."""

from __future__ import annotations

from tests.servers import postgres, servers, template

__all__ = ["postgres", "servers", "template"]
