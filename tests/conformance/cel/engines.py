"""The engines that answer the cases: ours, Google's, and the package whose grammar we use."""

from __future__ import annotations

import datetime as dt
import math
import re
import sys
from typing import Any, Final

import celpy
from cel_expr_python import cel as google
from cel_expr_python.ext import ext_math, ext_strings
from celpy import celtypes
from celpy.adapter import json_to_cel

from libs.cel import CelError, CelProblems, Environment
from libs.cel.values import CelType, UInt
from tests.conformance.cel.case import ERROR, Case


def cel_python() -> celpy.Environment:
    """An environment of cel-python, whose making raises the recursion limit of the process; that is undone."""
    limit = sys.getrecursionlimit()
    try:
        return celpy.Environment(runner_class=celpy.InterpretedRunner)
    finally:
        sys.setrecursionlimit(limit)


CEL_PYTHON: Final = cel_python()


def ours(case: Case) -> Any:
    """The value by our engine, or `ERROR`."""
    try:
        return Environment("case", dict.fromkeys(case.variables)).compile(case.source).value(**case.variables)
    except (CelProblems, CelError):
        return ERROR


def by_google(case: Case) -> Any:
    """The value by cel-cpp, or `ERROR`. It gives unsigned integers as plain ones."""
    source, variables = case.source, dict(case.variables)
    for name, value in case.variables.items():
        if isinstance(value, dt.datetime | dt.timedelta):
            # It takes no times as data.
            written = (
                f'timestamp("{value.isoformat()}")' if isinstance(value, dt.datetime) else f'duration("{value.total_seconds()}s")'
            )
            source = re.sub(rf"(?<![\w.]){name}\b", written, source)
            del variables[name]
    environment = google.NewEnv(
        variables=dict.fromkeys(variables, google.Type.DYN), extensions=[ext_math.ExtMath(), ext_strings.ExtStrings()]
    )
    try:
        result = environment.compile(source, disable_check=True).eval(data=variables)
    except (RuntimeError, ValueError):
        return ERROR
    if result.type() == google.Type.ERROR:
        return ERROR
    value = result.plain_value()
    if isinstance(value, bytearray):
        return bytes(value)
    if result.type() == google.Type.TYPE:
        name = str(value).partition("<")[0].lower()
        return CelType(
            {"null": "null_type", "timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}.get(
                name, name
            )
        )
    return value


def by_cel_python(case: Case) -> Any:
    """The value by cel-python's interpreter, or `ERROR`; whatever it raises is one."""
    try:
        program = CEL_PYTHON.program(CEL_PYTHON.compile(case.source))
        return _plain(program.evaluate({name: _celpy(value) for name, value in case.variables.items()}))
    except Exception:  # noqa: BLE001 - it lets almost any exception out
        return ERROR


def same(found: Any, expected: Any, *, unsigned: bool = True) -> bool:
    """Whether two results are equal, types included; `unsigned` says whether unsigned integers are told from signed ones."""
    if found is ERROR or expected is ERROR:
        return found is expected
    if not unsigned and isinstance(found, int) and isinstance(expected, UInt):
        found = UInt(found)
    if found.__class__ is not expected.__class__:
        return False
    if isinstance(found, float):
        return (math.isnan(found) and math.isnan(expected)) or math.isclose(found, expected, rel_tol=1e-15)
    if isinstance(found, list):
        return len(found) == len(expected) and all(same(a, b, unsigned=unsigned) for a, b in zip(found, expected, strict=True))
    if isinstance(found, dict):
        return found.keys() == expected.keys() and all(
            same(value, expected[key], unsigned=unsigned) for key, value in found.items()
        )
    return bool(found == expected)


def _celpy(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return celtypes.TimestampType(value)
    if isinstance(value, dt.timedelta):
        return celtypes.DurationType(value)
    return json_to_cel(value)


def _plain(value: Any) -> Any:
    match value:
        case celtypes.BoolType():
            return bool(value)
        case celtypes.UintType():
            return UInt(value)
        case celtypes.IntType():
            return int(value)
        case celtypes.DoubleType():
            return float(value)
        case celtypes.StringType():
            return str(value)
        case celtypes.BytesType():
            return bytes(value)
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {_plain(key): _plain(item) for key, item in value.items()}
        case celtypes.TimestampType():
            return dt.datetime.fromtimestamp(value.timestamp(), dt.UTC)
        case celtypes.DurationType():
            return dt.timedelta(seconds=value.total_seconds())
        case type():
            return CelType(value.__name__)
        case _:
            return value
