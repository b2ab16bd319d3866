"""The test cases that the `eventsourcing` package publishes for recorders, importable without its optional cipher."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


def load() -> Any:
    """The module of the cases.

    It imports the cipher of the package at the top, for a case about mappers that recorders have no part in. The cipher needs a library
    that nothing here uses, so an empty class stands in for it during the import.
    """
    if "eventsourcing.tests.persistence" in sys.modules or "eventsourcing.cipher" in sys.modules:
        return importlib.import_module("eventsourcing.tests.persistence")
    stand_in = ModuleType("eventsourcing.cipher")
    stand_in.__dict__["AESCipher"] = type("AESCipher", (), {})
    sys.modules["eventsourcing.cipher"] = stand_in
    try:
        return importlib.import_module("eventsourcing.tests.persistence")
    finally:
        del sys.modules["eventsourcing.cipher"]
