"""Webhooks: what each sender's news says of a run, and that nothing forged or odd passes."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.shapes import ACTIVE
from libs.webhooks import argo_workflow, generic, github, signatures, tfe
from libs.webhooks.told import Ignored, NoWebhook, Told

JOB = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECRET = "open sesame"


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def run(**fields: Any) -> bytes:
    told = {
        "id": 42,
        "name": f"deploy {JOB}",
        "html_url": "https://github.example/r/42",
        "run_started_at": "2026-05-01T11:00:00Z",
        "updated_at": "2026-05-01T11:05:00Z",
        **fields,
    }
    return body({"workflow_run": told, "workflow": {"html_url": "https://github.example/w"}})


def told(found: Told | Ignored) -> Told:
    assert isinstance(found, Told), found
    return found


# --- GitHub ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status,conclusion,job",
    [
        ("completed", "success", "successful"),
        ("completed", "action_required", "actionRequired"),
        ("completed", "cancelled", "cancelled"),
        ("completed", "neutral", "skipped"),
        ("completed", "skipped", "skipped"),
        ("completed", "failure", "failure"),
        ("completed", "timed_out", "failure"),
        ("completed", "stale", "failure"),
        ("completed", "startup_failure", "failure"),
        ("completed", "something new", "failure"),
        ("completed", None, "successful"),
        ("in_progress", None, "inProgress"),
        ("queued", None, "inProgress"),
    ],
)
def test_gh_webhook_conclusions_table(status: str, conclusion: str | None, job: str) -> None:
    said = told(github.read("workflow_run", run(status=status, conclusion=conclusion)))
    assert (said.job_id, said.external_id, said.status) == (JOB, "42", job)
    ended = job not in ACTIVE
    assert (said.completed_at is not None) == ended
    assert said.told_at == datetime(2026, 5, 1, 11, 5, tzinfo=UTC)
    assert json.loads(said.metadata["ctrlplane/links"]) == {
        "Run": "https://github.example/r/42",
        "Workflow": "https://github.example/w",
    }


@pytest.mark.parametrize("event", ["push", None, "check_run"])
def test_github_event_of_another_kind_is_ignored(event: str | None) -> None:
    assert isinstance(github.read(event, b"not even JSON"), Ignored)


@pytest.mark.parametrize("name", ["deploy", "", None, 7])
def test_github_names_a_job_in_the_title_as_well(name: Any) -> None:
    told = github.read("workflow_run", run(name=name, display_title=f"Deploy {JOB}"))
    assert isinstance(told, Told)
    assert told.job_id == JOB
    both = github.read("workflow_run", run(display_title="aaaaaaaa-1111-4222-8333-000000000000"))
    assert isinstance(both, Told)
    assert both.job_id == JOB


@pytest.mark.parametrize("name", ["deploy", "", None, 7, JOB.upper()])
def test_github_run_without_a_job_id_is_ignored(name: Any) -> None:
    assert isinstance(github.read("workflow_run", run(name=name, status="completed")), Ignored)


# --- Terraform -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trigger,job",
    [
        ("run:created", "pending"),
        ("run:planning", "inProgress"),
        ("run:applying", "inProgress"),
        ("run:needs_attention", "actionRequired"),
        ("run:completed", "successful"),
        ("run:errored", "failure"),
    ],
)
def test_tfe_webhook_triggers(trigger: str, job: str) -> None:
    notice = {"trigger": trigger, "message": "said", "run_updated_at": "2026-05-01T11:05:00Z"}
    said = told(
        tfe.read(
            body(
                {
                    "run_id": "run-1",
                    "run_url": "https://tf.example/app/o/w/runs/run-1",
                    "run_message": f"Triggered by ctrlplane job {JOB}",
                    "notifications": [notice, {"trigger": "run:errored"}],
                }
            )
        )
    )
    assert (said.job_id, said.external_id, said.status, said.message) == (JOB, "run-1", job, "said")
    assert json.loads(said.metadata["ctrlplane/links"])["Workspace"] == "https://tf.example/app/o/w"


@pytest.mark.parametrize(
    "payload", [{}, {"notifications": []}, {"notifications": [{"trigger": "verification"}]}, {"notifications": "odd"}]
)
def test_tfe_ping_and_other_triggers_are_ignored(payload: Any) -> None:
    assert isinstance(tfe.read(body(payload)), Ignored)


# --- Argo Workflows ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "phase,job",
    [("Succeeded", "successful"), ("Failed", "failure"), ("Error", "failure"), ("Running", "inProgress"), ("Pending", "pending")],
)
def test_argo_phases(phase: str, job: str) -> None:
    said = told(argo_workflow.read(body({"phase": phase, "jobId": JOB, "uid": "u-1", "finishedAt": None})))
    assert (said.job_id, said.external_id, said.status, said.completed_at) == (JOB, "u-1", job, None)


@pytest.mark.parametrize(
    "raw", [b"", b"  ", body({"phase": "Succeeded", "jobId": None}), body({"phase": "Omitted", "jobId": JOB})]
)
def test_argo_event_that_says_nothing_is_ignored(raw: bytes) -> None:
    assert isinstance(argo_workflow.read(raw), Ignored)


# --- ours --------------------------------------------------------------------------------------------------------------------------


def test_call_back_is_read() -> None:
    said = generic.read(
        body({"jobId": JOB, "status": "successful", "message": "done", "links": {"Log": "https://l", "Bad": "javascript:1"}})
    )
    assert (said.job_id, said.status, said.message) == (JOB, "successful", "done")
    assert json.loads(said.metadata["ctrlplane/links"]) == {"Log": "https://l"}


@pytest.mark.parametrize("payload", [{}, {"jobId": "x"}, {"jobId": JOB, "status": "done"}, [], "text"])
def test_call_back_that_can_not_be_read_says_why(payload: Any) -> None:
    with pytest.raises(NoWebhook, match=r"\w{4,}"):
        generic.read(body(payload))


# --- genuine or not ----------------------------------------------------------------------------------------------------------------


def test_signatures_are_over_the_raw_bytes() -> None:
    raw = b'{ "b" : 1,\n"a": "\\u00e9" }'
    again = json.dumps(json.loads(raw)).encode()
    github_header = "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    tfe_header = hmac.new(SECRET.encode(), raw, hashlib.sha512).hexdigest()
    assert signatures.github_is_genuine(raw, github_header, SECRET)
    assert not signatures.github_is_genuine(again, github_header, SECRET)
    assert signatures.tfe_is_genuine(raw, tfe_header, SECRET)
    assert not signatures.tfe_is_genuine(again, tfe_header, SECRET)


@pytest.mark.parametrize("header", [None, "", "sha256=", "sha256=00", "x", "é", "\x00"])
def test_forged_or_missing_signature_is_not_genuine(header: str | None) -> None:
    assert not signatures.github_is_genuine(b"{}", header, SECRET)
    assert not signatures.tfe_is_genuine(b"{}", header, SECRET)
    assert not signatures.argo_is_genuine(header, SECRET)
    assert not signatures.is_ours(b"{}", header, SECRET, NOW)


def test_nothing_is_genuine_without_a_secret() -> None:
    assert not signatures.github_is_genuine(b"", "sha256=" + hmac.new(b"", b"", hashlib.sha256).hexdigest(), "")
    assert not signatures.tfe_is_genuine(b"", hmac.new(b"", b"", hashlib.sha512).hexdigest(), "")
    assert not signatures.argo_is_genuine("", "")
    assert not signatures.is_ours(b"", signatures.signed(b"", "", NOW), "", NOW)


@pytest.mark.parametrize("late", [timedelta(), signatures.TOLERANCE, -signatures.TOLERANCE])
def test_our_signature_holds_for_a_while(late: timedelta) -> None:
    assert signatures.is_ours(b"{}", signatures.signed(b"{}", SECRET, NOW), SECRET, NOW + late)


def test_our_signature_is_not_for_ever_nor_for_another_body_time_or_secret() -> None:
    header = signatures.signed(b"{}", SECRET, NOW)
    assert not signatures.is_ours(b"{}", header, SECRET, NOW + signatures.TOLERANCE + timedelta(seconds=1))
    assert not signatures.is_ours(b"{ }", header, SECRET, NOW)
    assert not signatures.is_ours(b"{}", header, "another", NOW)
    moved = header.replace(f"t={int(NOW.timestamp())}", f"t={int(NOW.timestamp()) + 1}")
    assert not signatures.is_ours(b"{}", moved, SECRET, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "workflow_run",
        "workflow",
        "name",
        "id",
        "status",
        "conclusion",
        "notifications",
        "trigger",
        "run_message",
        "run_url",
        "phase",
        "jobId",
        "uid",
        "links",
        "message",
    ]
)
ODD = st.dictionaries(FIELDS, JSON | st.just(JOB) | st.dictionaries(FIELDS, JSON | st.just(JOB)), max_size=6).map(body)


@given(ODD | st.binary(max_size=40))
def test_whatever_comes_is_told_ignored_or_refused(raw: bytes) -> None:
    readers: list[Any] = [lambda one: github.read("workflow_run", one), tfe.read, argo_workflow.read, generic.read]
    for read in readers:
        with contextlib.suppress(NoWebhook):
            assert isinstance(read(raw), Told | Ignored)
