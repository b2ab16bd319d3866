"""Ids that derive from other ids, so that a decision made again gives the same ones."""

from __future__ import annotations

from hashlib import sha1


def derived(cause_id: str, name: str) -> str:
    """uuid5 of a name in the namespace of another id, as text.

    The same as `str(uuid.uuid5(uuid.UUID(cause_id), name))` for a canonical id, without the three objects: every recorded fact gets one.
    """
    digest = bytearray(sha1(bytes.fromhex(cause_id.replace("-", "")) + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
