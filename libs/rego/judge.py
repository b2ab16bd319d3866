"""Asks a worker process what a module says, and makes sentences of what goes wrong there."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from typing import Any, Final

from libs.rego.apart import Apart, Died
from libs.rego.module import Module, read_module
from libs.rego.problems import RegoFailed, RegoInvalid, RegoUnavailable, invalid

MAX_INPUT_BYTES: Final = 1024 * 1024
"""What a module judges, as JSON."""

_KILL_AGAIN_S: Final = 0.02
_SYNTAX: Final = re.compile(r"\(error \d+:rule\|(\d+)\|\d+\s+\(errormsg (\d+):")
_NO_FUNCTION: Final = re.compile(r"Function not found: ([\w.]+)")
_COMPILED: Final = ("Function not found", "Recursion detected")
"""What is wrong with a module itself, though the library finds it only when it is asked."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take.

    Attributes:
        check_s, judge_s: seconds of processor time, for compiling alone and for an evaluation.
        memory_bytes: of the worker process.
        patience: times the processor time that a request may take on a machine with other work.
    """

    check_s: float = 3.0
    judge_s: float = 10.0
    memory_bytes: int = 512 * 1024 * 1024
    patience: float = 12.0


class Judge:
    """Compiles and evaluates modules, one at a time, in a process that is started when it is first needed. For any thread."""

    def __init__(self, limits: Limits | None = None) -> None:
        """Nothing is started yet."""
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._apart: Apart | None = None

    def check(self, rego: str) -> None:
        """Make sure that a module can be used. Blocks; bounded by the limits.

        Raises:
            RegoInvalid: what is wrong with it, and where.
            RegoUnavailable: no module can be used here.
        """
        module = read_module(rego)
        try:
            # Only when it is asked for its violations does the library look for functions and circles.
            answer = self._ask(module, "{}", self._limits.check_s)
        except Died as error:
            raise RegoInvalid(f"The module can not be compiled: {error}. Make it simpler.") from error
        if "missing" in answer:
            missing = set(answer["missing"])
            call = next(one for one in module.calls if one.name in missing)
            raise invalid(rego, call.at, f"There is no function `{call.name}` here.")
        if "syntax" in answer:
            raise _misspelt(rego, answer["syntax"])
        if answer.get("error", "").startswith(_COMPILED):
            name = _NO_FUNCTION.match(answer["error"])
            raise invalid(rego, max(0, rego.find(name[1])) if name else 0, f"{answer['error']}.")

    def violations(self, rego: str, input: Any) -> tuple[str, ...]:
        """What a module says against an input, ascending; nothing when it is content. Blocks; bounded by the limits.

        Args:
            rego: a module; the members of its `deny` are the violations: a text, or an object with a text `msg`; anything else is told
                as JSON, and an empty text is no violation.
            input: JSON.

        Raises:
            RegoFailed: there is no answer.
        """
        try:
            module = read_module(rego)
            answer = self._ask(module, _json(input), self._limits.judge_s)
        except RegoInvalid as error:
            raise RegoFailed(f"The module can not be used: {error}") from error
        except RegoUnavailable as error:
            raise RegoFailed(str(error)) from error
        except Died as error:
            raise RegoFailed(f"The module could not be evaluated: {error}.") from error
        if "missing" in answer:
            raise RegoFailed(f"The module can not be used: there is no function `{answer['missing'][0]}` here.")
        if "syntax" in answer:
            raise RegoFailed(f"The module can not be used: {_misspelt(rego, answer['syntax'])}")
        if "error" in answer:
            raise RegoFailed(f"The module could not be evaluated: {answer['error']}.")
        members = answer["value"]
        if members is None:
            return ()
        if not isinstance(members, list):
            raise RegoFailed("The module's `deny` is no set: write `deny contains msg if { … }`.")
        return tuple(sorted({told for one in members if (told := _told(one))}))

    def close(self) -> None:
        """End the process; what runs there fails. A later request starts another; again changes nothing."""
        while not self._lock.acquire(timeout=_KILL_AGAIN_S):
            # A request is under way there, or a process is just being started for one.
            if (apart := self._apart) is not None:
                apart.kill()
        try:
            if self._apart is not None:
                self._apart.close()
                self._apart = None
        finally:
            self._lock.release()

    def _ask(self, module: Module, input: str, cpu_s: float) -> dict[str, Any]:
        request = {
            "source": module.source,
            "query": module.query,
            "calls": list(dict.fromkeys(one.name for one in module.calls)),
            "input": input,
        }
        with self._lock:
            if self._apart is not None and self._apart.spent:
                self._apart.close()
                self._apart = None
            if self._apart is None:
                self._apart = Apart(self._limits.memory_bytes)
            return self._apart.ask(request, cpu_s=cpu_s, wall_s=cpu_s * self._limits.patience)


def _json(value: Any) -> str:
    try:
        # Half a character, which JSON can hold and UTF-8 can not, is told as a question mark.
        text = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace").decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RegoFailed(f"The input can not be written as JSON: {error}.") from error
    if (size := len(text.encode())) > MAX_INPUT_BYTES:
        raise RegoFailed(f"The input is too large: {size} bytes of JSON, at most {MAX_INPUT_BYTES}.")
    return text


def _told(member: Any) -> str:
    if isinstance(member, dict) and isinstance(member.get("msg"), str) and member["msg"]:
        member = member["msg"]
    told = member if isinstance(member, str) else json.dumps(member, ensure_ascii=False, sort_keys=True)
    return told.encode("utf-8", "replace").decode()


def _misspelt(source: str, told: str) -> RegoInvalid:
    """What the compiler says, with its place; it counts in bytes."""
    found = _SYNTAX.search(told)
    if found is None:
        return RegoInvalid("The module can not be compiled.")
    message = told[found.end() : found.end() + int(found[2])]
    at = len(source.encode()[: int(found[1])].decode("utf-8", "ignore"))
    return invalid(source, at, f"{message[:1].upper()}{message[1:].rstrip('.')}.")
