"""Wires verifier: state, reaction, commands, measuring and watching."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.commands.verifier import VerifyAgain
from contracts.envelope import Recorded
from libs.runtime.outside import Outside
from libs.runtime.service import Command, Draft, Performer, Service
from services.verifier.adapters.asking import Asker
from services.verifier.cancelling import cancellations
from services.verifier.commands import verify_again
from services.verifier.fold import READS, evolve
from services.verifier.measuring import Measuring
from services.verifier.starting import starts
from services.verifier.state import State
from services.verifier.watching import WatchTimers

SETTLE_APART_S: Final = 0.05
"""When a measurement was made stands in its outcome, so that nothing depends on the moment in which it is judged."""


def react(state: State, recorded: Sequence[Recorded], now: datetime) -> tuple[Draft, ...]:
    """What is not there any more first, then what is to be measured; neither decides about what the other does."""
    return (*cancellations(state, recorded, now), *starts(state, recorded, now))


service: Service[State] = Service(
    name="verifier",
    state_version=4,
    reads=READS,
    initial=State,
    evolve=evolve,
    react=react,
    commands={VerifyAgain.NAME: Command(VerifyAgain, verify_again)},
    timers=WatchTimers(),
    effects=Measuring(),
    settle_apart_s=SETTLE_APART_S,
)
"""Verifier, ready to be hosted."""


def performer(outside: Outside | None = None) -> Performer:
    """Return what takes the measurements; without an outside only where nobody has to say what may be called."""
    return Asker() if outside is None else Asker(outside.outbound, outside.vault)
