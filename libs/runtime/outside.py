"""What effects go through to the outside: one way to call, one way to open secrets."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from libs.eventlog.port import EventLog
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.runtime.settings import Settings
from libs.secrets.keys import MasterKey, SecretKeys
from libs.secrets.postgres_keys import PostgresKeys
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault

KEY_REMEMBERED_S = 5.0
"""So long calls go on with a workspace's key without looking it up: hundreds a second would each ask the database for it."""


@dataclass(frozen=True, slots=True)
class OwnAccounts:
    """As whom this service acts, and signs, where a configuration does not say otherwise; what is empty is not there.

    Attributes:
        github_app_id, github_private_key, github_api_url: of a GitHub App; PEM.
        tfe_webhook_secret: of Terraform's notifications, for the Terraform at `tfe_address` alone.
    """

    github_app_id: str = ""
    github_private_key: str = field(default="", repr=False)
    github_api_url: str = ""
    tfe_webhook_secret: str = field(default="", repr=False)
    tfe_address: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """What a service's performer is given.

    Attributes:
        log: documents are read back from it by their positions.
        outbound: makes calls.
        vault: opens the secrets of configurations.
        keys: those that the vault opens them with; None where there are none.
        public_url: where we are called back, without a slash at the end; empty where nobody said.
        own: accounts of the service itself.
    """

    log: EventLog
    outbound: Outbound
    vault: Vault
    keys: SecretKeys | None = None
    public_url: str = ""
    own: OwnAccounts = OwnAccounts()

    async def close(self) -> None:
        """Close connections. Again changes nothing."""
        await self.outbound.close()
        if self.keys is not None:
            await self.keys.close()


def outside_of(settings: Settings, log: EventLog) -> Outside:
    """The outside as a process is set to see it. Raises: ValueError: a setting can not be used."""
    keys = None
    if settings.secret_key_file is not None:
        keys = PostgresKeys(settings.postgres, MasterKey.read(settings.secret_key_file))
    return Outside(
        log,
        Outbound(AddressRules.parse(settings.outbound_allow), ca_file=settings.outbound_ca_file),
        Vault(Sources(os.environ, settings.secrets_dir), keys, remembered_s=KEY_REMEMBERED_S),
        keys,
        settings.public_url.rstrip("/"),
        OwnAccounts(
            settings.github_app_id,
            _read(settings.github_private_key_file),
            settings.github_api_url.rstrip("/"),
            settings.tfe_webhook_secret,
            settings.tfe_address.rstrip("/"),
        ),
    )


def _read(file: Path | None) -> str:
    """The text of a file; empty for none. Raises: ValueError."""
    if file is None:
        return ""
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the private key in {file} can not be read: {error}") from None
