"""What every store of workspaces' keys does."""

from __future__ import annotations

import asyncio

import pytest

from libs.secrets.keys import MasterKey
from libs.secrets.problem import SecretProblem
from libs.secrets.sealing import KEY_BYTES
from tests.conformance.secrets.conftest import Open

HERE = "0d1f2c3b-4a59-4687-9a1b-2c3d4e5f6071"
THERE = "5e6f7081-92a3-44b4-85c6-d7e8f9010203"
OLD, NEW = b"o" * 32, b"n" * 32


async def test_a_key_is_made_once_and_is_there_for_every_process(open_keys: Open) -> None:
    one, other = open_keys(MasterKey(OLD)), open_keys(MasterKey(OLD))
    assert await one.existing(HERE) is None
    made = await one.making(HERE)
    assert len(made) == KEY_BYTES
    assert await one.making(HERE) == await other.making(HERE) == await other.existing(HERE.upper()) == made


async def test_each_workspace_has_a_key_of_its_own(open_keys: Open) -> None:
    keys = open_keys(MasterKey(OLD))
    assert await keys.making(HERE) != await keys.making(THERE)


async def test_of_many_that_make_it_at_once_all_get_the_same(open_keys: Open) -> None:
    processes = [open_keys(MasterKey(OLD)) for _ in range(4)]
    assert len(set(await asyncio.gather(*(keys.making(HERE) for keys in processes * 5)))) == 1


async def test_a_destroyed_key_is_gone_for_every_process_and_the_next_is_another(open_keys: Open) -> None:
    one, other = open_keys(MasterKey(OLD)), open_keys(MasterKey(OLD))
    made, theirs = await one.making(HERE), await one.making(THERE)
    assert await other.existing(HERE) == made
    assert await one.destroy(HERE)
    assert not await one.destroy(HERE)
    assert await other.existing(HERE) is None
    assert await other.making(HERE) != made
    assert await other.existing(THERE) == theirs


async def test_another_master_key_opens_nothing_and_makes_nothing(open_keys: Open) -> None:
    made = await open_keys(MasterKey(OLD)).making(HERE)
    stranger = open_keys(MasterKey(NEW))
    for refused in (stranger.existing(HERE), stranger.making(HERE), stranger.rewrap()):
        with pytest.raises(SecretProblem, match="an operator adds the older one") as told:
            await refused
        assert told.value.code == "unavailable"
    assert await open_keys(MasterKey(OLD)).existing(HERE) == made


async def test_the_master_key_can_be_changed(open_keys: Open) -> None:
    old = open_keys(MasterKey(OLD))
    here, there = await old.making(HERE), await old.making(THERE)
    both = open_keys(MasterKey(NEW, OLD))
    assert await both.existing(HERE) == here
    assert (await both.rewrap(), await both.rewrap()) == (2, 0)
    new = open_keys(MasterKey(NEW))
    assert (await new.existing(HERE), await new.existing(THERE)) == (here, there)
    with pytest.raises(SecretProblem):
        await old.existing(HERE)
