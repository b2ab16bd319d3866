"""Secrets are taken out of what leaves."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.secrets.redaction import Redacted
from libs.secrets.references import MASK
from tests.unit.secrets.secret_scenes import SECRETS

TOKEN = "s3cr/et+t0k=n ü"
PEM = "-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG9w0B\nAQEFAASCAUAwggE8AgEAAkEA\n-----END KEY-----\n"


@pytest.mark.parametrize(
    "text,left",
    [
        (f"401 for Bearer {TOKEN}!", f"401 for Bearer {MASK}!"),
        (f"GET /x?token={quote(TOKEN, safe='')}", f"GET /x?token={MASK}"),
        (f"GET /x?token={quote_plus(TOKEN)}&a=1", f"GET /x?token={MASK}&a=1"),
        (json.dumps({"said": TOKEN}), f'{{"said": "{MASK}"}}'),
        ("nothing of it", "nothing of it"),
        ("key MIIBVgIBADANBgkqhkiG9w0B is bad", f"key {MASK} is bad"),
        (f"<{PEM}>", f"<{MASK}>"),
    ],
)
def test_known_secrets_are_taken_out_in_every_spelling(text: str, left: str) -> None:
    assert Redacted([TOKEN, PEM]).text(text) == left


@pytest.mark.parametrize(
    "secret,shown",
    [
        ("Bearer abcdef123", "abcdef123"),
        ("token  abcdef123", "abcdef123"),
        (f"Basic {base64.b64encode(b'ann:correct horse').decode()}", "correct horse"),
        ("postgresql://ann:p%40ssw0rd@db.example/shop", "p@ssw0rd"),
        ("postgresql://ann:p%40ssw0rd@db.example/shop", "p%40ssw0rd"),
        ("https://ann:passw0rd@db.example:443/x?y=@", "passw0rd"),
        ("host=db user=ann password=passw0rd", "passw0rd"),
        (r"host=db password = 'pass \'w0rd' user=ann", "pass 'w0rd"),
    ],
)
def test_what_is_secret_in_a_secret_is_taken_out_by_itself(secret: str, shown: str) -> None:
    assert Redacted([secret]).text(f"you are <{shown}>") == f"you are <{MASK}>"


@pytest.mark.parametrize(
    "secret",
    [
        "Bearer 12345",
        "postgresql://ann:12345@db.example/shop",
        "postgresql://ann@db.example/12345",
        "password=12345",
        "Basic 12345",
    ],
)
def test_a_short_part_of_a_secret_is_left_where_it_may_be_anything(secret: str) -> None:
    assert Redacted([secret]).json({"value": 12345, "text": "12345 ann"}) == {"value": 12345, "text": "12345 ann"}


@pytest.mark.parametrize("user", ["", "a", "an", "ann", "anna"])
@pytest.mark.parametrize("after", ["", "x", "xy"])
def test_a_password_is_taken_out_of_an_authorization_header(user: str, after: str) -> None:
    coded = base64.b64encode(f"{user}:correct horse{after}".encode()).decode()
    left = Redacted(["correct horse"]).text(f"sent Basic {coded}")
    assert MASK in left
    kept = left.removeprefix("sent Basic ").replace(MASK, "").rstrip("=")
    assert len(kept) <= len(base64.b64encode(f"{user}:{after}".encode())) + 2


@settings(deadline=None)
@given(st.lists(SECRETS, min_size=1, max_size=3), SECRETS, SECRETS)
def test_no_secret_is_left_in_any_text(secrets: list[str], before: str, after: str) -> None:
    redacted = Redacted(secrets)
    for secret in secrets:
        left = redacted.text(f"{before} {secret} {after}")
        gone = left.replace(MASK, "\x00")
        # Short ones are part of many words and are taken out only where they stand alone.
        assert f" {secret} " not in gone or not secret.strip()
        assert len(secret.strip()) < 4 or secret not in gone


def test_a_secret_inside_another_leaves_nothing_of_it_behind() -> None:
    assert Redacted(["pass", "password-long"]).text("password-long") == MASK


def test_short_secrets_do_not_shred_messages() -> None:
    assert Redacted(["ab"]).text("about ab, cab: ab") == f"about {MASK}, cab: {MASK}"


def test_nothing_known_changes_nothing() -> None:
    for nothing in (Redacted(), Redacted([""]), Redacted(["\n", " "])):
        assert nothing.text("a b\n") == "a b\n"


def test_json_and_errors() -> None:
    redacted = Redacted([TOKEN, "12345"])
    said = {TOKEN: [f"x {TOKEN}", 12345, 7, 1.5, True, None, {"deep": (TOKEN,)}]}
    assert redacted.json(said) == {MASK: [f"x {MASK}", MASK, 7, 1.5, True, None, {"deep": [MASK]}]}
    assert redacted.error(ValueError(f"no {TOKEN}")) == f"no {MASK}"
    assert redacted.error(KeyError()) == "KeyError"


def test_an_answer_of_a_thousand_levels_is_no_accident() -> None:
    deep: object = TOKEN
    for _ in range(1000):
        deep = [deep]
    left: object = Redacted([TOKEN]).json(deep)
    while isinstance(left, list):
        (left,) = left
    assert left == MASK
