"""The story in the README, run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.supervised import ROOT, Running

START = "infra/dev up --no-demo --port 0 --data ~/signalbox-story"


def story() -> str:
    """The block of shell between the words that say how to start it and what happened in the end."""
    found = re.search(r"## The story, with curl\n.*?```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.integration
def test_the_story_works_as_it_is_written(tmp_path: Path, supervise: Callable[..., Running]) -> None:
    assert START in (ROOT / "README.md").read_text("utf-8")
    running = supervise(tmp_path / "signalbox-story", options=("--no-demo",))
    running.hear("Signalbox is ready")
    environment = {**os.environ, "HOME": str(tmp_path), "no_proxy": "127.0.0.1"}
    # The reader looks at the explanation again until the deployment is through, however slow this machine is.
    again = "until api GET /release-targets/$PRD/explanation | field message | grep 'v1.0.0 runs here'; do :; done\n"
    told = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=story() + again,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=100,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Nothing runs here yet. v1.0.0 is blocked." in told.stdout
    assert "approval by 1 more person" in told.stdout
    assert '"error"' not in told.stdout
    assert running.stop() == 0
