"""The accounts that the service itself has outside, from its settings to the agents that act by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.eventlog.memory import MemoryLog
from libs.runtime.outside import outside_of
from libs.runtime.settings import Settings
from services.dispatcher.adapters.github_api import AppKey, GithubApi
from services.dispatcher.adapters.performing import built_in_agents


async def test_agents_act_by_the_app_of_the_service(tmp_path: Path) -> None:
    file = tmp_path / "app.pem"
    file.write_text("-----BEGIN", encoding="ascii")
    settings = Settings(
        postgres="", github_app_id="7", github_private_key_file=file, github_api_url="https://ghe.example/api/v3/"
    )
    outside = outside_of(settings, MemoryLog())
    assert GithubApi.of(outside).own == AppKey("7", "-----BEGIN", "https://ghe.example/api/v3")
    assert "-----BEGIN" not in repr(outside)
    await outside.close()


async def test_without_settings_there_is_no_account() -> None:
    outside = outside_of(Settings(postgres=""), MemoryLog())
    assert GithubApi.of(outside).own is None
    assert {"github-app", "tfe"} <= set(built_in_agents(outside))
    await outside.close()


def test_a_key_that_can_not_be_read_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the private key in .*gone\.pem can not be read"):
        outside_of(Settings(postgres="", github_private_key_file=tmp_path / "gone.pem"), MemoryLog())


def test_settings_do_not_show_secrets() -> None:
    assert "open sesame" not in repr(Settings(postgres="", tfe_webhook_secret="open sesame"))
