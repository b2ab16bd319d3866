"""Make the dashboard's files, run every check, fetch the programs that tests need, then run the tests; all of it runs, and any failure
makes the exit code 1."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DESCRIPTION = "Run format, lint, types and import rules, then pytest last. What is not an option here goes to pytest."
STATIC_CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("format", ("-m", "ruff", "format", "--check", ".")),
    ("lint", ("-m", "ruff", "check", "--quiet", ".")),
    ("types", ("-m", "mypy")),
    # import-linter has no __main__, so its entry point is called as its console script does.
    ("imports", ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-logo")),
    ("types of the dashboard", ("-m", "infra.ui", "check")),
    ("tests of the dashboard's logic", ("-m", "infra.ui", "test")),
)


def main(arguments: list[str]) -> int:
    """Run the checks in the repository root.

    Args:
        arguments: `--fast`, `--no-static`, and anything pytest understands.

    Returns:
        0 when every check passed, else 1.
    """
    parser = argparse.ArgumentParser(prog="infra/dev test", description=DESCRIPTION)
    parser.add_argument("--fast", action="store_true", help="leave out tests that start real servers, browsers or kill processes")
    parser.add_argument("--no-static", action="store_true", help="run only pytest")
    options, for_pytest = parser.parse_known_args(arguments)
    failed: list[str] = []
    if not names_paths(for_pytest) and not passes("dashboard", ("-m", "infra.ui")):
        failed.append("dashboard")
    if not options.no_static:
        failed += [name for name, command in STATIC_CHECKS if not passes(name, command)]
    if not options.fast and not names_paths(for_pytest) and not passes("programs", ("-m", "infra.checks.debian")):
        failed.append("programs")
    if failed:
        # Said before pytest, so that pytest's summary stays the last thing printed.
        print(f"\n== failed so far: {', '.join(failed)}", flush=True)
    if not passes("tests", ("-m", "pytest", *pytest_arguments(for_pytest, fast=options.fast))):
        failed.append("tests")
    return 1 if failed else 0


def names_paths(given: list[str]) -> bool:
    """Tell whether the caller chose tests by path: an argument that exists, so that the value of `-k` is not taken for one."""
    return any(not word.startswith("-") and (ROOT / word.split("::")[0]).exists() for word in given)


def pytest_arguments(given: list[str], *, fast: bool) -> list[str]:
    """Complete the caller's pytest arguments: the whole suite unless paths are named, without benchmarks, in two processes.

    Two whatever the machine has, because each starts servers of its own, and because half of the time a test waits for them.
    """
    chosen = list(given) if names_paths(given) else ["tests", "--ignore=tests/bench", "--numprocesses=2", *given]
    return [*chosen, "-m", "not integration and not browser and not chaos"] if fast else chosen


def passes(name: str, command: tuple[str, ...]) -> bool:
    """Run one tool in this interpreter by name, because console scripts break on a path with spaces."""
    print(f"\n== {name}", flush=True)
    began = time.monotonic()
    code = subprocess.call([sys.executable, *command], cwd=ROOT)
    if name != "tests":
        print(f"== {name}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - began:.1f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
