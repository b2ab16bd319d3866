"""Keys, boxes and configurations for tests of secrets."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import strategies as st

from libs.secrets.keys import MasterKey
from libs.secrets.sealing import SecretBox

HERE = "0d1f2c3b-4a59-4687-9a1b-2c3d4e5f6071"
THERE = "5e6f7081-92a3-44b4-85c6-d7e8f9010203"


def key(word: str) -> bytes:
    """64 bytes that are the same for the same word."""
    return hashlib.sha512(word.encode()).digest()


BOX = SecretBox(HERE, key("here"))
OTHER = SecretBox(THERE, key("there"))
MASTER = MasterKey(key("master"))

FIELDS = ("apiKey", "password", "webhook-secret", "TOKEN", "serverUrl", "name", "template")
SECRETS = st.text(st.sampled_from("abcXYZ019 -_/+=\"'\\\n{}$:ü☃"), min_size=1, max_size=40)
SCALARS = st.one_of(
    SECRETS, st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False)
)
CONFIGS = st.dictionaries(
    st.sampled_from(FIELDS),
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3)),
        max_leaves=8,
    ),
    max_size=5,
)


def leaves(value: Any) -> list[Any]:
    """Every value of a configuration that is no list or object."""
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in leaves(one)]
    return [leaf for one in value for leaf in leaves(one)] if isinstance(value, list) else [value]
