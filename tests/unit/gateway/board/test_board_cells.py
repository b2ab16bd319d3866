"""How a cell stands, and the phrase that says why: a table, then what needs more words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.fact import Fact
from contracts.facts import dispatcher, planner, policy
from services.gateway.board.words import WIDE
from tests.unit.gateway.board.board_scenes import (
    API,
    LATER,
    PLACE,
    PROD,
    R1,
    R2,
    R3,
    RULE,
    V1,
    V2,
    V3,
    approvals,
    changed,
    cleared,
    deployed,
    failed,
    held,
    implicit,
    job,
    job_id,
    measuring,
    moved,
    passed,
    release,
    uid,
    unclear,
    version,
    vote,
    wanted,
    went_back,
    world,
)

BACK = [*deployed(V1), *deployed(V2), *measuring(V2), failed(V2), went_back(V2, V1, reason="The verification failed: too high.")]
BACK_JOB = uid(77)
BACK_DONE = [job(V1, rollback=True, job_id=BACK_JOB, attempt=2), moved(V1, "successful", job_id=BACK_JOB)]

CASES: list[tuple[str, list[Fact], str, str]] = [
    ("nothing was ever wanted", [], "pending", "no version yet"),
    ("it runs", deployed(V1), "healthy", ""),
    ("a release is wanted, no job yet", [wanted(V1)], "progressing", "starting"),
    ("a job runs", [wanted(V1), job(V1)], "progressing", "deploying"),
    ("a job waits for a person", [wanted(V1), job(V1), moved(V1, "actionRequired")], "blocked", "job needs a person"),
    ("a job failed", [wanted(V1), job(V1), moved(V1, "failure")], "failed", "job failed"),
    ("no agent was found", [wanted(V1), job(V1, status="invalidJobAgent")], "failed", "no job agent"),
    ("a person cancelled the job", [wanted(V1), job(V1), moved(V1, "cancelled")], "blocked", "job cancelled"),
    (
        "a failed job, and something newer is wanted",
        [wanted(V1), job(V1), moved(V1, "failure"), wanted(V2)],
        "progressing",
        "starting",
    ),
    (
        "a failed job is tried again",
        [wanted(V1), job(V1), moved(V1, "failure"), held(V1, "retry", until=LATER)],
        "pending",
        "retries at",
    ),
    ("no retry is left", [wanted(V1), job(V1), moved(V1, "failure"), held(V1, "retry", "blocked")], "failed", "job failed"),
    ("it is measured", [*deployed(V1), *measuring(V1)], "progressing", "verifying"),
    ("it was measured well", [*deployed(V1), *measuring(V1), passed(V1)], "healthy", ""),
    ("it was measured badly", [*deployed(V1), *measuring(V1), failed(V1)], "failed", "error rate failed"),
    ("measuring came to nothing", [*deployed(V1), *measuring(V1), unclear(V1)], "blocked", "verification unclear"),
    ("it is on its way back", BACK, "progressing", "back to v1"),
    ("it went back", [*BACK, *BACK_DONE], "failed", "rolled back to v1: error ra…"),
    (
        "a person rolled it back",
        [*deployed(V1), *deployed(V2), went_back(V2, V1, by_hand=True), *BACK_DONE],
        "blocked",
        "rolled back to v1",
    ),
    (
        "there is nothing to go back to",
        [wanted(V1), job(V1), moved(V1, "failure"), went_back(V1, None)],
        "failed",
        "nothing to go back to",
    ),
    ("it went back, then something newer ran", [*BACK, *BACK_DONE, *deployed(V3)], "healthy", ""),
    (
        "it went back, and the mark was lifted",
        [*BACK, *BACK_DONE, planner.MarkLifted(**PLACE, version_id=V2, resource_ids=(R1,), lifted_at=LATER)],
        "healthy",
        "",
    ),
    ("an approval is missing", [approvals(), held(V1)], "blocked", "needs 1 approval"),
    ("approvals are missing", [approvals(3), held(V1), vote(V1, "bo")], "blocked", "needs 2 approvals"),
    (
        "somebody rejected it",
        [approvals(rejection_blocks=True), vote(V1, "bo", "rejected"), held(V1, verdict="blocked")],
        "blocked",
        "rejected by Bo",
    ),
    ("it is frozen until an instant", [held(V1, "freeze", until=LATER, rule_id=uid(9))], "pending", "frozen"),
    ("it is frozen until somebody thaws it", [held(V1, "freeze", "blocked", rule_id=uid(9))], "blocked", "frozen"),
    ("a window is closed", [held(V1, "deploymentWindow", until=LATER)], "pending", "window opens"),
    ("it soaks", [held(V1, "environmentProgression", until=LATER)], "pending", "soaks until"),
    ("it follows another environment", [held(V1, "environmentProgression")], "pending", "waits for upstream"),
    ("its turn comes at an instant", [held(V1, "gradualRollout", until=LATER)], "pending", "next at"),
    ("its turn comes after others", [held(V1, "gradualRollout")], "pending", "waits for its turn"),
    ("the rollout stopped", [held(V1, "gradualRollout", "blocked")], "blocked", "rollout stopped"),
    ("it is too soon after another", [held(V1, "versionCooldown", until=LATER)], "pending", "cooldown until"),
    ("something it depends on is missing", [implicit(V1, "versionDependency", "waiting")], "pending", "waits for a dependency"),
    ("it is not selected", [held(V1, "versionSelector", "blocked")], "blocked", "v1 not selected"),
    ("it is marked bad", [implicit(V1, "badMark")], "blocked", "v1 is marked bad"),
    ("others go first", [implicit(V2, "versionOrder", "waiting")], "pending", "after earlier versions"),
    ("its status is paused", [changed(V3, "paused"), implicit(V3, "deployableVersion")], "paused", "v3 is paused"),
    ("it is still built", [changed(V3, "building"), implicit(V3, "deployableVersion")], "pending", "v3 is not ready"),
    (
        "a version that was rejected is wanted by nobody",
        [*deployed(V1), changed(V3, "rejected"), implicit(V3, "deployableVersion")],
        "healthy",
        "",
    ),
    (
        "an approval comes before what waits for it",
        [approvals(), held(V1), held(V1, "gradualRollout", rule_id=uid(8))],
        "blocked",
        "needs 1 approval",
    ),
    (
        "a newer version waits while an older one is deployed",
        [wanted(V1), job(V1), approvals(), held(V2)],
        "progressing",
        "deploying",
    ),
    ("a newer version waits for the one that runs", [*deployed(V1), approvals(), held(V2)], "blocked", "needs 1 approval"),
    ("an older version's wait ends with a newer clearance", [approvals(), held(V1), cleared(V2)], "pending", "no version yet"),
    (
        "a rule that allows holds nothing",
        [held(V1, "deploymentWindow"), held(V1, "deploymentWindow", "allowed")],
        "pending",
        "no version yet",
    ),
    (
        "it waits for a free place",
        [
            wanted(V1),
            dispatcher.DispatchHeld(
                **PLACE,
                items=(dispatcher.HeldItem(resource_id=R1, release_id=release(V1)),),
                agent_name="runner",
                limit=1,
                held_at=LATER,
            ),
        ],
        "pending",
        "waits for a free place",
    ),
]


@pytest.mark.parametrize("facts, status, reason", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_of_one_target_the_cell_stands_as_it_does(facts: list[Fact], status: str, reason: str) -> None:
    scene = world().when(*facts)
    assert (scene.cell["status"], scene.cell["reason"]) == (status, reason)
    assert len(reason) <= WIDE
    assert scene.cell["message"]
    assert scene.target()["status"] == status


ORDER = [
    ("failed", [wanted(V1), job(V1), moved(V1, "failure")]),
    ("blocked", [approvals(), held(V1)]),
    ("progressing", [wanted(V1), job(V1)]),
    ("pending", [held(V1, "deploymentWindow", until=LATER)]),
    ("healthy", deployed(V1)),
]


@pytest.mark.parametrize("worse", range(len(ORDER) - 1))
def test_of_several_targets_what_needs_somebody_comes_first(worse: int) -> None:
    status, facts = ORDER[worse]
    _, others = ORDER[worse + 1]
    scene = world(R1, R2)
    scene.when(*facts, *(_elsewhere(one) for one in others))
    assert scene.cell["status"] == status
    assert sum(scene.pair.statuses.values()) == 2


def _elsewhere(fact: Fact) -> Fact:
    """The same about the second target."""
    text = (
        fact.to_json().decode().replace(R1, R2).replace(release(V1, R1), release(V1, R2)).replace(job_id(V1, R1), job_id(V1, R2))
    )
    return type(fact).model_validate_json(text)


def test_the_cell_tells_of_a_rollout_under_way() -> None:
    scene = world(R1, R2, R3).when(*deployed(V1, R1, R2, R3), cleared(V2, R1, R2), *deployed(V2, R1), wanted(V2, R2), job(V2, R2))
    scene.when(held(V2, "gradualRollout", "waiting", R3, until=LATER))
    cell = scene.cell
    assert (cell["status"], cell["reason"]) == ("progressing", "rollout 1 of 3")
    assert (cell["targets"], cell["done"], cell["active"], cell["held"]) == (3, 1, 1, 1)
    assert cell["desired"]["tag"] == "v2"
    assert [(one["tag"], one["targets"]) for one in cell["running"]] == [("v2", 1), ("v1", 2)]
    scene.when(moved(V2, "successful", R2))
    assert (scene.cell["reason"], scene.cell["until"], scene.cell["done"]) == ("next at", "2026-01-01T13:00:00.000Z", 2)


def test_the_next_of_several_turns_is_told() -> None:
    scene = world(R1, R2)
    for one, minutes in ((R1, 20), (R2, 10)):
        scene.when(held(V1, "gradualRollout", "waiting", one, until=LATER + timedelta(minutes=minutes)))
    assert scene.cell["until"] == "2026-01-01T13:10:00.000Z"
    scene.when(held(V1, "gradualRollout", "allowed", R2))
    assert scene.cell["until"] == "2026-01-01T13:20:00.000Z"


def test_a_version_that_waits_is_told_beside_the_one_that_runs() -> None:
    cell = world().when(*deployed(V1), approvals(), held(V2)).cell
    assert (cell["desired"]["tag"], cell["heldVersion"]["tag"], cell["done"]) == ("v1", "v2", 1)


def test_since_is_when_the_status_became_so() -> None:
    scene = world().when(*deployed(V1))
    healthy = scene.cell["since"]
    scene.when(held(V2, "gradualRollout", "allowed"))
    assert scene.cell["since"] == healthy
    scene.when(approvals(), held(V2))
    assert scene.cell["since"] > healthy


def test_a_target_that_returns_runs_what_it_ran() -> None:
    scene = world(R1, R2).when(*deployed(V1, R1, R2), planner.TargetsChanged(**PLACE, removed=(R1,)))
    assert (scene.cell["targets"], scene.cell["done"]) == (1, 1)
    scene.when(planner.TargetsChanged(**PLACE, added=(R1,)))
    assert [one["targets"] for one in scene.cell["running"]] == [2]
    assert scene.target(R1)["current"]["tag"] == "v1"


def test_a_cell_that_lost_its_targets_is_empty() -> None:
    cell = world().when(*deployed(V1), planner.TargetsChanged(**PLACE, removed=(R1,))).cell
    assert (cell["status"], cell["targets"], cell["running"], cell["reason"]) == ("empty", 0, [], "")


def test_a_success_that_is_taken_back_gives_way_to_the_one_before() -> None:
    scene = world().when(*deployed(V1), wanted(V2), job(V2), moved(V2, "successful", completed_at=LATER), moved(V2, "failure"))
    assert scene.target()["current"]["tag"] == "v1"
    assert scene.cell["status"] == "failed"


def test_a_deployment_that_is_gone_takes_its_cells_along() -> None:
    scene = world().when(*deployed(V1), planner.DeploymentDeleted(deployment_id=API))
    board = scene.live.board
    assert (len(board.pairs), board.places.get(R1), board.places.get(PROD)) == (0, None, None)
    scene.when(*deployed(V1), held(V1))
    assert not scene.live.board.pairs


def test_facts_about_what_is_not_there_change_nothing() -> None:
    scene = world()
    before = scene.live.board
    scene.when(
        held(V1, "anyApproval", "waiting", R3),
        wanted(V1, R3),
        job(V1, R3),
        failed(V1, R3),
        cleared(V1, R3),
        went_back(V1, None, R3),
    )
    assert scene.live.board == before


def test_where_a_version_stands_on_a_target() -> None:
    scene = world().when(*deployed(V1), approvals(), held(V2, message="Waiting for approval: 0/1 given."))
    assert [scene.target(R1, one)["verdict"] for one in (V1, V2, V3)] == ["running", "waiting", "passed"]
    (hold,) = scene.target(R1, V2)["holds"]
    assert (hold["ruleId"], hold["message"]) == (RULE, "Waiting for approval: 0/1 given.")


def test_a_pin_is_shown() -> None:
    scene = world().when(planner.VersionPinned(**PLACE, version_id=V1, pinned_at=LATER))
    assert (scene.cell["pinned"]["tag"], scene.target()["pinned"]["tag"]) == ("v1", "v1")
    scene.when(planner.PinReleased(**PLACE, version_id=V1, released_at=LATER))
    assert scene.cell["pinned"] is None


def test_a_freeze_tells_its_reason() -> None:
    saved = policy.FreezeSaved(freeze_id=uid(9), reason="black friday", starts_at=LATER, created_by="user:ana", created_at=LATER)
    cell = world().when(saved, held(V1, "freeze", "blocked", rule_id=uid(9), policy_id="")).cell
    assert cell["reason"] == "frozen: black friday"


def test_a_version_changes_its_tag_wherever_it_is_named() -> None:
    scene = world().when(*deployed(V1), changed(V1, tag="v1.0.1"))
    assert scene.cell["desired"]["tag"] == "v1.0.1"
    assert version(V1).tag == "v1"
