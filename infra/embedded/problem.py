"""The one error a person is shown without a traceback."""

from __future__ import annotations


class CannotStart(Exception):
    """Something outside the program keeps it from starting; the message is one line that says what and what to do."""
