"""The estate with services that are behind one another: facts land between what a service folds, what it decides, and what it appends."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from contracts.command import Asked, Wish
from libs.runtime.room import Room, Round
from tests.simulation.estate import Estate


class RacingEstate(Estate):
    """As in production: a service folds part of the log, others append before its decision is, and a lost condition is decided again.

    What its own queue guarantees holds: it has folded its own facts, and reacted to them, before it takes the next command.
    """

    def __init__(self, *, seed: int) -> None:
        self._random = random.Random(seed)
        self._own: dict[str, int] = {}
        super().__init__(seed=seed)

    def race(self, wish: Wish) -> Any:
        """Ask while the others go on, and let a few of them have a turn. Raises: Refused."""
        self.now += timedelta(seconds=1)
        room = self._rooms[wish.SERVICE]
        self._fold(room, self._own.get(wish.SERVICE, 0))
        if room.pending and (reaction := room.react(self.now)) is not None and self._holds(reaction):
            self._append(room, reaction)
        self._catch_up(room)
        self._asked += 1
        asked_id = str(uuid5(UUID(self.workspace_id), f"asked/{self._asked}"))
        asked = Asked(id=asked_id, workspace_id=self.workspace_id, auth_id="user:ana", now=self.now)
        round_ = room.command(wish, asked)
        self._others(room, 0.3)
        self._append(room, round_)
        for _ in range(self._random.randint(0, 4)):
            self._turn(self._random.choice(list(self._rooms.values())))
        return round_.answer

    def _turn(self, room: Room[Any]) -> None:
        least = max(room.position, self._own.get(room.service.name, 0))
        self._fold(room, self._random.randint(least, len(self.log)))
        round_ = room.react(self.now)
        if round_ is None:
            return
        self._others(room, 0.4)
        if self._holds(round_):
            self._append(room, round_)

    def _others(self, room: Room[Any], chance: float) -> None:
        for other in self._rooms.values():
            if other is not room and self._random.random() < chance:
                self._step(other)

    def _fold(self, room: Room[Any], upto: int) -> None:
        if room.position < upto:
            room.fold(self.log[room.position : upto])

    def _holds(self, round_: Round) -> bool:
        """Whether nothing newer bears on the round, so that the log takes it."""
        newest = (max((self._tags.get(tag, 0) for tag in one.tags), default=0) <= one.after for one in round_.append.conditions)
        return all(newest)

    def _append(self, room: Room[Any], round_: Round) -> None:
        super()._append(room, round_)
        if round_.append.facts:
            self._own[room.service.name] = len(self.log)
