"""The gateway's decisions about the system log, wired into a service. The HTTP side is `services.gateway.http`."""

from __future__ import annotations

from libs.runtime.service import Service
from services.gateway.commands import COMMANDS
from services.gateway.state import READS, SystemState, evolve, initial

service: Service[SystemState] = Service(
    name="gateway",
    state_version=3,
    reads=READS,
    initial=initial,
    evolve=evolve,
    commands=COMMANDS,
)
"""Decides over the nil workspace; other workspaces hold none of its facts."""
