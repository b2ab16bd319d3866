"""Seals secrets of one workspace: AES-SIV, so that the same secret of the same workspace always gives the same text, and saving a thing
again changes nothing. Pure, given the key."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from libs.secrets.problem import SecretProblem
from libs.secrets.references import Reference

KEY_BYTES: Final = 64
"""AES-SIV takes two keys of 256 bits."""

MAX_SECRET_BYTES: Final = 32 * 1024

_VERSION: Final = b"\x01"
_PURPOSE: Final = b"signalbox secret 1"
_TEXT, _JSON = b"t", b"j"


@dataclass(frozen=True, slots=True, repr=False)
class SecretBox:
    """What seals and opens the secrets of one workspace.

    Attributes:
        workspace_id: bound into everything sealed: another workspace can not open it, even under the same key.
        key: 64 bytes.
    """

    workspace_id: str
    key: bytes

    def seal(self, value: str | float) -> Reference:
        """Seal a text or number. Raises: SecretProblem: `too_large`, or `malformed` for what is no text."""
        try:
            plain = _TEXT + value.encode() if isinstance(value, str) else _JSON + orjson.dumps(value)
        except (UnicodeEncodeError, orjson.JSONEncodeError) as error:
            raise SecretProblem("malformed", f"the secret can not be written as bytes ({type(error).__name__})") from None
        if len(plain) > MAX_SECRET_BYTES:
            raise SecretProblem("too_large", f"the secret has {len(plain)} bytes, at most {MAX_SECRET_BYTES} can be sealed")
        sealed = _VERSION + AESSIV(self.key).encrypt(plain, self._bound())
        return Reference("sealed", base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii"))

    def open(self, sealed: str) -> str | int | float:
        """What was sealed, given the name of its reference.

        Raises: SecretProblem: `broken`: it was changed, or sealed for another workspace or under a key that is gone.
        """
        broken = SecretProblem("broken", "the sealed secret can not be opened in this workspace; enter the secret again")
        try:
            raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            # The decoder overlooks foreign characters and unused bits; a text that we would not have written is not ours.
            if raw[:1] != _VERSION or base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != sealed:
                raise broken
            plain = AESSIV(self.key).decrypt(raw[1:], self._bound())
        except (binascii.Error, ValueError, InvalidTag):
            raise broken from None
        if plain[:1] == _TEXT:
            return plain[1:].decode()
        value = orjson.loads(plain[1:])
        assert isinstance(value, int | float), "only texts and numbers are sealed"
        return value

    def _bound(self) -> list[bytes]:
        return [_PURPOSE, UUID(self.workspace_id).bytes]
