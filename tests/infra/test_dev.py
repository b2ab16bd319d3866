"""The bootstrap: when it trusts .venv, when it makes it anew, and what it says when it can not."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from infra.checks.__main__ import pytest_arguments

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dev(tmp_path: Path) -> ModuleType:
    """The script as a module, in a checkout of its own with an environment that looks complete."""
    checkout = tmp_path / "a checkout"
    (checkout / "infra").mkdir(parents=True)
    shutil.copy(ROOT / "infra" / "dev", checkout / "infra" / "dev")
    for lock in ("requirements.lock", "requirements-test.lock"):
        (checkout / lock).write_text(lock, "utf-8")
    loader = importlib.machinery.SourceFileLoader("infra_dev_under_test", str(checkout / "infra" / "dev"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    module.PYTHON.parent.mkdir(parents=True)
    module.PYTHON.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', "utf-8")
    module.PYTHON.chmod(0o755)
    module.STAMP.write_text(json.dumps(module.fingerprint("requirements.lock")), "utf-8")
    return module


def run(dev: ModuleType, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(dev.ROOT / "infra" / "dev"), *arguments], capture_output=True, text=True, check=False
    )


def test_a_complete_environment_is_used_as_it_is(dev: ModuleType) -> None:
    done = run(dev, "up", "--port", "0")
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["-P", "-m", "infra.embedded", "--port", "0"], "")


def test_test_tools_serve_up_but_not_the_other_way_round(dev: ModuleType) -> None:
    assert dev.is_ready("up")
    assert not dev.is_ready("test")
    dev.STAMP.write_text(json.dumps(dev.fingerprint("requirements-test.lock")), "utf-8")
    assert dev.is_ready("up")
    assert dev.is_ready("test")


def test_an_environment_is_not_trusted_once_anything_it_was_made_from_changed(dev: ModuleType) -> None:
    (dev.ROOT / "requirements.lock").write_text("changed", "utf-8")
    assert not dev.is_ready("up")


@pytest.mark.parametrize("damage", ["unfinished", "stamp", "python"])
def test_a_damaged_environment_is_not_trusted(dev: ModuleType, damage: str) -> None:
    if damage == "unfinished":
        dev.UNFINISHED.touch()
    elif damage == "stamp":
        dev.STAMP.write_text("{", "utf-8")
    else:
        dev.PYTHON.unlink()
    assert not dev.is_ready("up")


NO_NETWORK = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)': /simple/orjson/
ERROR: Could not find a version that satisfies the requirement orjson==3.13.0 (from versions: none)
ERROR: No matching distribution found for orjson==3.13.0
"""
RETRIED_THEN_TAMPERED = """\
WARNING: Retrying (Retry(total=4)) after connection broken by 'ReadTimeoutError(...)': /simple/orjson/
ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.
"""


@pytest.mark.parametrize(
    "output, said",
    [
        (NO_NETWORK, "the package index can not be reached"),
        (RETRIED_THEN_TAMPERED, "THESE PACKAGES DO NOT MATCH THE HASHES"),
        ("ERROR: No matching distribution found for orjson==3.13.0\n", "No matching distribution found for orjson"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n", "No space left on device"),
        ("", "pip failed"),
    ],
)
def test_a_failed_install_is_one_line(dev: ModuleType, output: str, said: str) -> None:
    line = dev.what_pip_lacked(output)
    assert said in line
    assert "\n" not in line


def test_a_checkout_that_can_not_be_written_is_one_line(dev: ModuleType) -> None:
    shutil.rmtree(dev.VENV)
    dev.VENV.touch()
    done = run(dev, "up")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"infra/dev: can not prepare {dev.VENV}: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["up", "test"])
def test_the_options_are_shown_before_anything_is_installed(dev: ModuleType, command: str) -> None:
    shutil.rmtree(dev.VENV)
    shutil.copytree(ROOT / "infra", dev.ROOT / "infra", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    # With the interpreter behind .venv, so that what is installed where this test runs is no help.
    bare = str(Path(sys.executable).resolve())
    done = subprocess.run([bare, str(dev.ROOT / "infra" / "dev"), command, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[0].startswith(f"usage: infra/dev {command}")) == (0, True)
    assert not dev.VENV.exists()


def test_the_dashboard_is_made_before_the_system_starts_and_missed_without_harm(dev: ModuleType) -> None:
    package = dev.ROOT / "services/gateway/ui/package.json"
    package.parent.mkdir(parents=True)
    package.write_text("{}", "utf-8")
    dev.PYTHON.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\ncase "$3" in infra.ui) exit 1;; esac\n', "utf-8")
    done = run(dev, "up", "--port", "0")
    assert (done.returncode, done.stdout.split()) == (0, ["-P", "-m", "infra.ui", "-P", "-m", "infra.embedded", "--port", "0"])
    assert done.stderr == "infra/dev: going on without an up-to-date dashboard\n"
    # The checks make it themselves, and tell when they can not.
    dev.STAMP.write_text(json.dumps(dev.fingerprint("requirements-test.lock")), "utf-8")
    assert run(dev, "test").stdout.split() == ["-P", "-m", "infra.checks"]


def test_help_and_mistakes(dev: ModuleType) -> None:
    assert run(dev, "--help").stdout.count("usage: infra/dev up") == 1
    assert run(dev).returncode == 2
    mistake = run(dev, "down")
    assert mistake.returncode == 1
    assert mistake.stderr == "infra/dev: there is no command 'down'; use up, test or --help\n"


def test_the_whole_suite_runs_unless_paths_are_named() -> None:
    whole = ["tests", "--ignore=tests/bench", "--numprocesses=2"]
    assert pytest_arguments([], fast=False) == whole
    assert pytest_arguments(["-k", "lock", "-x"], fast=False) == [*whole, "-k", "lock", "-x"]
    assert pytest_arguments(["tests/infra/test_dev.py::run"], fast=False) == ["tests/infra/test_dev.py::run"]
    assert pytest_arguments(["tests/infra"], fast=True)[-1] == "not integration and not browser and not chaos"
