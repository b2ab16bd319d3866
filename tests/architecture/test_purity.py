"""Deciders are pure: no clock, uuid, random, environment, I/O or set order. Read off the source, so that no test has to hit the case."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EDGES = {"app.py", "__main__.py"}
"""Files of a service that wire and serve; everything else beside `adapters/` and `http/` is pure."""

PURE = sorted(
    [path for path in (ROOT / "services").glob("*/*.py") if path.name not in EDGES]
    + [ROOT / "libs/runtime/room.py", ROOT / "libs/runtime/service.py", ROOT / "libs/runtime/trace.py"]
    + list((ROOT / "services/gateway/readmodel").glob("*.py"))
    + list((ROOT / "libs/cel").glob("*.py"))
    + list((ROOT / "libs/template").rglob("*.py"))
    + list((ROOT / "contracts").rglob("*.py"))
    + list((ROOT / "libs/webhooks").glob("*.py"))
    + [ROOT / "libs/bus/dead_letter.py"]
    + [ROOT / f"libs/secrets/{name}.py" for name in ("config", "fields", "hiding", "problem", "redaction", "references")]
    + [ROOT / f"libs/outbound/{name}.py" for name in ("addresses", "failures", "pause")]
    + [ROOT / f"libs/rego/{name}.py" for name in ("module", "problems", "scan")]
    + [ROOT / "libs/kubernetes/rollouts.py"]
)
GENERATOR = ROOT / "contracts/generate.py"

FORBIDDEN_MODULES = {
    "asyncio", "aiohttp", "faststream", "httpx", "nats", "os", "pathlib", "psycopg", "random", "requests", "secrets", "shutil", "socket",
    "subprocess", "sys", "tempfile", "threading", "time", "urllib.request",
}  # fmt: skip
FORBIDDEN_NAMES = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid6", "uuid7", "open", "input", "print", "getenv", "environ"}
ALLOWED = {
    ("libs/cel/parse.py", "threading"),
    ("libs/cel/environment.py", "threading"),
    ("libs/secrets/config.py", "open"),
}
"""Locks around the parser, which is not made for threads, and the cache of programs: answers are the same with and without them. The box
that a workspace's sealed secrets are opened with is handed in, and opens no file."""


def impurities(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and description of everything in a module that a decision may not depend on."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    if alias.name in FORBIDDEN_MODULES or alias.name.split(".")[0] in FORBIDDEN_MODULES:
                        yield node.lineno, alias.name
            case ast.ImportFrom(module=str(module), names=names):
                if module in FORBIDDEN_MODULES or module.split(".")[0] in FORBIDDEN_MODULES:
                    yield node.lineno, module
                for alias in names:
                    if module == "uuid" and alias.name in FORBIDDEN_NAMES:
                        yield node.lineno, alias.name
            case ast.Call(func=ast.Attribute(attr=attr)) if attr in FORBIDDEN_NAMES:
                yield node.lineno, attr
            case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_NAMES:
                yield node.lineno, name
            case ast.For(iter=over) | ast.comprehension(iter=over) if _is_set(over):
                yield over.lineno, "iterates a set without sorting it"


def _is_set(node: ast.expr) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Sub(), left=left, right=right):
            return _is_set(left) or _is_set(right)
    return False


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_impure_in(path: Path) -> None:
    if path == GENERATOR:
        return
    name = str(path.relative_to(ROOT))
    found = [
        f"{name}:{line}: {what}"
        for line, what in impurities(ast.parse(path.read_text(encoding="utf-8")))
        if (name, what) not in ALLOWED
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from datetime import datetime\ndatetime.now()",
        "from uuid import uuid4",
        "import os.path",
        "for x in {1, 2}: pass",
        "[x for x in set(y)]",
        "[x for x in set(y) | z]",
        "open('f')",
    ],
)
def test_the_check_finds(source: str) -> None:
    assert list(impurities(ast.parse(source)))
