"""Wires verifier: state, reaction and measuring."""

from __future__ import annotations

from libs.runtime.outside import Outside
from libs.runtime.service import Performer, Service
from services.verifier.adapters.http import Measurer
from services.verifier.fold import READS, evolve
from services.verifier.measuring import Measuring
from services.verifier.starting import react
from services.verifier.state import State

service: Service[State] = Service(
    name="verifier", state_version=1, reads=READS, initial=State, evolve=evolve, react=react, effects=Measuring()
)
"""Verifier, ready to be hosted."""


def performer(outside: Outside | None = None) -> Performer:
    """Return what takes the measurements; without an outside only where nobody has to say what may be called."""
    return Measurer() if outside is None else Measurer(outside.outbound, outside.vault)
