"""Which values that a text's templates name came to nothing, so that whoever reads of the failure knows what to fill in; pure."""

from __future__ import annotations

import re
from typing import Final

from contracts.shapes import Json
from services.verifier.documents import rendered

MAX_CHARS: Final = 4_000
"""Texts that are longer are no addresses or names, and are not looked through."""
MAX_TOLD: Final = 5

_ACTION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_SILENT: Final = re.compile(r"\{\{-?\s*(?:/\*|\$\w*\s*:?=)")
"""Comments and assignments print nothing by design."""
_BLOCK: Final = re.compile(r"\{\{-?\s*(?:if|range|with|define|block|template)\b")
"""Inside of these an action means something else than by itself."""
_NOTHING: Final = frozenset({"", "<no value>"})


def unfilled(text: str, context: Json) -> list[str]:
    """The actions of a text that print nothing, as they are written; none of a text with blocks in it."""
    if "{{" not in text or len(text) > MAX_CHARS or _BLOCK.search(text):
        return []
    actions = (one for one in dict.fromkeys(_ACTION.findall(text)) if not _SILENT.match(one))
    return [one for one in actions if rendered(one, context).strip() in _NOTHING][:MAX_TOLD]
