"""Sealed secrets in answers: people get a mask for them, which they may send back; pure."""

from __future__ import annotations

import re
from typing import Final

from libs.secrets.references import MASK, SEALED

_OPENING: Final = SEALED.encode()
_SEALED: Final = re.compile(re.escape(_OPENING) + rb"[A-Za-z0-9_\-]*}")
_MASK: Final = MASK.encode()


def masked(answer: bytes) -> bytes:
    """The JSON of an answer with the mask in place of what is sealed, wherever it stands: documents of agents are part of many answers."""
    return _SEALED.sub(_MASK, answer) if _OPENING in answer else answer
