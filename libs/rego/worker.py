"""The process that compiles and evaluates: run as a script, with nothing of ours on its path and nothing in its environment.

Rules are written by anybody, and the library is native code without limits of its own. So it runs apart: with a watch on memory, an
alarm on processor time for each request that ends the process even inside native code, and no file that it could write. Requests and
answers are JSON, each after four bytes with its length; the end of the input ends the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

MOST_MODULES = 200
"""Modules that one process takes, and RECYCLE_BYTES how large it may grow, before another takes over: native code leaks."""
RECYCLE_BYTES = 128 * 1024 * 1024
TOO_LARGE = 3
"""The exit status of a process that took too much memory."""
WATCH_S = 0.02


def main() -> None:
    """Answer requests until the input ends or this process has done its share."""
    memory_bytes = int(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner, who closes the input
    requests = sys.stdin.buffer
    # What native code prints must not end up among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        import regopy
    except (ImportError, OSError, AttributeError, RuntimeError) as error:
        _write(answers, {"unavailable": str(error)})
        return
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        with contextlib.suppress(ValueError, OSError):  # not every system lets us
            resource.setrlimit(limit, (0, 0))
    threading.Thread(target=_watch, args=(memory_bytes,), daemon=True).start()
    _write(answers, {"ready": True})
    for _ in range(MOST_MODULES):
        request = _read(requests)
        if request is None:
            return
        signal.setitimer(signal.ITIMER_PROF, request["cpu_s"])
        try:
            answer = _answer(regopy, request)
        except MemoryError:
            answer = {"error": "it needs too much memory"}
        except regopy.RegoError as error:
            answer = {"error": f"the library refuses it: {str(error)[:200]}"}
        signal.setitimer(signal.ITIMER_PROF, 0)
        last = _peak_bytes() > RECYCLE_BYTES
        _write(answers, {**answer, "last": last})
        if last:
            return


def _watch(memory_bytes: int) -> None:
    # A limit on address space would be exact, but the library reserves far more of it than it ever uses. Native code is called without
    # the interpreter's lock, so that this goes on meanwhile.
    while _peak_bytes() < memory_bytes:
        time.sleep(WATCH_S)
    os._exit(TOO_LARGE)


def _peak_bytes() -> int:
    """The most that this process had in memory at a time."""
    try:
        with Path("/proc/self/status").open("rb") as status:
            for line in status:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # not Linux
    # Linux does not begin this number anew with a program: it would be that of the owner, who may be larger than any rule may get.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _answer(regopy: Any, request: dict[str, Any]) -> dict[str, Any]:
    from regopy import rego_shared

    engine = regopy.Interpreter()
    engine.log_level = regopy.LogLevel.NONE
    missing = [name for name in request["calls"] if not engine.is_builtin(name)]
    if missing:
        return {"missing": missing}
    try:
        engine.add_module("rule", request["source"])
    except regopy.RegoError as error:
        return {"syntax": str(error)}
    # As JSON, which is a term of Rego: values that are handed over one by one lose their quotes in the answer.
    engine.set_input_term(request["input"])
    output = rego_shared.rego_query(engine._impl, request["query"])
    try:
        node = rego_shared.rego_output_node(output)
        kind = rego_shared.rego_node_type(node)
        if kind in (regopy.NodeKind.Error, regopy.NodeKind.ErrorSeq):
            return {"error": _first_error(rego_shared, regopy.NodeKind, node)}
        text = rego_shared.rego_output_string(output)
        return {"value": None} if text == "undefined" else {"value": json.loads(text)["expressions"][0]}
    except (regopy.RegoError, ValueError, KeyError, IndexError) as error:
        return {"error": f"its answer can not be read: {error}"}
    finally:
        rego_shared.rego_free_output(output)


def _first_error(rego_shared: Any, kinds: Any, node: Any) -> str:
    while rego_shared.rego_node_type(node) == kinds.ErrorSeq and rego_shared.rego_node_size(node):
        node = rego_shared.rego_node_get(node, 0)
    for index in range(rego_shared.rego_node_size(node)):
        part = rego_shared.rego_node_get(node, index)
        if rego_shared.rego_node_type(part) == kinds.ErrorMessage:
            return str(rego_shared.rego_node_value(part))
    return "it can not be evaluated"


def _read(stream: BinaryIO) -> dict[str, Any] | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    body = stream.read(struct.unpack(">I", head)[0])
    request: dict[str, Any] = json.loads(body)
    return request


def _write(stream: BinaryIO, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


if __name__ == "__main__":
    main()
