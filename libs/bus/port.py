"""The port for asking: a command or query goes to the service that owns the answer, over the bus or in one process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from contracts.command import Answer, AsOf, Wish


class Unavailable(Exception):
    """Nobody answered in time. The same request, with the same id, may be sent again."""


@dataclass(frozen=True, slots=True)
class Written:
    """A wish that is valid and written out already: one so large that the objects it is made of had better not wait beside its text.

    Attributes:
        kind: its class.
        payload: its JSON.
    """

    kind: type[Wish]
    payload: bytes


class Requests(Protocol):
    """Asks services."""

    async def ask(
        self,
        wish: Wish | Written,
        *,
        id: str,
        workspace_id: str,
        auth_id: str,
        min_position: int = 0,
        traceparent: str = "",
        as_of: AsOf | None = None,
    ) -> Answer:
        """Send a wish to its owner and wait for the answer; outages shorter than 20 s are waited out with the same id.

        Args:
            wish: a command or query; its class names the owner.
            id: command id; a repeat gets the first answer.
            min_position: the owner folds its log up to here first.
            as_of: of a query about the past, when that is. What is far from everything that is stored takes longer than other answers.

        Returns: the answer: a result, or a refusal.

        Raises: Unavailable.
        """
