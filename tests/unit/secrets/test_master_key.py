"""The file with the master key, and what it wraps."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.secrets.keys import MasterKey, WrappedKey, new_key
from libs.secrets.problem import SecretProblem
from tests.unit.secrets.secret_scenes import HERE, THERE, key


def test_a_wrapped_key_opens_for_its_workspace_alone() -> None:
    master, made = MasterKey(key("master")), new_key()
    wrapped = master.wrap(HERE, made)
    assert made not in wrapped.wrapped
    assert master.unwrap(HERE, wrapped) == made
    for workspace_id, stored in ((THERE, wrapped), (HERE, WrappedKey(wrapped.master, wrapped.wrapped[:-1] + b"\0\0"))):
        with pytest.raises(SecretProblem, match="was changed in the database"):
            master.unwrap(workspace_id, stored)


def test_older_keys_open_and_the_first_one_wraps() -> None:
    old, both = MasterKey(key("old")), MasterKey(key("new"), key("old"))
    made = new_key()
    assert both.unwrap(HERE, old.wrap(HERE, made)) == made
    again = both.wrap(HERE, made)
    assert again.master == both.id == MasterKey(key("new")).id
    with pytest.raises(SecretProblem, match=f"wrapped by the master key {both.id}, and the file .* holds only {old.id}"):
        old.unwrap(HERE, again)


def test_the_file_holds_hex_lines(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{'0a' * 32}\n\n  {'0B' * 64}  \n")
    read = MasterKey.read(file)
    assert read.id == MasterKey(b"\x0a" * 32).id
    made = new_key()
    assert read.unwrap(HERE, MasterKey(b"\x0b" * 64).wrap(HERE, made)) == made


@pytest.mark.parametrize(
    "text", ["", "\n", "secret words", "0a" * 31, "0a" * 32 + "0", "0a" * 129, f"{'0a' * 32}\nno hex", "ü" * 64]
)
def test_a_file_that_holds_no_key_is_told_without_its_content(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"SIGNALBOX_SECRET_KEY_FILE: .*key must hold 64 to 256 hex digits") as told:
        MasterKey.read(file)
    assert len(text) < 4 or text[:4] not in str(told.value).replace(str(file), "")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can not be read: No such file"):
        MasterKey.read(tmp_path / "missing")
    with pytest.raises(ValueError, match="can not be read: Is a directory"):
        MasterKey.read(tmp_path)
