"""What only the database shows: nothing in clear, and an outage is told as one."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from libs.eventlog.migration import migrate
from libs.secrets.keys import KeysUnavailable, MasterKey
from libs.secrets.postgres_keys import SECRETS_MIGRATIONS, PostgresKeys

pytestmark = pytest.mark.integration
HERE = "0d1f2c3b-4a59-4687-9a1b-2c3d4e5f6071"


async def test_the_row_is_of_no_use_without_the_master_key(postgres: str) -> None:
    await migrate(postgres, component="secrets", folder=SECRETS_MIGRATIONS)
    assert await migrate(postgres, component="secrets", folder=SECRETS_MIGRATIONS) == ()
    keys = PostgresKeys(postgres, MasterKey(b"m" * 32))
    made = await keys.making(HERE)
    await keys.close()
    with psycopg.connect(postgres) as connection:
        rows = connection.execute("SELECT workspace_id::text, master, wrapped FROM es.secret_key").fetchall()
    ((workspace_id, master, wrapped),) = rows
    assert (workspace_id, master) == (HERE, MasterKey(b"m" * 32).id)
    assert made not in wrapped
    assert made[:16] not in wrapped


async def test_an_outage_is_told_as_one(tmp_path: Path) -> None:
    keys = PostgresKeys(make_conninfo(host=str(tmp_path), dbname="none"), MasterKey(b"m" * 32))
    with pytest.raises(KeysUnavailable):
        await keys.existing(HERE)
    await keys.close()
