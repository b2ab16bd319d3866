"""Links of a job for people: the metadata key `ctrlplane/links`, JSON of labels to URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from libs.webhooks.told import links

LINKS: Final = "ctrlplane/links"


def with_links(metadata: Mapping[str, str], /, **named: str | None) -> dict[str, str]:
    """What is to be added to a job's metadata so that it has these links; nothing where it has them.

    Labels that are there stay as they are: webhooks and polling may write the same place in two ways, and must not take turns.
    """
    known = _known(metadata)
    new = orjson.loads(links(**{label: url for label, url in named.items() if label not in known}))
    return {LINKS: orjson.dumps({**known, **new}).decode()} if new else {}


def joined(metadata: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """What is told of a job, with its earlier links beside those that are told."""
    new = _known(told)
    return {**told, LINKS: orjson.dumps({**_known(metadata), **new}).decode()} if new else dict(told)


def _known(metadata: Mapping[str, str]) -> dict[str, object]:
    """The links in metadata; what people wrote there instead is none."""
    try:
        known = orjson.loads(metadata.get(LINKS, "{}"))
    except orjson.JSONDecodeError:
        return {}
    return known if isinstance(known, dict) else {}
