"""Durations as people write them: ISO 8601, of parts that have one length."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.gateway.http.bodies import ChangeFreeze
from services.gateway.http.validation import body_of


@pytest.mark.parametrize(
    "text,length",
    [
        ("PT90M", timedelta(minutes=90)),
        ("P1DT12H", timedelta(hours=36)),
        ("P2W", timedelta(days=14)),
        ("PT1H2M3S", timedelta(hours=1, minutes=2, seconds=3)),
    ],
)
def test_a_duration_is_read(text: str, length: timedelta) -> None:
    sent = {"expiresIn": text}
    found, problems = body_of(sent, b'{"expiresIn":"%s"}' % text.encode(), ChangeFreeze)
    assert (problems, found and found.expires_in) == ([], length)


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "PT0S", "P1M", "P1Y", "-PT1H", "PT1.5H", "1h", "60", "PT1H ", "P1H", "P99999999D", "PT\u0661H"],
)
def test_what_has_no_one_length_is_refused(text: str) -> None:
    found, problems = body_of({"expiresIn": text}, b'{"expiresIn":"%s"}' % text.encode(), ChangeFreeze)
    assert (found, [one["path"] for one in problems]) == (None, ["/body/expiresIn"])
