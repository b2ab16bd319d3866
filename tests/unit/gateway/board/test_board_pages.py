"""What pages about one thing show: the history of a target in words, versions with their reach, decisions."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.fact import Fact
from contracts.facts import dispatcher, planner, policy
from contracts.facts.policy import ApprovalRecorded
from contracts.shapes import Target
from services.gateway.board import decided, history, versions
from tests.unit.gateway.board.board_scenes import (
    API,
    NOW,
    PLACE,
    PROD,
    R1,
    R2,
    V1,
    V2,
    Scene,
    approvals,
    changed,
    deployed,
    failed,
    held,
    job,
    measuring,
    moved,
    recorded,
    uid,
    version,
    vote,
    wanted,
    went_back,
    world,
)

HERE = Target(R1, PROD, API)
AT: dict[str, Any] = PLACE


def told(fact: Fact, scene: Scene | None = None, by: str = "service:planner") -> dict[str, Any]:
    """What the history says of a fact."""
    board = (scene or world(R1, R2).when(approvals())).live.board
    (row,) = history.rows_of(board, [recorded(1, fact, by=by)], HERE)
    return row


@pytest.mark.parametrize(
    "fact, what, status",
    [
        (planner.TargetsChanged(**AT, added=(R1,)), "became a target", "pending"),
        (planner.TargetsChanged(**AT, removed=(R1,)), "is no target any more", "pending"),
        (wanted(V1, R1), "v1 is wanted here", "progressing"),
        (went_back(V2, V1), "v2 was marked bad, goes back to v1", "failed"),
        (went_back(V2, None), "v2 was marked bad, there is nothing good to go back to", "failed"),
        (planner.VersionPinned(**AT, resource_id=R1, version_id=V1, pinned_at=NOW), "pinned to v1", "paused"),
        (planner.VersionPinned(**AT, version_id=V1, pinned_at=NOW), "pinned to v1, with its whole environment", "paused"),
        (held(V1, "gradualRollout"), "careful: gradual rollout makes v1 wait", "pending"),
        (held(V1, "anyApproval", "allowed"), "careful: approval lets v1 pass", "healthy"),
        (held(V1, "deploymentWindow", "blocked"), "careful: deployment window blocks v1", "blocked"),
        (job(V1, attempt=2), "job for v1 created, attempt 2", "progressing"),
        (job(V1, rollback=True), "job to go back to v1 created", "progressing"),
        (moved(V1, "inProgress"), "job of v1: in progress", "progressing"),
        (moved(V1, "failure"), "job of v1: failure", "failed"),
        (measuring(V1)[1], "verification of v1 began", "progressing"),
        (failed(V1), "verification of v1 failed: error rate", "failed"),
    ],
)
def test_each_fact_is_told_in_words(fact: Fact, what: str, status: str) -> None:
    row = told(fact)
    assert (row["what"], row["status"]) == (what, status)


def test_a_redeployment_names_the_version_of_this_target() -> None:
    items = tuple(planner.RedeployItem(resource_id=one, release_id=uid(9), version_id=of) for one, of in ((R2, V2), (R1, V1)))
    row = told(planner.RedeployRequested(**AT, items=items, reason="again", requested_at=NOW), by="user:ana")
    assert (row["what"], row["message"], row["version"]["tag"], row["by"]) == (
        "v1 is to be deployed again",
        "again",
        "v1",
        "user:ana",
    )


def test_what_is_named_by_its_fact_can_be_gone_to() -> None:
    row = told(moved(V1, "successful", message="done"))
    assert (row["message"], row["version"], row["verificationId"]) == ("done", {"versionId": V1, "tag": "v1"}, None)
    assert row["jobId"]
    assert told(failed(V1))["verificationId"]


@pytest.mark.parametrize(
    "fact, concerned",
    [
        (wanted(V1, R1, R2), True),
        (wanted(V1, R2), False),
        (held(V1, "anyApproval", "waiting", R2), False),
        (policy.ClearanceWithdrawn(**AT, version_id=V1, reason="changed", withdrawn_at=NOW), True),
        (policy.ClearanceWithdrawn(**AT, version_id=V1, resource_ids=(R2,), reason="changed", withdrawn_at=NOW), False),
        (wanted(V1, R1).model_copy(update={"environment_id": uid(99)}), False),
        (planner.VersionPinned(**AT, version_id=V1, pinned_at=NOW), True),
        (planner.VersionPinned(**AT, resource_id=R2, version_id=V1, pinned_at=NOW), False),
        (
            dispatcher.DispatchHeld(**AT, items=(dispatcher.HeldItem(resource_id=R1, release_id=uid(9)),), limit=1, held_at=NOW),
            True,
        ),
    ],
)
def test_a_fact_concerns_the_targets_that_it_names_or_all_of_its_cell(fact: Fact, concerned: bool) -> None:
    assert history.concerns(recorded(1, fact), HERE) is concerned


def test_a_version_tells_on_how_many_targets_it_runs_and_is_wanted() -> None:
    scene = world(R1, R2).when(*deployed(V1, R1, R2), wanted(V2, R1))
    rows, total = versions.page(scene.live.board, deployment_id=None, status=None, text="", limit=2, offset=1)
    assert total == 3
    assert [(one["version"]["tag"], one["reach"][0]["running"], one["reach"][0]["desired"]) for one in rows] == [
        ("v2", 0, 1),
        ("v1", 2, 1),
    ]
    assert (rows[0]["deployment"]["name"], rows[0]["reach"][0]["name"], rows[0]["reach"][0]["targets"]) == ("api", "prod", 2)


@pytest.mark.parametrize(
    "asked, tags",
    [
        ({"status": "paused"}, ["v2"]),
        ({"text": "V1"}, ["v1"]),
        ({"text": "API"}, ["v3", "v2", "v1"]),
        ({"deployment_id": uid(99)}, []),
    ],
)
def test_versions_are_picked_by_status_text_and_deployment(asked: dict[str, str], tags: list[str]) -> None:
    scene = world().when(changed(V2, "paused"))
    wish: dict[str, Any] = {"deployment_id": None, "status": None, "text": "", **asked}
    rows, total = versions.page(scene.live.board, **wish, limit=10, offset=0)
    assert ([one["version"]["tag"] for one in rows], total) == (tags, len(tags))


def test_a_deployment_that_is_gone_has_no_versions() -> None:
    scene = world().when(planner.DeploymentDeleted(deployment_id=API))
    assert versions.page(scene.live.board, deployment_id=None, status=None, text="", limit=10, offset=0) == ([], 0)


def test_a_decision_names_what_it_is_about_as_far_as_that_is_still_there() -> None:
    said = vote(V1, "bo", "rejected", reason="slow")
    assert isinstance(said, ApprovalRecorded)
    row = decided.row_of(world().when(version(V1)).live.board, 7, said)
    assert (row["position"], row["tag"], row["name"], row["status"], row["reason"]) == (7, "v1", "Bo", "rejected", "slow")
    assert (row["deployment"]["name"], row["environment"]["name"]) == ("api", "prod")
    nothing = decided.row_of(Scene().live.board, 7, said)
    assert (nothing["tag"], nothing["deployment"]["name"], nothing["environment"]["name"]) == ("", "", "")
