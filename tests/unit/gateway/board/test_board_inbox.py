"""The inbox: what waits for an approval, who gave one, what else is in the way, and whether who looks may act."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from contracts.facts import planner
from services.gateway.board import inbox
from services.gateway.board.acting import Viewer, for_viewer
from tests.unit.gateway.board.board_scenes import (
    API,
    POLICY,
    PROD,
    R1,
    R2,
    RULE,
    V1,
    V2,
    Scene,
    approvals,
    changed,
    cleared,
    deployed,
    held,
    uid,
    version,
    vote,
    world,
)

ANA, BO = Viewer("ana", "Ana", ("admin",)), Viewer("bo", "Bo", ("member",))


def rows(scene: Scene) -> list[dict[str, Any]]:
    return inbox.page(scene.live.board, limit=100)[0]


def test_a_row_says_what_would_go_where() -> None:
    scene = world(R1, R2).when(*deployed(V1, R1, R2), approvals(2), held(V2, "anyApproval", "waiting", R1, R2), vote(V2, "bo"))
    (row,) = rows(scene)
    assert (row["version"]["tag"], row["deployment"]["name"], row["environment"]["name"]) == ("v2", "api", "prod")
    assert (row["targets"], row["running"]["tag"], row["policy"]["name"], row["ruleId"]) == (2, "v1", "careful", RULE)
    assert (row["needs"], row["counts"], [one["name"] for one in row["has"]]) == (2, 1, ["Bo"])
    assert inbox.page(scene.live.board, limit=0) == ([], 1)


def test_other_reasons_are_named() -> None:
    scene = world().when(approvals(), held(V1), held(V1, "gradualRollout", rule_id=uid(8)))
    assert [(one["ruleType"], one["reason"]) for one in rows(scene)[0]["others"]] == [("gradualRollout", "waits for its turn")]


def test_rules_of_the_same_id_in_two_policies_have_a_row_each() -> None:
    other = uid(99)
    strict = approvals().model_copy(update={"policy_id": other, "name": "strict"})
    scene = world().when(approvals(), strict, held(V1), held(V1, policy_id=other))
    scene.live.close()
    found, total = inbox.page(scene.live.board, limit=100)
    assert {row["policy"]["id"] for row in found} == {POLICY, other}
    assert len({row["key"] for row in found}) == 2
    assert total == scene.live.snapshot()["approvals"] == 2


def test_the_inbox_is_read_in_parts_the_longest_wait_first() -> None:
    scene = world(R1, R2).when(approvals(), held(V2, "anyApproval", "waiting", R1), held(V1, "anyApproval", "waiting", R2))
    whole, total = inbox.page(scene.live.board, limit=100)
    assert (len(whole), total) == (2, 2)
    assert [inbox.page(scene.live.board, limit=1, offset=at) for at in range(3)] == [([whole[0]], 2), ([whole[1]], 2), ([], 2)]
    assert whole == sorted(whole, key=lambda one: (one["since"], one["key"]))


def test_what_is_cleared_waits_no_more() -> None:
    scene = world().when(approvals(), held(V1))
    assert rows(scene)
    assert not rows(scene.when(cleared(V1)))


def test_what_a_newer_version_passes_by_waits_no_more() -> None:
    assert not rows(world().when(approvals(), held(V1), cleared(V2)))


def test_an_approval_of_another_content_does_not_count() -> None:
    scene = world().when(approvals())
    scene.when(held(V1), vote(V1, "bo", version_at=scene.live.position))
    assert rows(scene)[0]["counts"] == 1
    scene.when(planner.VersionUpdated.model_validate({**version(V1).model_dump(), "config": {"new": True}}))
    assert (rows(scene)[0]["counts"], len(rows(scene)[0]["has"])) == (0, 1)
    assert rows(scene.when(changed(V1)))[0]["counts"] == 0


def test_an_approval_that_is_withdrawn_is_gone() -> None:
    assert rows(world().when(approvals(), held(V1), vote(V1, "bo"), vote(V1, "bo", "withdrawn")))[0]["has"] == []


@pytest.mark.parametrize(
    "rule, viewer, can_act",
    [
        ({}, ANA, True),
        ({}, BO, False),  # it approved already
        ({"author_may_approve": False}, ANA, False),  # it posted the version
        ({"approver_selector": '"admin" in user.roles'}, ANA, True),
        ({"approver_selector": 'user.name == "Carl"'}, ANA, False),
        ({"approver_selector": "user.oops ("}, ANA, False),
    ],
)
def test_whoever_may_approve_and_has_not_can_act(rule: dict[str, Any], viewer: Viewer, can_act: bool) -> None:
    scene = world().when(approvals(2, **rule), held(V1), vote(V1, "bo"))
    row = for_viewer(rows(scene)[0], viewer)
    assert row["canAct"] is can_act
    assert row["said"] == ("approved" if viewer is BO else None)
    assert for_viewer(rows(scene)[0], viewer, now=False)["canAct"] is False


def test_what_is_deleted_has_no_row() -> None:
    scene = world().when(approvals(), held(V1), planner.EnvironmentDeleted(environment_id=PROD))
    assert not rows(scene)
    assert not scene.live.board.asking
    assert inbox.page(scene.live.board, limit=100) == ([], 0)
    assert API in scene.live.board.deployments


def test_what_expressions_are_read_with_is_loaded_when_it_is_made_ready() -> None:
    script = (
        "import sys; from services.gateway.board.acting import make_ready; assert 'lark' not in sys.modules;"
        " make_ready(); assert 'lark' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
