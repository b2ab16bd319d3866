"""Make the dashboard's files, or check its sources.

python -m infra.ui            make the files when their sources changed
python -m infra.ui check      the types of its sources
python -m infra.ui test       the tests of its logic
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from infra.ui.building import CannotBuild, Tools, build, node_beside
from infra.ui.sources import Dashboard

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str]) -> int:
    """Do what is asked; 0 when it went well."""
    dashboard = Dashboard(ROOT)
    node = partial(node_beside, Path(sys.prefix), dashboard.node_lock)
    try:
        if not arguments:
            build(dashboard, node)
            return 0
        if arguments not in (["check"], ["test"]):
            print((__doc__ or "").strip(), file=sys.stderr)
            return 2
        tools = Tools(dashboard.sources, node())
        tools.install()
        return tools.show(arguments[0])
    except (CannotBuild, OSError) as problem:
        print(f"infra/ui: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
