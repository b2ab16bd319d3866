"""The board over HTTP: the matrix, the targets of a cell and the inbox, now and as of the past; every answer has its declared form."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from services.gateway.http import answers
from tests.integration.api import scenes
from tests.integration.api.checker import Api
from tests.integration.api.scenes import Shop, new_id

pytestmark = pytest.mark.integration


def get(api: Api, path: str, form: type[BaseModel]) -> Any:
    answer = api.send("GET", path)
    assert answer.status_code == 200, answer.text
    form.model_validate_json(answer.content)
    return answer.json()


def matrix(api: Api, query: str = "") -> Any:
    return get(api, f"/board{query}", answers.BoardAnswer)


def rollout(api: Api, at: Shop, query: str = "") -> Any:
    return get(api, f"/board/rollouts/{at.deployment}/{at.environment}{query}", answers.BoardRollout)


def inbox(api: Api, query: str = "") -> Any:
    return get(api, f"/board/approvals{query}", answers.BoardApprovals)


def careful(api: Api) -> str:
    body = {"name": "careful", "rules": [{"anyApproval": {"minApprovals": 1}}]}
    return str(api.send("POST", "/policies", body).json()["id"])


def test_an_empty_workspace_has_an_empty_matrix(quiet: Api) -> None:
    shown = matrix(quiet)
    assert (shown["deployments"], shown["environments"], shown["cells"], shown["approvals"]) == ([], [], [], 0)
    assert set(shown["counters"].values()) == {0}


def test_what_was_just_written_is_on_the_board(api: Api) -> None:
    at = scenes.shop(api)
    assert [one["name"] for one in matrix(api)["deployments"]] == ["api"]
    version = scenes.version(api, at.deployment)
    scenes.deployed(api, at, version)
    (cell,) = matrix(api)["cells"]
    assert (cell["key"], cell["status"], cell["done"], cell["targets"]) == (f"{at.deployment}/{at.environment}", "healthy", 1, 1)
    assert (cell["desired"]["versionId"], cell["running"][0]["tag"]) == (version, "v1")


def test_the_targets_of_a_cell_are_paged_and_filtered(api: Api) -> None:
    at = scenes.shop(api)
    ids = [scenes.resource(api, name) for name in ("a", "b")]
    scenes.recorded(api, "planner.targets_changed.v1", lambda fact: ids[1] in fact["added"])
    version = scenes.version(api, at.deployment)
    scenes.recorded(
        api,
        "dispatcher.job_status_changed.v1",
        lambda fact: fact["status"] == "successful" and rollout(api, at)["cell"]["done"] == 3,
    )
    page = rollout(api, at, f"?limit=2&versionId={version}")
    assert ([one["identifier"] for one in page["items"]], page["total"]) == (["a", "b"], 3)
    assert {one["verdict"] for one in page["items"]} == {"running"}
    assert [one["order"] for one in rollout(api, at, "?limit=2&offset=2")["items"]] == [2]
    assert rollout(api, at, "?status=failed")["total"] == 0
    assert page["cell"]["statuses"]["healthy"] == 3


def test_the_inbox_says_who_can_act(api: Api) -> None:
    careful(api)
    at = scenes.shop(api)
    version = scenes.version(api, at.deployment)
    scenes.recorded(api, "policy.rule_evaluated.v1")
    (row,) = inbox(api)["items"]
    assert (row["version"]["versionId"], row["environment"]["name"], row["needs"], row["canAct"]) == (version, "prod", 1, True)
    assert [(len(part["items"]), part["total"]) for part in (inbox(api, "?limit=1"), inbox(api, "?limit=1&offset=1"))] == [
        (1, 1),
        (0, 1),
    ]
    assert api.send("GET", "/board/approvals?limit=1001").status_code == 400
    shown = matrix(api)
    assert (shown["approvals"], shown["cells"][0]["reason"]) == (1, "needs 1 approval")
    body = {"environmentIds": [at.environment], "status": "approved"}
    assert api.send("PUT", f"/deployment-versions/{version}/user-approval-records", body).status_code < 300
    scenes.deployed(api, at, version)
    assert inbox(api)["items"] == []


def test_the_board_as_of_the_past_is_what_it_was(api: Api) -> None:
    careful(api)
    at = scenes.shop(api)
    version = scenes.version(api, at.deployment)
    scenes.recorded(api, "policy.rule_evaluated.v1")
    then, waiting, targets = matrix(api), inbox(api), rollout(api, at)
    body = {"environmentIds": [at.environment], "status": "approved"}
    assert api.send("PUT", f"/deployment-versions/{version}/user-approval-records", body).status_code < 300
    scenes.deployed(api, at, version)
    for moment in (then["position"], then["at"]):
        assert matrix(api, f"?at={moment}") == then
        assert rollout(api, at, f"?at={moment}") == targets
        assert inbox(api, f"?at={moment}")["items"] == [{**row, "canAct": False} for row in waiting["items"]]
    assert matrix(api)["cells"][0]["status"] == "healthy"
    assert api.send("GET", f"/board?at={then['position']}").headers["Signalbox-Position"] == str(then["position"])
    assert matrix(api, "?at=0")["cells"] == []


@pytest.mark.parametrize("path", ["/board?at=999999", "/board?at=-1", "/board?at=soon", "/board/approvals?at=9999999"])
def test_what_is_no_moment_of_the_past_is_400(quiet: Api, path: str) -> None:
    assert quiet.send("GET", path).status_code == 400


def test_what_is_not_there_is_404(api: Api) -> None:
    at = scenes.shop(api)
    for deployment, environment in ((new_id(), at.environment), (at.deployment, new_id()), ("x", at.environment)):
        assert api.send("GET", f"/board/rollouts/{deployment}/{environment}").status_code == 404
    place = f"/board/rollouts/{at.deployment}/{at.environment}"
    assert api.send("GET", f"{place}?versionId={new_id()}").status_code == 404
    assert api.send("GET", f"{place}?status=nonsense").status_code == 400
    assert api.send("GET", f"{place}?limit=0").status_code == 400
    assert api.send("GET", "/board", workspace_id=new_id()).status_code == 404


def test_nothing_is_shown_to_whoever_has_no_key(quiet: Api) -> None:
    for path in ("/board", "/board/approvals", "/stream?topics=matrix"):
        assert quiet.send("GET", path, headers={"X-API-Key": "wrong"}).status_code == 401


def test_a_target_is_shown_with_the_names_of_what_it_is_made_of(api: Api) -> None:
    at = scenes.shop(api)
    scenes.deployed(api, at, scenes.version(api, at.deployment))
    shown = get(api, f"/board/targets/{at.key}", answers.BoardTargetAnswer)
    assert (shown["deployment"]["name"], shown["environment"]["name"], shown["target"]["identifier"]) == ("api", "prod", "r")
    assert (shown["target"]["status"], shown["target"]["current"]["tag"]) == ("healthy", "v1")
    nowhere = f"{new_id()}-{at.environment}-{at.deployment}"
    assert api.send("GET", f"/board/targets/{nowhere}").status_code == 404
    assert api.send("GET", "/board/targets/nothing").status_code == 400


def test_the_history_of_a_target_is_told_newest_first_and_page_by_page(api: Api) -> None:
    at = scenes.shop(api)
    # Another target of the same cell has a history of its own.
    other = scenes.resource(api, "other")
    scenes.recorded(api, "planner.targets_changed.v1", lambda fact: other in fact["added"])
    scenes.deployed(api, at, scenes.version(api, at.deployment))
    path = f"/board/targets/{at.key}/history"
    whole = get(api, path, answers.TargetHistory)
    said = [one["what"] for one in whole["items"]]
    assert whole["before"] == 0
    assert said[-1] == "became a target"
    # Each once, though both targets went through the same.
    for once in ("v1 is wanted here", "job for v1 created", "job of v1: successful"):
        assert said.count(once) == 1, said
    assert {one["version"]["tag"] for one in whole["items"] if one["version"]} == {"v1"}
    parts, before = [], ""
    while True:
        part = get(api, f"{path}?limit=2{before}", answers.TargetHistory)
        parts += part["items"]
        if part["before"] == 0:
            break
        before = f"&before={part['before']}"
    assert [one["position"] for one in parts] == [one["position"] for one in whole["items"]]
    past = whole["items"][-1]["position"]
    assert [one["what"] for one in get(api, f"{path}?at={past}", answers.TargetHistory)["items"]] == ["became a target"]


def test_versions_of_all_deployments_tell_how_far_they_came(api: Api) -> None:
    at = scenes.shop(api)
    db = scenes.deployment(api, "db")
    first = scenes.version(api, at.deployment)
    scenes.deployed(api, at, first)
    second = scenes.version(api, db, "v2", status="building")
    form = answers.Page[answers.VersionReach]

    def ids(query: str = "") -> list[str]:
        return [one["version"]["versionId"] for one in get(api, f"/board/versions{query}", form)["items"]]

    assert ids() == [second, first]
    assert (ids(f"?deploymentId={db}"), ids("?status=ready"), ids("?text=AP"), ids("?limit=1&offset=1")) == (
        [second],
        [first],
        [first],
        [first],
    )
    row = get(api, "/board/versions?status=ready", form)["items"][0]
    assert [(one["name"], one["running"], one["targets"]) for one in row["reach"]] == [("prod", 1, 1)]
    assert api.send("GET", "/board/versions?status=nice").status_code == 400


def test_decisions_are_listed_newest_first(api: Api) -> None:
    careful(api)
    at = scenes.shop(api)
    version = scenes.version(api, at.deployment)
    scenes.recorded(api, "policy.rule_evaluated.v1")
    path = f"/deployment-versions/{version}/user-approval-records"
    for status in ("rejected", "approved"):
        body = {"environmentIds": [at.environment], "status": status, "reason": f"{status} it"}
        assert api.send("PUT", path, body).status_code < 300
    found = get(api, "/board/approvals/decided", answers.DecidedApprovals)
    assert [(one["status"], one["reason"], one["tag"], one["environment"]["name"]) for one in found["items"]] == [
        ("approved", "approved it", "v1", "prod"),
        ("rejected", "rejected it", "v1", "prod"),
    ]
    assert found["before"] == 0
    part = get(api, "/board/approvals/decided?limit=1", answers.DecidedApprovals)
    rest = get(api, f"/board/approvals/decided?limit=1&before={part['before']}", answers.DecidedApprovals)
    assert [one["status"] for one in part["items"] + rest["items"]] == ["approved", "rejected"]
