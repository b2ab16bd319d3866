"""What effects go through to the outside: one way to call, one way to open secrets."""

from __future__ import annotations

import os
from dataclasses import dataclass

from libs.eventlog.port import EventLog
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.runtime.settings import Settings
from libs.secrets.keys import MasterKey, SecretKeys
from libs.secrets.postgres_keys import PostgresKeys
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault


@dataclass(frozen=True, slots=True)
class Outside:
    """What a service's performer is given.

    Attributes:
        log: documents are read back from it by their positions.
        outbound: makes calls.
        vault: opens the secrets of configurations.
        keys: those that the vault opens them with; None where there are none.
    """

    log: EventLog
    outbound: Outbound
    vault: Vault
    keys: SecretKeys | None = None

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
        Vault(Sources(os.environ, settings.secrets_dir), keys),
        keys,
    )
