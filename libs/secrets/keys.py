"""The port to the workspaces' keys, and the master key that wraps them."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from libs.secrets.problem import SecretProblem
from libs.secrets.sealing import KEY_BYTES
from libs.secrets.sources import KEY_SETTING

MAX_KEY_FILE_BYTES: Final = 64 * 1024
_PURPOSE: Final = b"signalbox workspace key 1"
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}){32,128}")


class KeysUnavailable(Exception):
    """The keys can not be reached now; try again."""


class SecretKeys(Protocol):
    """One random key per workspace. Destroying it destroys every secret that was sealed with it."""

    async def making(self, workspace_id: str) -> bytes:
        """The key, made when there is none: for sealing. Raises: KeysUnavailable; SecretProblem as `existing`."""

    async def existing(self, workspace_id: str) -> bytes | None:
        """The key, 64 bytes; None when there is none (any more): for opening.

        Raises: KeysUnavailable. SecretProblem: `unavailable`: it is wrapped by a master key that this process does not have.
        """

    async def destroy(self, workspace_id: str) -> bool:
        """Destroy the key; False when there was none. Raises: KeysUnavailable."""

    async def rewrap(self) -> int:
        """Wrap every key with the current master key; how many were not. Raises: as `existing`."""

    async def close(self) -> None:
        """Let go of connections. Again changes nothing."""


@dataclass(frozen=True, slots=True, repr=False)
class WrappedKey:
    """A workspace's key as it is stored: the id of the master key that wraps it, and the wrapped bytes."""

    master: str
    wrapped: bytes


class MasterKey:
    """Wraps the keys of workspaces.

    Args:
        materials: secret bytes, 32 or more each; the first one wraps, the others only open what they wrapped before.
    """

    def __init__(self, *materials: bytes) -> None:
        assert materials, "a master key has at least one part"
        self._keys = {_fingerprint(one): _derived(one) for one in materials}
        self.id = _fingerprint(materials[0])
        """Names the part that wraps, and tells nothing about it."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file of `SIGNALBOX_SECRET_KEY_FILE`: one line of 64 or more hex digits; after a change the older ones below it.

        Raises: ValueError: says what is wrong with the file, and nothing of its content.
        """
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_KEY_FILE_BYTES)
        except OSError as error:
            raise ValueError(f"{KEY_SETTING}: {path} can not be read: {error.strerror}") from error
        lines = [line.strip() for line in raw.decode("ascii", errors="replace").splitlines() if line.strip()]
        if not lines or not all(_HEX.fullmatch(line) for line in lines):
            raise ValueError(
                f"{KEY_SETTING}: {path} must hold 64 to 256 hex digits in a line; make one with `openssl rand -hex 32`"
            )
        return cls(*(bytes.fromhex(line) for line in lines))

    def derived(self, purpose: bytes) -> tuple[bytes, ...]:
        """A key of 32 bytes from each part, for something else than wrapping: the first for what is made from now on."""
        return tuple(HKDF(algorithm=SHA512(), length=32, salt=None, info=purpose).derive(one) for one in self._keys.values())

    def wrap(self, workspace_id: str, key: bytes) -> WrappedKey:
        """Wrap a workspace's key."""
        return WrappedKey(self.id, AESSIV(self._keys[self.id]).encrypt(key, _bound(workspace_id)))

    def unwrap(self, workspace_id: str, stored: WrappedKey) -> bytes:
        """The key that was wrapped. Raises: SecretProblem: `unavailable`."""
        key = self._keys.get(stored.master)
        if key is None:
            raise SecretProblem(
                "unavailable",
                f"the workspace's key was wrapped by the master key {stored.master}, and the file of {KEY_SETTING} holds only "
                f"{', '.join(self._keys)}: an operator adds the older one in a line below",
            )
        try:
            return AESSIV(key).decrypt(stored.wrapped, _bound(workspace_id))
        except InvalidTag:
            raise SecretProblem("unavailable", "the workspace's key was changed in the database and can not be used") from None


def new_key() -> bytes:
    """A random key of a workspace."""
    return secrets.token_bytes(KEY_BYTES)


def _bound(workspace_id: str) -> list[bytes]:
    return [_PURPOSE, UUID(workspace_id).bytes]


def _derived(material: bytes) -> bytes:
    assert len(material) >= 32, "a master key has at least 32 bytes"
    return HKDF(algorithm=SHA512(), length=KEY_BYTES, salt=None, info=b"signalbox master key 1").derive(material)


def _fingerprint(material: bytes) -> str:
    return hashlib.sha256(b"signalbox master key id 1" + _derived(material)).hexdigest()[:16]
