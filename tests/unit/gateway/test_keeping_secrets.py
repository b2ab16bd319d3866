"""What a mask stands for, and when the secret itself must be given again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from libs.secrets.config import masked
from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.problem import SecretProblem
from libs.secrets.references import MASK
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.gateway.configs.keeping import OF_ANY_TYPE, fields_of, kept, reads_back, stands_for_known
from services.gateway.masking import masked as masked_answer
from tests.unit.secrets.secret_scenes import HERE, MASTER

VAULT = Vault(Sources({}, None), MemoryKeys(MASTER))
SENT: dict[str, Any] = {"serverUrl": "https://a.example", "apiKey": "s3cret", "template": "x", "n": 1}


def sealed(config: Any) -> Any:
    return asyncio.run(VAULT.sealed(HERE, config, OF_ANY_TYPE))


@pytest.fixture(scope="module")
def known() -> Any:
    return sealed(SENT)


def refused(config: Any, known: Any, **more: Any) -> SecretProblem:
    with pytest.raises(SecretProblem) as problem:
        kept(config, known, **more)
    return problem.value


def test_masks_mean_what_is_known(known: Any) -> None:
    assert stands_for_known(masked(known))
    assert not stands_for_known(SENT)
    assert kept({**masked(known), "template": "y", "n": 2}, known) == {**known, "template": "y", "n": 2}


def test_a_sealed_text_that_is_sent_back_is_as_good_as_its_mask(known: Any) -> None:
    assert kept(known, known) == known


def test_a_sealed_text_from_elsewhere_is_refused(known: Any) -> None:
    assert refused({"apiKey": known["apiKey"]}, None).code == "unknown"
    problem = refused({**masked(known), "other": {"token": sealed({"token": "theirs"})["token"]}}, known)
    assert (problem.code, problem.path) == ("unknown", ("other", "token"))


def test_a_mask_behind_which_nothing_is_known_is_refused(known: Any) -> None:
    assert (refused({"apiKey": MASK}, None).code, refused({"apiKey": MASK}, {"apiKey": "${secret:env:X}"}).code) == (
        "masked",
        "masked",
    )


@pytest.mark.parametrize(
    "name", ["serverUrl", "address", "url", "apiUrl", "cancel_url", "token-url", "host", "endpoint", "SERVER_ADDRESS"]
)
def test_a_secret_is_not_sent_to_another_address_by_who_does_not_know_it(name: str) -> None:
    known = sealed({"apiKey": "s3cret", name: "https://a.example", "plain": 1})
    for moved in ({**masked(known), name: "https://evil.example"}, {"apiKey": MASK}):
        problem = refused(moved, known)
        assert (problem.code, problem.path) == ("forbidden", ("apiKey",))
        assert name in problem.message
    assert kept({**masked(known), name: "https://a.example/"}, known)["apiKey"] == known["apiKey"]
    assert kept({"apiKey": "s3cret", name: "https://evil.example"}, known)["apiKey"] == "s3cret"


def test_an_address_that_comes_anew_is_another_one() -> None:
    known = sealed({"token": "s3cret", "namespace": "x"})
    assert refused({**masked(known), "serverUrl": "https://evil.example"}, known).code == "forbidden"


def test_where_notifications_go_has_nothing_to_do_with_the_token(known: Any) -> None:
    before = {**known, "webhookUrl": "https://a.example"}
    assert kept({**masked(before), "webhookUrl": "https://b.example"}, before)["apiKey"] == known["apiKey"]


def test_a_secret_that_would_be_used_in_another_way_is_given_again(known: Any) -> None:
    assert refused(masked(known), known, same_kind=False).code == "forbidden"


def test_what_is_secret_for_one_type_is_secret_where_the_type_is_not_known() -> None:
    assert "headers" in OF_ANY_TYPE.names
    assert "headers" in fields_of("webhook").names
    assert fields_of("jenkins").names == frozenset()


def test_who_is_shown_its_secrets() -> None:
    assert [one for one in ("argo-cd", "jenkins", "http-pull", "tfe", "argo-workflow", "webhook", "kubernetes") if reads_back(one)] == [
        "argo-cd", "jenkins", "http-pull",
    ]  # fmt: skip


def test_sealed_texts_are_masked_wherever_they_stand_in_an_answer(known: Any) -> None:
    text = f'{{"a":"Bearer {known["apiKey"]}","b":["{known["apiKey"]}"],"c":"${{secret:env:X}}"}}'.encode()
    assert masked_answer(text) == f'{{"a":"Bearer {MASK}","b":["{MASK}"],"c":"${{secret:env:X}}"}}'.encode()
    # What only begins so must not swallow the rest of the answer.
    odd = b'{"a":"${secret:sealed:abc","b":{"c":"}"}}'
    assert masked_answer(odd) == odd
