"""The checker of the API, checked: whatever departs from the table is a problem, and nothing else is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.api.checker import path_of, problems_of
from tests.integration.api.row import Row
from tests.integration.api.shapes import SOME_UUID
from tests.integration.api.table import ROWS, TABLE, row_of

ROW = ROWS["environment.get"]
WHOLE = {**ROW.answer.example(), "systems": []}


def answer(status: int, body: Any = None, content_type: str = "application/json", **more: Any) -> httpx.Response:
    return httpx.Response(status, headers={"content-type": content_type}, **({"json": body} if "content" not in more else more))


def problems(given: httpx.Response, row: Row | None = ROW, known: bool = True) -> list[str]:
    given.headers["content-type"] = given.headers["content-type"].partition(";")[0]
    return list(problems_of(row, known, given))


# --- answers ----------------------------------------------------------------------------------------------------------------------


def test_what_is_as_declared_is_no_problem() -> None:
    assert problems(answer(200, {**WHOLE, "more": 5, "seenAt": "2026-01-02T03:04:05.678Z"})) == []
    assert problems(answer(404, {"message": "no", "error": "no"})) == []
    assert (
        problems(answer(400, {"message": "no", "error": "no", "code": "X", "details": [{"path": "/body", "message": "m"}]})) == []
    )


@pytest.mark.parametrize(
    "body",
    [
        {name: value for name, value in WHOLE.items() if name != "id"},
        {**WHOLE, "name": 5},
        {**WHOLE, "id": "AAAAAAAA-2222-4333-8444-555555555555"},
        {**WHOLE, "description": None},
        {**WHOLE, "more": None},
        {**WHOLE, "metadata": {"a": 1}},
        {**WHOLE, "metadata": []},
        {**WHOLE, "createdAt": "2026-01-02T03:04:05Z"},
        {**WHOLE, "createdAt": "2026-01-02T03:04:05.678+00:00"},
        {**WHOLE, "seenAt": "yesterday"},
        {**WHOLE, "systems": [{}]},
        {**WHOLE, "systems": {}},
        [],
        "x",
        None,
    ],
)
def test_a_body_of_another_form_is_a_problem(body: Any) -> None:
    assert problems(answer(200, body))


@pytest.mark.parametrize("status", [201, 202, 204, 302, 409, 415, 500, 503])
def test_a_status_that_is_not_declared_is_a_problem(status: int) -> None:
    body = WHOLE if status < 400 else {"message": "no", "error": "no"}
    assert any(f"{status}" in one for one in problems(answer(status, body)))


def test_an_answer_that_is_no_json_is_a_problem() -> None:
    assert problems(answer(200, WHOLE, "text/plain"))
    assert problems(answer(200, content=b"", content_type="application/json"))
    assert problems(answer(404, content=b"not found", content_type="text/plain"))


@pytest.mark.parametrize(
    "body",
    [
        {"message": "no"},
        {"error": "no"},
        {"message": "", "error": ""},
        {"message": "no", "error": "yes"},
        {"message": "no", "error": {"a": 1}},
        {"message": "no", "error": "no", "code": 5},
        {"message": "no", "error": "no", "stack": "…"},
        {"message": "no", "error": "no", "details": "text"},
        {"message": "no", "error": "no", "details": [{"path": "/body"}]},
        {"message": "no", "error": "no", "details": ["text"]},
        ["no"],
    ],
)
def test_an_error_of_another_form_is_a_problem_wherever_it_comes_from(body: Any) -> None:
    assert problems(answer(404, body))
    assert problems(answer(404, body), None, known=False)


def test_what_has_no_row_may_only_be_absent() -> None:
    absent = {"message": "not found", "error": "not found"}
    assert problems(answer(404, absent), None) == []
    assert problems(answer(200, {}), None)
    assert problems(answer(200, {}), None, known=False) == []


# --- the table --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", TABLE, ids=[row.op for row in TABLE])
def test_each_row_says_what_it_needs_to(row: Row) -> None:
    assert ROWS[row.op] is row
    assert all(f"{{{name}}}" in row.path for name in row.absent)
    assert row_of(row.method, path_of(row, dict.fromkeys(names_of(row), SOME_UUID))) is row
    assert list(row.answer.problems(row.answer.example(), "")) == []


def names_of(row: Row) -> list[str]:
    return [part[1:-1] for part in row.path.split("/") if part.startswith("{")]


@pytest.mark.parametrize("row", [row for row in TABLE if row.body is not None], ids=lambda row: row.op)
def test_each_body_that_is_meant_to_be_refused_departs_from_its_form(row: Row) -> None:
    assert row.body is not None
    assert list(row.body.problems(row.body.example(), "")) == []
    refused = row.body.wrong()
    assert len(refused) >= 2
    for body in refused:
        assert list(row.body.problems(body, "")), body
