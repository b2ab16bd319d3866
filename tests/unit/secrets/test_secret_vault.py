"""The vault: sealed before recording, opened for a call."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from libs.secrets.config import masked
from libs.secrets.fields import SecretFields
from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.problem import SecretProblem
from libs.secrets.references import MASK
from libs.secrets.sources import Sources
from libs.secrets.vault import MAX_FILLED, MAX_REFERENCES, Vault
from tests.unit.secrets.secret_scenes import CONFIGS, HERE, MASTER, THERE

FIELDS = SecretFields()
SOURCES = Sources({"SIGNALBOX_SECRET_TOKEN": "t0ken", "SIGNALBOX_SECRET_LARGE": "x" * 60_000}, None)


@pytest.fixture
def vault() -> Vault:
    return Vault(SOURCES, MemoryKeys(MASTER))


async def test_a_configuration_goes_in_sealed_and_comes_out_clear(vault: Vault) -> None:
    config = {
        "apiKey": "s3cret",
        "pin": {"password": 1234567890123},
        "header": "Bearer ${secret:env:SIGNALBOX_SECRET_TOKEN}",
        "n": 1,
    }
    kept = await vault.sealed(HERE, config, FIELDS)
    assert "s3cret" not in json.dumps(kept)
    assert "1234567890123" not in json.dumps(kept)
    opened = await vault.opened(HERE, kept)
    assert opened.config == {**config, "header": "Bearer t0ken"}
    assert opened.redacted.text("s3cret 1234567890123 t0ken 1") == f"{MASK} {MASK} {MASK} 1"
    assert "s3cret" not in repr(opened)


async def test_a_mask_keeps_what_is_known(vault: Vault) -> None:
    kept = await vault.sealed(HERE, {"apiKey": "s3cret", "url": "a"}, FIELDS)
    again = await vault.sealed(HERE, {**masked(kept), "url": "b"}, FIELDS, known=kept)
    assert again == {**kept, "url": "b"}
    with pytest.raises(SecretProblem, match="apiKey: •••••• stands for a secret that is not known here"):
        await vault.sealed(HERE, masked(kept), FIELDS)


async def test_a_key_is_remembered_for_a_time_and_no_longer() -> None:
    keys, now = MemoryKeys(MASTER), [0.0]
    vault = Vault(SOURCES, keys, remembered_s=5, ticks=lambda: now[0])
    kept = await vault.sealed(HERE, {"apiKey": "s3cret"}, FIELDS)
    assert (await vault.opened(HERE, kept)).config == {"apiKey": "s3cret"}
    await keys.destroy(HERE)
    now[0] = 4.9
    assert (await vault.opened(HERE, kept)).config == {"apiKey": "s3cret"}
    now[0] = 5.0
    with pytest.raises(SecretProblem, match="the key of this workspace's secrets is gone"):
        await vault.opened(HERE, kept)


async def test_another_workspace_opens_nothing(vault: Vault) -> None:
    kept = await vault.sealed(HERE, {"apiKey": "s3cret"}, FIELDS)
    with pytest.raises(SecretProblem, match="the key of this workspace's secrets is gone"):
        await vault.opened(THERE, kept)
    await vault.sealed(THERE, {"apiKey": "theirs"}, FIELDS)
    with pytest.raises(SecretProblem, match=r"^apiKey: the sealed secret can not be opened in this workspace"):
        await vault.opened(THERE, kept)
    with pytest.raises(SecretProblem, match=r"^apiKey: the sealed secret can not be opened in this workspace"):
        await vault.sealed(THERE, kept, FIELDS)


async def test_a_destroyed_key_takes_every_secret_with_it() -> None:
    keys = MemoryKeys(MASTER)
    vault = Vault(SOURCES, keys)
    kept = await vault.sealed(HERE, {"apiKey": "s3cret"}, FIELDS)
    assert await keys.destroy(HERE)
    with pytest.raises(SecretProblem, match="enter the secrets again"):
        await vault.opened(HERE, kept)
    await vault.sealed(HERE, {"apiKey": "new"}, FIELDS)
    with pytest.raises(SecretProblem) as told:
        await vault.opened(HERE, kept)
    assert told.value.code == "broken"


async def test_without_a_master_key_references_work_and_sealing_says_what_is_missing() -> None:
    vault = Vault(SOURCES, None)
    config = {"apiKey": "${secret:env:SIGNALBOX_SECRET_TOKEN}", "n": 1}
    assert await vault.sealed(HERE, config, FIELDS) == config
    assert (await vault.opened(HERE, config)).config == {"apiKey": "t0ken", "n": 1}
    kept = await Vault(SOURCES, MemoryKeys(MASTER)).sealed(HERE, {"apiKey": "s3cret"}, FIELDS)
    for refused in (vault.sealed(HERE, {"apiKey": "clear"}, FIELDS), vault.sealed(HERE, kept, FIELDS), vault.opened(HERE, kept)):
        with pytest.raises(SecretProblem, match="an operator sets SIGNALBOX_SECRET_KEY_FILE"):
            await refused


async def test_a_secret_that_is_missing_is_told_with_its_place(vault: Vault) -> None:
    with pytest.raises(SecretProblem, match=r"^headers/0/value: there is no variable SIGNALBOX_SECRET_NONE"):
        await vault.opened(HERE, {"headers": [{"value": "x ${secret:env:SIGNALBOX_SECRET_NONE}"}]})
    with pytest.raises(SecretProblem, match=r"^a: what begins with"):
        await vault.opened(HERE, {"a": "${secret:env:"})


async def test_secrets_that_look_like_references_are_only_text() -> None:
    vault = Vault(Sources({"SIGNALBOX_SECRET_A": "${secret:env:SIGNALBOX_SECRET_B}", "SIGNALBOX_SECRET_B": "b"}, None), None)
    assert (await vault.opened(HERE, ["${secret:env:SIGNALBOX_SECRET_A}"])).config == ["${secret:env:SIGNALBOX_SECRET_B}"]


async def test_large_secrets_named_many_times_do_not_fill_the_memory(vault: Vault) -> None:
    once = "${secret:env:SIGNALBOX_SECRET_LARGE}"
    assert len((await vault.opened(HERE, [once * 10])).config[0]) == 600_000
    for config in ([once * 1000], [once] * 1000):
        with pytest.raises(SecretProblem, match=f"more than {MAX_FILLED} characters together"):
            await vault.opened(HERE, config)
    with pytest.raises(SecretProblem, match=f"at most {MAX_REFERENCES} are opened"):
        await vault.opened(HERE, [f"${{secret:env:A{number}}}" for number in range(MAX_REFERENCES + 1)])


async def test_files_come_from_the_workspace(tmp_path: Path) -> None:
    (tmp_path / THERE).mkdir()
    (tmp_path / THERE / "token").write_text("theirs")
    vault = Vault(Sources({}, tmp_path), None)
    assert (await vault.opened(THERE, "${secret:file:token}")).config == "theirs"
    with pytest.raises(SecretProblem, match="there is no file token"):
        await vault.opened(HERE, "${secret:file:token}")


@settings(deadline=None, max_examples=100)
@given(CONFIGS)
async def test_round_trip(config: dict[str, Any]) -> None:
    config = json.loads(json.dumps(config).replace("${", "$ {"))
    vault = Vault(SOURCES, MemoryKeys(MASTER))
    kept = await vault.sealed(HERE, config, FIELDS)
    opened = await vault.opened(HERE, kept)
    assert opened.config == config
    assert dataclasses.is_dataclass(opened)


async def test_what_was_sent_comes_back_to_who_may_write_it(vault: Vault) -> None:
    sent = {"apiKey": "s3cret", "pin": {"password": 7}, "list": [{"name": "token", "value": "x"}], "n": [1, None, True]}
    references = {"header": "Bearer ${secret:env:SIGNALBOX_SECRET_TOKEN}", "unknown": "${secret:file:nothing}"}
    kept = await vault.sealed(HERE, {**sent, **references}, FIELDS)
    assert await vault.unsealed(HERE, [kept, {"plain": "${secret:odd"}]) == [{**sent, **references}, {"plain": "${secret:odd"}]
    part = {"header": f"Bearer {kept['apiKey']}"}
    assert await vault.unsealed(HERE, part) == {"header": "Bearer s3cret"}


async def test_what_can_not_be_opened_any_more_is_masked_for_who_reads_it() -> None:
    keys = MemoryKeys(MASTER)
    vault = Vault(SOURCES, keys)
    kept = await vault.sealed(HERE, {"apiKey": "s3cret", "url": "a"}, FIELDS)
    await vault.sealed(THERE, {"apiKey": "theirs"}, FIELDS)
    shown = {"apiKey": MASK, "url": "a"}
    assert await vault.unsealed(THERE, kept) == shown
    await keys.destroy(HERE)
    assert await vault.unsealed(HERE, kept) == shown
    assert await Vault(SOURCES, None).unsealed(HERE, kept) == shown
