"""Sprig's encodings and checksums."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable
from typing import Final

from libs.template.error import Fault
from libs.template.functions.signature import TEXT, Function
from libs.template.literals import utf8


def _decoder(decode: Callable[[str], bytes], name: str) -> Callable[[str], str]:
    def decoded(text: str) -> str:
        try:
            return decode(text.replace("\n", "").replace("\r", "")).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            raise Fault(f"the text is not {name}") from None

    return decoded


def _base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


TABLE: Final[dict[str, Function]] = {
    "b64enc": Function(lambda text: base64.b64encode(utf8(text)).decode(), (TEXT,)),
    "b64dec": Function(_decoder(_base64, "base64"), (TEXT,)),
    "b32enc": Function(lambda text: base64.b32encode(utf8(text)).decode(), (TEXT,)),
    "b32dec": Function(_decoder(base64.b32decode, "base32"), (TEXT,)),
    "sha1sum": Function(lambda text: hashlib.sha1(utf8(text), usedforsecurity=False).hexdigest(), (TEXT,)),
    "sha256sum": Function(lambda text: hashlib.sha256(utf8(text)).hexdigest(), (TEXT,)),
    "sha512sum": Function(lambda text: hashlib.sha512(utf8(text)).hexdigest(), (TEXT,)),
    "adler32sum": Function(lambda text: str(zlib.adler32(utf8(text))), (TEXT,)),
}
