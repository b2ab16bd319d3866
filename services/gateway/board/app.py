"""The board's fold, described as hosts of folds know it: for states that are stored, and for those of the past."""

from __future__ import annotations

from libs.runtime.as_of import Fold
from services.gateway.board.fold import READS, evolve
from services.gateway.board.state import Board, initial

BOARD: Fold[Board] = Fold(name="gateway.board", state_version=1, reads=READS, initial=initial, evolve=evolve)
"""Reads facts of all services and records nothing."""
