"""The package that `pip wheel .` makes: complete, with the dashboard in it, made and run where there is no Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections import Counter
from pathlib import Path

import httpx
import pytest

from infra.ui.__main__ import main as make_dashboard
from infra.ui.building import build, node_beside
from infra.ui.sources import STAMP, Dashboard
from tests.story.house import started

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PARTS = ("contracts", "libs", "services", "infra")
FILES = ("pyproject.toml", "requirements-ui.lock", "README.md", "LICENSE", ".gitignore")


@pytest.fixture(scope="session")
def bare_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with a shell and without any Node."""
    folder = tmp_path_factory.mktemp("path")
    for name in ("sh", "env", "dirname", "uname"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    assert shutil.which("node", path=str(folder)) is None
    return str(folder)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout with the dashboard's files, as a person has it after `infra/dev up`."""
    assert make_dashboard([]) == 0
    copy = tmp_path_factory.mktemp("package") / "checkout"
    copy.mkdir()
    for name in PARTS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in FILES:
        shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def wheel(checkout: Path, bare_path: str) -> Path:
    """The package, built from the copy by the build backend of the test environment."""
    into = checkout.parent / "wheels"
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(into), str(checkout)],
        env={**os.environ, "PATH": bare_path},
        check=True,
    )
    (made,) = into.glob("signalbox-*.whl")
    return made


def test_it_holds_every_module_and_each_of_the_dashboards_files_once(checkout: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        count = Counter(archive.namelist())
    modules = {one.relative_to(checkout).as_posix() for part in PARTS for one in (checkout / part).rglob("*.py")}
    migrations = {one.relative_to(checkout).as_posix() for one in checkout.rglob("*.sql")}
    dashboard = Dashboard(checkout)
    stamped = json.loads((dashboard.made / STAMP).read_text("utf-8"))["files"]
    assets = {f"services/gateway/static/{name}" for name in stamped}
    assert any(name.endswith(".js.br") for name in assets)
    assert {name: count[name] for name in modules | migrations | assets if count[name] != 1} == {}
    assert not [name for name in count if name.startswith(("services/gateway/ui/", "tests/")) or "node_modules" in name]


def test_installed_in_a_new_environment_it_serves_the_dashboard(wheel: Path, bare_path: str, tmp_path: Path) -> None:
    """What it depends on is borrowed from the test environment; what is ours comes out of the package alone."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    (site_packages,) = environment.glob("lib/python3*/site-packages")
    # A folder that is named in a .pth file has none of its own .pth files read, so the checkout does not come with it.
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    (environment / "bin" / "nats-server").symlink_to(Path(sysconfig.get_path("scripts")) / "nats-server")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet", str(wheel)],
        check=True,
    )
    found = subprocess.run(
        [python, "-P", "-c", "import infra, services.gateway; print(infra.__file__, services.gateway.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(Path(one).is_relative_to(site_packages) for one in found.stdout.split())
    with started(tmp_path / "data", python=str(python), cwd=tmp_path, path=bare_path) as house:
        page = httpx.get(house.url, headers={"Accept": "text/html"}, timeout=60)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        with zipfile.ZipFile(wheel) as archive:
            names = [
                name for name in archive.namelist() if name.startswith("services/gateway/static/assets/") and name.endswith(".js")
            ]
            assert any(f'src="/assets/{Path(name).name}"' in page.text for name in names)
            for name in names:
                asset = httpx.get(f"{house.url}/assets/{Path(name).name}", headers={"Accept-Encoding": "identity"}, timeout=60)
                assert (asset.status_code, asset.content) == (200, archive.read(name))


def test_the_files_are_made_by_the_node_that_pip_brings(checkout: Path, bare_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the same sources come the same files, where nothing on the path is called node."""
    before = Dashboard(checkout)
    copy = Dashboard(checkout.parent / "sources alone")
    shutil.copytree(before.sources, copy.sources)
    shutil.copytree(checkout / "contracts/openapi", copy.root / "contracts/openapi")
    shutil.copy(before.node_lock, copy.node_lock)
    # What npm would install, without asking for it again.
    (copy.sources / "node_modules").symlink_to(Dashboard(ROOT).sources / "node_modules")
    monkeypatch.setenv("PATH", bare_path)
    assert build(copy, lambda: node_beside(Path(sys.prefix), Dashboard(ROOT).node_lock))
    assert copy.is_current()
    assert made(copy) == made(before)


def made(dashboard: Dashboard) -> dict[str, bytes]:
    """What is served; the rest names places of the machine that made it."""
    files = {one.relative_to(dashboard.made).as_posix(): one for one in dashboard.made.rglob("*") if one.is_file()}
    return {name: one.read_bytes() for name, one in files.items() if not name.startswith(".")}
