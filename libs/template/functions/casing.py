"""Sprig's functions that change the case of words, or find the words in a name."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from libs.template.functions.signature import TEXT, Function

_CONNECTORS: Final = re.compile(r"[_\- ]")
_SEGMENT: Final = re.compile(r"([_\- ]*)([^_\- ]*)")
_WORDS: Final = re.compile(r"D[LD]*|(?:U+(?=UL)|U?L+|U+)(?:D+(?![LD]))?|P+|S+")
"""Words of a name, over the classes of its characters. Digits end the word before them, unless a small letter follows: `20x`."""

_TITLE_START: Final = re.compile(r"(?<!\w)\w")
_AFTER_SPACE: Final = re.compile(r"(?<!\S)\S")


def _class(one: str) -> str:
    if one.isupper():
        return "U"
    if one.isdecimal():
        return "D"
    if one.isalpha():
        return "L"
    return "S" if unicodedata.category(one)[0] == "S" else "P"


def _connected(text: str, connector: str) -> str:
    """The words in small letters with a connector between them; punctuation needs none."""
    made: list[str] = []
    for segment in _CONNECTORS.split(text):
        classes = "".join(map(_class, segment))
        parts: list[str] = []
        glued = True
        for found in _WORDS.finditer(classes):
            punctuation = found[0][0] == "P"
            if not (glued or punctuation):
                parts.append(connector)
            parts.append(segment[found.start() : found.end()].lower())
            glued = punctuation
        made.append("".join(parts))
    return connector.join(made)


def _camel(text: str) -> str:
    """The words without what connects them, each with a large first letter; of several connectors one goes."""
    made: list[str] = []
    for found in _SEGMENT.finditer(text):
        connectors, word = found.groups()
        if word:
            made.append(connectors if found.start() == 0 else connectors[:-1])
            run = next((place for place, one in enumerate(word) if not one.isupper()), len(word)) or 1
            made.append(word[0].upper() + word[1:run].lower() + word[run:])
        else:
            made.append(connectors)
    return "".join(made)


TABLE: Final[dict[str, Function]] = {
    "title": Function(lambda text: _TITLE_START.sub(lambda found: found[0].title(), text), (TEXT,)),
    "untitle": Function(lambda text: _AFTER_SPACE.sub(lambda found: found[0].lower(), text), (TEXT,)),
    "swapcase": Function(lambda text: text.swapcase(), (TEXT,)),
    "initials": Function(lambda text: "".join(_AFTER_SPACE.findall(text)), (TEXT,)),
    "snakecase": Function(lambda text: _connected(text, "_"), (TEXT,)),
    "kebabcase": Function(lambda text: _connected(text, "-"), (TEXT,)),
    "camelcase": Function(_camel, (TEXT,)),
}
