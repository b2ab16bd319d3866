"""Variables and files: only what was set aside for configurations can be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from libs.secrets.problem import SecretProblem
from libs.secrets.references import Reference
from libs.secrets.sources import MAX_FILE_BYTES, Sources
from tests.unit.secrets.secret_scenes import HERE, THERE

ENVIRONMENT = {
    "SIGNALBOX_SECRET_TOKEN": "t0ken", "SIGNALBOX_SECRET_EMPTY": "", "SIGNALBOX_SECRET_KEY_FILE": "/there", "SIGNALBOX_SECRET_KEY": "master",
    "SIGNALBOX_SECRETS_DIR": "/here", "SIGNALBOX_POSTGRES": "postgresql://", "PATH": "/bin",
}  # fmt: skip


def read(sources: Sources, kind: str, name: str, workspace_id: str = HERE) -> str:
    assert kind in ("env", "file")
    return sources.text(workspace_id, Reference("env" if kind == "env" else "file", name))


def problem(sources: Sources, kind: str, name: str) -> SecretProblem:
    with pytest.raises(SecretProblem) as told:
        read(sources, kind, name)
    return told.value


def test_variables_that_were_set_aside() -> None:
    sources = Sources(ENVIRONMENT, None)
    assert read(sources, "env", "SIGNALBOX_SECRET_TOKEN") == "t0ken"
    assert read(sources, "env", "SIGNALBOX_SECRET_EMPTY") == ""
    assert problem(sources, "env", "SIGNALBOX_SECRET_NONE").code == "unknown"


@pytest.mark.parametrize(
    "name",
    ["PATH", "SIGNALBOX_POSTGRES", "SIGNALBOX_SECRETS_DIR", "SIGNALBOX_SECRET_KEY_FILE", "SIGNALBOX_SECRET_KEY", "SIGNALBOX_SECRET_", "", "signalbox_secret_token", "SIGNALBOX_SECRET_A=B"],
)  # fmt: skip
def test_other_variables_can_not_be_read(name: str) -> None:
    told = problem(Sources(ENVIRONMENT, None), "env", name)
    assert told.code == "forbidden"
    assert "only those whose names begin with SIGNALBOX_SECRET_" in told.message


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "secrets"
    made.mkdir()
    (tmp_path / "outside").write_text("not for you")
    (made / "token").write_text("t0ken\n")
    (made / "tls.key").write_text("line one\nline two\r\n")
    return made


def test_files_are_read_anew_at_each_use_without_the_last_line_break(folder: Path) -> None:
    sources = Sources({}, folder)
    assert read(sources, "file", "token") == "t0ken"
    assert read(sources, "file", "tls.key") == "line one\nline two"
    (folder / "token").write_text("changed")
    assert read(sources, "file", "token") == "changed"


def test_a_workspace_s_own_file_goes_first_and_is_nobody_else_s(folder: Path) -> None:
    (folder / HERE).mkdir()
    (folder / HERE / "token").write_text("ours")
    (folder / HERE / "only").write_text("ours alone")
    sources = Sources({}, folder)
    assert read(sources, "file", "token", HERE) == "ours"
    assert read(sources, "file", "token", THERE) == "t0ken"
    assert read(sources, "file", "only", HERE) == "ours alone"
    with pytest.raises(SecretProblem, match="there is no file only"):
        read(sources, "file", "only", THERE)


@pytest.mark.parametrize("name", ["../outside", "..", ".", "", "/etc/passwd", "a/b", ".hidden", "a\\b", "a\x00b", "x" * 201, "ü"])
def test_only_plain_names_are_read(folder: Path, name: str) -> None:
    told = problem(Sources({}, folder), "file", name)
    assert told.code == "forbidden"
    assert "without a path" in told.message


def test_a_link_out_of_the_folder_is_not_followed(folder: Path) -> None:
    (folder / "out").symlink_to(folder.parent / "outside")
    (folder / "up").symlink_to("../outside")
    (folder / "loop").symlink_to("loop")
    (folder / HERE).symlink_to(folder.parent)
    for name in ("out", "up"):
        assert problem(Sources({}, folder), "file", name).code == "forbidden"
    assert problem(Sources({}, folder), "file", "loop").code == "unavailable"


def test_links_inside_the_folder_are_followed_as_kubernetes_makes_them(folder: Path) -> None:
    (folder / "..2026").mkdir()
    (folder / "..2026" / "password").write_text("p")
    (folder / "..data").symlink_to("..2026")
    (folder / "password").symlink_to("..data/password")
    assert read(Sources({}, folder), "file", "password") == "p"


def test_what_is_no_text_of_reasonable_length_is_told(folder: Path) -> None:
    (folder / "large").write_text("x" * (MAX_FILE_BYTES + 1))
    (folder / "full").write_text("x" * MAX_FILE_BYTES)
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "inner").mkdir()
    os.mkfifo(folder / "pipe")
    sources = Sources({}, folder)
    assert len(read(sources, "file", "full")) == MAX_FILE_BYTES
    codes = {name: problem(sources, "file", name).code for name in ("large", "binary", "inner", "pipe", "missing")}
    assert codes == {"large": "too_large", "binary": "malformed", "inner": "forbidden", "pipe": "forbidden", "missing": "unknown"}


def test_without_a_folder_there_are_no_files(tmp_path: Path) -> None:
    told = problem(Sources({}, None), "file", "token")
    assert (told.code, "SIGNALBOX_SECRETS_DIR" in told.message) == ("unavailable", True)
    assert problem(Sources({}, tmp_path / "missing"), "file", "token").code == "unknown"
