"""A dead letter says what is needed to find the cause, and no secret, wherever it stood in what was sent."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from contracts.command import Answer, Refusal
from libs.bus.dead_letter import letter_of
from libs.secrets.references import MASK

WORKSPACE = "4f4a4938-3443-59c9-a720-644a35e74cbc"
SECRET = "s3cr3t-in-clear"
EVENT = {"specversion": "1.0", "id": "42", "source": "/ci", "type": "dispatcher.save_job_agent", "subject": "agent"}


def letter(data: Any, *, is_read: bool = True, message: str = "no", details: Any = None, **more: Any) -> Any:
    answer = Answer(refusal=Refusal(kind="invalid", code="C", message=message, details=details))
    kept = letter_of(WORKSPACE, orjson.dumps({**EVENT, **more, "data": data}), answer, is_read=is_read)
    assert SECRET.encode() not in kept
    return orjson.loads(kept)


def test_what_could_be_read_keeps_all_but_its_secrets() -> None:
    config = {
        "serverUrl": f"https://me:{SECRET}@argo.example/x",
        "apiKey": SECRET,
        "webhookSecret": "${secret:env:HOOK}",
        "password": "${secret:sealed:abc}",
        "extra": [{"name": "Authorization", "value": SECRET}, {"name": "Accept", "value": "any"}],
        "note": f"the key is {SECRET}",
        "pin": 7,
        "authToken": 123_456,
    }
    kept = letter({"name": "argo", "config": config})["event"]
    assert {name: kept[name] for name in EVENT} == EVENT
    assert kept["data"] == {
        "name": "argo",
        "config": {
            "serverUrl": f"https://{MASK}@argo.example/x",
            "apiKey": MASK,
            "webhookSecret": "${secret:env:HOOK}",
            "password": MASK,
            "extra": [{"name": "Authorization", "value": MASK}, {"name": "Accept", "value": "any"}],
            "note": f"the key is {MASK}",
            "pin": 7,
            "authToken": MASK,
        },
    }


def test_a_password_in_an_address_is_hidden_however_the_address_is_written() -> None:
    config = {
        "serverUrl": f"me:{SECRET}@argo.example",
        "note": f"https://me:a/{SECRET}@x.example and https://{{{{ .a }}}}:{SECRET}@y.example",
    }
    kept = letter({"name": "argo", "config": config})["event"]["data"]["config"]
    assert kept == {"serverUrl": f"{MASK}@argo.example", "note": f"https://{MASK}@x.example and https://{MASK}@y.example"}


def test_what_could_not_be_read_keeps_its_form() -> None:
    data = {"nmae": SECRET, "list": [1, True, None, SECRET, {"x": 1.5}], "many": list(range(60))}
    kept = letter(data, is_read=False)["event"]["data"]
    assert kept["nmae"] == "text of 15 characters"
    assert kept["list"] == ["number", "boolean", "null", "text of 15 characters", {"x": "number"}]
    assert kept["many"][-1] == "… 10 more elements"


def test_a_reason_does_not_repeat_a_value_but_says_where() -> None:
    details = [
        {"path": "config", "message": f"Value error, {SECRET} is no object", "errorCode": "value_error"},
        {"path": "name", "message": "Input should be a valid string", "errorCode": "string_type"},
    ]
    reason = letter({"config": SECRET}, is_read=False, message=f"malformed: config: {SECRET}", details=details)["reason"]
    assert reason["message"] == "malformed: config, name"
    assert [one["path"] for one in reason["details"]] == ["config", "name"]
    assert reason["details"][1]["message"] == "Input should be a valid string"
    reason = letter({"apiKey": SECRET}, message=f"who is {SECRET}?")["reason"]
    assert reason["message"] == f"who is {MASK}?"


def test_of_data_that_is_very_large_the_form_is_kept() -> None:
    assert letter({"text": "x" * 300_000})["event"]["data"] == {"text": "text of 300000 characters"}


def test_what_is_no_json_keeps_its_size() -> None:
    answer = Answer(unavailable="nobody answers")
    kept = orjson.loads(letter_of(WORKSPACE, SECRET.encode(), answer, is_read=False))
    assert kept == {"workspace_id": WORKSPACE, "reason": {"message": "nobody answers"}, "event": {"bytes": len(SECRET)}}


def test_an_event_without_data_keeps_the_names_of_its_fields() -> None:
    answer = Answer(refusal=Refusal(kind="invalid", code="C", message="no"))
    kept = orjson.loads(letter_of(WORKSPACE, orjson.dumps({"id": 5, "payload": SECRET}), answer, is_read=False))
    assert kept["event"] == {"bytes": 36, "fields": {"id": "number", "payload": "text of 15 characters"}}


_JSON = st.recursive(
    st.sampled_from([SECRET, f"x{SECRET}y", "plain", 5, None, True]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "name", "value", "x-token"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_is_below_a_secret_field_is_hidden_and_no_value_is_kept_of_what_could_not_be_read(data: Any) -> None:
    letter({"apiKey": data})
    letter(data, is_read=False)
