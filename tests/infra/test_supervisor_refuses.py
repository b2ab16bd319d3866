"""What keeps the system from starting is said in one line, with exit code 1."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.embedded.datadir import DataDir
from infra.embedded.problem import CannotStart
from tests.infra.supervised import Running

Start = Callable[..., Running]


def test_a_folder_of_a_newer_version_is_refused(tmp_path: Path, supervise: Start) -> None:
    (tmp_path / "version").write_text("2\n", "utf-8")
    running = supervise(tmp_path)
    lines = running.rest()
    assert running.process.returncode == 1
    assert len(lines) == 1
    assert "newer Signalbox (version 2, this one knows 1)" in lines[0]


def test_a_version_that_is_no_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "version").write_text("one\n", "utf-8")
    with pytest.raises(CannotStart, match="should hold a number and holds 'one'"):
        DataDir(tmp_path)


def test_a_port_in_use_is_refused(tmp_path: Path, supervise: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        running = supervise(tmp_path / "data", port)
        lines = running.rest()
    assert running.process.returncode == 1
    assert len(lines) == 1
    assert f"can not listen on 127.0.0.1:{port}: Address already in use" in lines[0]


def test_a_folder_that_can_not_be_made_is_refused(tmp_path: Path, supervise: Start) -> None:
    (tmp_path / "file").touch()
    running = supervise(tmp_path / "file" / "data")
    lines = running.rest()
    assert running.process.returncode == 1
    assert len(lines) == 1
    assert "can not write to" in lines[0]


def test_a_folder_locked_by_what_a_killed_instance_left_is_waited_for(tmp_path: Path) -> None:
    first = DataDir(tmp_path)
    first.publish(8080, {})
    # The one named as owner is another process, long gone: whoever holds the lock is an orphan of it.
    (tmp_path / "supervisor.json").write_text('{"pid": 1, "started": "0", "port": 8080, "processes": {}}', "utf-8")
    with pytest.raises(CannotStart, match="left behind"):
        DataDir(tmp_path, orphans_wait_s=0.05)
    first.close()
    DataDir(tmp_path, orphans_wait_s=0.05).close()


@pytest.mark.integration
def test_a_folder_in_use_is_refused(tmp_path: Path, supervise: Start) -> None:
    running = supervise(tmp_path)
    running.hear("Signalbox is ready")
    second = supervise(tmp_path)
    lines = second.rest()
    assert second.process.returncode == 1
    assert len(lines) == 1
    assert f"in use by a running instance (process {running.process.pid}, port {running.described()['port']})" in lines[0]
    assert running.stop() == 0
