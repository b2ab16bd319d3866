"""Sessions: what a token is worth, to whom, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from libs.secrets.keys import MasterKey
from services.gateway.access import Identity, identify_session
from services.gateway.sessions import LIFE, PURPOSE, Session, Signer, opened, read, renewed
from services.gateway.sign_ins import MOST, TRIES, WINDOW, SignedOut, WrongKeys
from services.gateway.state import ApiKey, SystemState, User

NOW = datetime(2026, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC)
PREFIX = "0123456789abcdef"
KEY = ApiKey("k", "u", PREFIX, "00" * 32, None, "ci", NOW)
SIGNER = Signer(b"s" * 32)
RANDOM = bytes(range(16))


def system(key: ApiKey | None = KEY) -> SystemState:
    keys: Map[str, ApiKey] = Map({key.prefix: key}) if key is not None else Map()
    return SystemState(users=Map({"u": User("u", "ana", is_admin=True)}), keys=keys)


def token(session: Session | None = None, *, signer: Signer = SIGNER, key: ApiKey = KEY) -> str:
    return signer.token(session or opened(PREFIX, RANDOM, NOW), key)


def who(presented: str, state: SystemState | None = None, *, signer: Signer = SIGNER, now: datetime = NOW) -> Identity | None:
    found = identify_session(state or system(), signer, presented, now)
    return found[0] if found is not None else None


def test_a_session_stands_for_the_owner_of_its_key() -> None:
    assert who(token()) == Identity("u", is_admin=True)


def test_it_lasts_twelve_hours_and_not_a_second_longer() -> None:
    ends = NOW.replace(microsecond=0) + LIFE
    assert who(token(), now=ends - timedelta(seconds=1)) is not None
    assert who(token(), now=ends) is None


def test_one_that_is_used_past_half_of_its_life_goes_on_for_as_long_again_with_the_same_second_token() -> None:
    session, later = opened(PREFIX, RANDOM, NOW), NOW + LIFE / 2
    assert not session.is_due(NOW + LIFE / 3)
    assert session.is_due(later)
    longer = renewed(session, later)
    assert (longer.expires_at, longer.id) == (later.replace(microsecond=0) + LIFE, session.id)
    assert SIGNER.csrf(longer) == SIGNER.csrf(session)


@pytest.mark.parametrize(
    "key",
    [
        None,
        replace(KEY, id="another of the same prefix"),
        replace(KEY, expires_at=NOW),
        replace(KEY, user_id="somebody who is gone"),
    ],
    ids=["revoked", "made anew", "expired", "of nobody"],
)
def test_it_ends_with_its_key(key: ApiKey | None) -> None:
    assert who(token(), system(key)) is None


def test_nobody_can_write_one_without_the_signing_key() -> None:
    assert who(token(signer=Signer(b"t" * 32))) is None
    prefix, expiry, identity, mac = token().split(".")
    longer = f"{prefix}.{int(expiry) + 1}.{identity}.{mac}"
    another = f"{prefix}.{expiry}.{'A' * 22}.{mac}"
    assert (who(longer), who(another)) == (None, None)


@given(st.integers(0, 200), st.characters())
def test_whatever_is_changed_in_a_token_it_is_worth_nothing(place: int, char: str) -> None:
    whole = token()
    at = place % len(whole)
    changed = whole[:at] + char + whole[at + 1 :]
    assert (who(changed) is None) == (changed != whole)


@pytest.mark.parametrize(
    "text", ["", ".", "a.b.c.d", f"{PREFIX}.1.x.y", "٣".join(["1" * 16, ".1.", "a" * 22]), f"{PREFIX}.999999999999."]
)
def test_what_has_not_the_form_of_a_token_is_none(text: str) -> None:
    assert read(text) is None
    assert who(text) is None


def test_a_far_end_of_time_is_no_error() -> None:
    assert who(f"{PREFIX}.999999999999.{'A' * 22}.{'A' * 43}") is None


def test_the_second_token_is_of_one_session_alone() -> None:
    one, other = opened(PREFIX, RANDOM, NOW), opened(PREFIX, RANDOM[::-1], NOW)
    assert SIGNER.is_csrf(one, SIGNER.csrf(one))
    assert not SIGNER.is_csrf(one, SIGNER.csrf(other))
    assert not SIGNER.is_csrf(one, "")
    assert not SIGNER.is_csrf(one, "é")


def test_sessions_outlive_a_change_of_the_master_key_while_the_old_one_is_kept() -> None:
    old, new = b"o" * 32, b"n" * 32
    before = Signer(*MasterKey(old).derived(PURPOSE))
    both = Signer(*MasterKey(new, old).derived(PURPOSE))
    after = Signer(*MasterKey(new).derived(PURPOSE))
    session = opened(PREFIX, RANDOM, NOW)
    assert who(token(signer=before), signer=both) is not None
    assert both.is_csrf(session, before.csrf(session))
    assert who(token(signer=before), signer=after) is None
    assert who(token(signer=both), signer=after) is not None


def test_the_signing_key_is_not_the_master_key_nor_one_for_anything_else() -> None:
    master = MasterKey(b"m" * 32)
    (signing,) = master.derived(PURPOSE)
    assert len(signing) == 32
    assert signing != master.derived(b"another purpose")[0]


# --- what a process remembers ----------------------------------------------------------------------------------------------------------


def test_wrong_keys_from_one_address_are_looked_at_ten_times_a_minute() -> None:
    wrong = WrongKeys()
    for _ in range(TRIES):
        assert wrong.wait_s("a", NOW) == 0
        wrong.add("a", NOW)
    assert wrong.wait_s("a", NOW + timedelta(seconds=20)) == 40
    assert wrong.wait_s("b", NOW) == 0
    assert wrong.wait_s("a", NOW + WINDOW) == 0
    wrong.add("a", NOW + WINDOW)
    assert wrong.wait_s("a", NOW + WINDOW) == 0


def test_what_is_remembered_of_wrong_keys_has_a_bound() -> None:
    wrong = WrongKeys()
    for _ in range(TRIES):
        wrong.add("a", NOW)
    for number in range(MOST):
        wrong.add(f"b{number}", NOW)
    assert wrong.wait_s("a", NOW) == 0


def test_a_session_that_was_ended_is_remembered_for_as_long_as_its_cookie_could_last() -> None:
    out, session, other = SignedOut(), opened(PREFIX, RANDOM, NOW), opened(PREFIX, RANDOM[::-1], NOW)
    out.add(session, NOW)
    assert session in out
    assert renewed(session, NOW + LIFE / 2) in out
    assert other not in out
    out.add(other, NOW + LIFE)
    assert (session in out, other in out) == (False, True)
