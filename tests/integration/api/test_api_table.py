"""Every row of the table, shown whole: its success with what can be read at once, and each class of error that it declares.

The tests are made from the rows themselves, and end with a look at what the checker saw: a row without a case fails.
"""

from __future__ import annotations

from typing import Any

import pytest

from services.gateway.http.app import operations
from tests.integration.api import (
    cases_of_catalog,
    cases_of_inventory,
    cases_of_jobs,
    cases_of_plans,
    cases_of_policies,
    cases_of_targets,
    cases_of_verifications,
    cases_of_versions,
    cases_of_workflows,
)
from tests.integration.api.cases import CONFLICT, LISTS, SUCCESS, Sent
from tests.integration.api.checker import NONE, Api, path_of
from tests.integration.api.row import Row
from tests.integration.api.scenes import new_id
from tests.integration.api.shapes import SOME_UUID
from tests.integration.api.table import NOUNS, ROWS, TABLE, row_of

pytestmark = pytest.mark.integration

MODULES = (
    cases_of_catalog,
    cases_of_inventory,
    cases_of_jobs,
    cases_of_plans,
    cases_of_policies,
    cases_of_targets,
    cases_of_verifications,
    cases_of_versions,
    cases_of_workflows,
)
"""What fills the registries."""

NIL = "00000000-0000-0000-0000-000000000000"


def _of(row: Row, sent: Sent, **other: str) -> dict[str, Any]:
    return {"op": row.op, "body": sent.body, "query": sent.query, **sent.params, **other}


def _somewhere(row: Row) -> dict[str, str]:
    """Path parameters of the right form that name nothing."""
    names = (part[1:-1] for part in row.path.split("/") if part.startswith("{"))
    return {name: "-".join([SOME_UUID] * 3) if name == "releaseTargetKey" else new_id() for name in names}


def _nowhere(row: Row) -> str:
    return path_of(row, _somewhere(row))


def _example(row: Row) -> Any:
    return row.body.example() if row.body is not None else NONE


# --- every status of every row ----------------------------------------------------------------------------------------------------

PARTS = {"refuses": (400, 401, 415), "does": (404, 200, 201, 202), "conflicts": (409,)}
"""What is shown in one go: what is refused at the door needs no world, and what is absent is looked for in the world of the success."""


def _parts(row: Row) -> dict[str, set[int]]:
    """The statuses of a row, by the part that shows them. Each belongs to one."""
    parts = {name: {one for one in row.statuses if one in of} for name, of in PARTS.items()}
    assert sorted(status for of in parts.values() for status in of) == sorted(row.statuses), row.op
    return {name: of for name, of in parts.items() if of}


@pytest.mark.parametrize("op,part", [(row.op, part) for row in TABLE for part in _parts(row)])
def test_each_operation_answers_what_its_row_declares(quiet: Api, op: str, part: str) -> None:
    row = ROWS[op]
    if part == "refuses":
        seen = refuses(quiet, row)
    elif part == "does":
        seen = does(quiet.new(), quiet, row)
    else:
        seen = conflicts(quiet.new(), row)
    assert {status for of, status in seen if of == op} >= _parts(row)[part]


def refuses(quiet: Api, row: Row) -> set[tuple[str, int]]:
    """What is refused before anything is looked up."""
    invalid(quiet, row)
    turned_away(quiet, row)
    if row.body is not None:
        not_json(quiet, row)
    return quiet.seen


def does(api: Api, quiet: Api, row: Row) -> set[tuple[str, int]]:
    """What is absent is told; then it succeeds, and what was written can be read without waiting."""
    case = SUCCESS[row.op](api)
    sent = next(case)
    absent(api, quiet, row, sent)
    answer = api.call(**_of(row, sent))
    with pytest.raises(StopIteration):
        case.send(answer)
    return api.seen | quiet.seen


def conflicts(api: Api, row: Row) -> set[tuple[str, int]]:
    """What is in the way is told."""
    error = api.refused(409, **_of(row, CONFLICT[row.op](api)))
    assert len(error["message"]) > 10
    return api.seen


def invalid(api: Api, row: Row) -> None:
    """What has not the declared form is refused, with its place, before anything is looked up."""
    path = _nowhere(row)
    # The body is as it should be, so that nothing but the query is wrong.
    for query in ("nonsense=1", "Limit=1"):
        _refused(api, row, f"{path}?{query}", _example(row), at="/query/")
    answer = api.send(row.method, path, _example(row), workspace_id="nonsense")
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "/params/workspaceId")
    if "limit" in row.query:
        for query in ("limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1&limit=2"):
            _refused(api, row, f"{path}?{query}", _example(row), at="/query/limit")
        for query in ("offset=-1", "offset=1.5", "offset=", "offset=99999999999999999999"):
            _refused(api, row, f"{path}?{query}", _example(row), at="/query/offset")
    if "cel" in row.query:
        _refused(api, row, f"{path}?cel=", _example(row), at="/query/cel")
    if row.body is not None:
        _refuse_bodies(api, row, path)


def _refuse_bodies(api: Api, row: Row, path: str) -> None:
    assert row.body is not None
    for body in row.body.wrong():
        _refused(api, row, path, body, at="/body")
    _refused(api, row, path, None, at="/body")
    headers = {"Content-Type": "application/json"}
    contents = [(b'{"name":', "SyntaxError"), (b"\xff", "SyntaxError"), *([] if row.may_be_bare else [(b"", "Bad Request")])]
    for content, code in contents:
        answer = api.send(row.method, path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, code)


def _refused(api: Api, row: Row, path: str, body: Any, *, at: str) -> None:
    answer = api.send(row.method, path, body)
    assert answer.status_code == 400, f"{row.method} {path} {body!r}: {answer.status_code} {answer.text}"
    error = answer.json()
    assert error["code"] == "Bad Request", f"{body!r}: {error}"
    assert error["details"][0]["path"].startswith(at), f"{body!r}: {error}"


def turned_away(api: Api, row: Row) -> None:
    """Without a credential, or with a wrong one, nothing is told."""
    for headers in ({"X-API-Key": ""}, {"X-API-Key": "0" * 16 + "." + "0" * 64}):
        answer = api.send(row.method, _nowhere(row), _example(row), headers=headers)
        assert answer.status_code == 401


def absent(api: Api, quiet: Api, row: Row, sent: Sent) -> None:
    """What the path names must be there, and in this workspace."""
    for workspace_id in (NIL, new_id()):
        # Where the body is at fault and not the workspace, the answer would be 400.
        assert api.send(row.method, _nowhere(row), _example(row), workspace_id=workspace_id).status_code == 404
    if row.absent:
        # All of it is there, but not here.
        assert quiet.ask(**_of(row, sent)).status_code == 404
    for name in row.absent:
        malformed = row.malformed if name.endswith(("Id", "Key")) else 404
        for value, status in ((_somewhere(row)[name], 404), ("nonsense", malformed)):
            answer = api.ask(**_of(row, sent, **{name: value}))
            assert answer.status_code == status, f"{name}={value}: {answer.status_code} {answer.text}"


def not_json(api: Api, row: Row) -> None:
    """A body is taken as JSON only."""
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {}):
        answer = api.send(row.method, _nowhere(row), content=b'{"name":"x"}', headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "Unsupported Media Type")


# --- lists ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [row.op for row in TABLE if row.paged or row.op == "resource.search"])
def test_each_list_is_paged(api: Api, op: str) -> None:
    """`total` counts before paging, the order is the same each time, and the defaults are told."""
    row = ROWS[op]
    made = LISTS[op](api)

    def page(**paging: int) -> Any:
        if made.paged_by_body:
            return api.call(op, {**made.sent.body, **paging}, **made.sent.params)
        return api.call(op, made.sent.body, {**(made.sent.query or {}), **paging}, **made.sent.params)

    def seen(**paging: int) -> tuple[list[Any], int, int, int]:
        got = page(**paging)
        return [made.name_of(one) for one in got["items"]], got["total"], got["limit"], got["offset"]

    assert seen() == (made.names, 3, row.page_size, 0)
    assert seen(limit=2) == (made.names[:2], 3, 2, 0)
    assert seen(limit=2, offset=2) == (made.names[2:], 3, 2, 2)
    assert seen(limit=1, offset=1) == (made.names[1:2], 3, 1, 1)
    assert seen(offset=3) == ([], 3, row.page_size, 3)
    assert seen(limit=1000, offset=1) == (made.names[1:], 3, 1000, 1)
    assert page() == page()


# --- the table itself -------------------------------------------------------------------------------------------------------------


def test_every_operation_that_is_served_has_a_row_and_every_row_is_served() -> None:
    served = {
        (one.method, one.path.removeprefix("/v1/workspaces/{workspaceId}")) for one in operations().values() if one.workspace
    }
    ours = {(method, path) for method, path in served if path.split("/")[1:2] and path.split("/")[1] in NOUNS}
    rows = {(row.method, row.path) for row in TABLE}
    assert sorted(ours - rows) == []
    assert sorted(rows - ours) == []


def test_a_method_that_a_path_does_not_know_is_405_with_those_that_it_knows(quiet: Api) -> None:
    paths = {row.path: row for row in TABLE}
    for row in paths.values():
        methods = {one.method for one in TABLE if one.path == row.path}
        for method in sorted({"GET", "PUT", "POST", "PATCH", "DELETE"} - methods):
            path = _nowhere(row)
            other = row_of(method, path)
            answer = quiet.send(method, path, _example(other) if other is not None else NONE)
            if other is not None:
                # Another path has this form and takes the method, but knows no such thing, or sees that it is no id.
                no_id = answer.status_code == 400 and answer.json()["details"][0]["path"].startswith("/params/")
                assert answer.status_code == 404 or no_id, (method, path, answer.text)
            else:
                assert answer.status_code == 405
                assert set(answer.headers["allow"].split(", ")) >= methods
