"""How migrations are named and numbered."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.eventlog.migration import EVENTLOG_MIGRATIONS, migrations


def test_the_migrations_of_the_log_are_numbered_from_one() -> None:
    assert [one.number for one in migrations(EVENTLOG_MIGRATIONS)][:2] == [1, 2]


@pytest.mark.parametrize(
    "names,message",
    [
        (["1_first.sql"], "not named NNNN_name.sql"),
        (["0001_first.sql", "0003_third.sql"], "a gap"),
        (["0001_first.sql", "0001_other.sql"], "twice"),
        (["0001 first.sql"], "not named NNNN_name.sql"),
    ],
)
def test_a_folder_that_is_out_of_order_is_refused(tmp_path: Path, names: list[str], message: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(AssertionError, match=message):
        migrations(tmp_path)
