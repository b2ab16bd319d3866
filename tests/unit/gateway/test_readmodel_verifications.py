"""What facts about verifications, measurements and marks do to the read tables, and how they are shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.documents import stamp
from contracts.fact import Fact
from contracts.facts import planner, verifier
from contracts.shapes import Target
from services.gateway import verifications
from services.gateway.adapters.memory import MemoryRows
from services.gateway.attempts import newest_attempts, standing_of
from services.gateway.readmodel import patches_of
from services.gateway.rows import Put
from services.gateway.views import Views, shown
from tests.unit.gateway.readmodel_scenes import (
    AT,
    JOB,
    REL,
    STAMP,
    TARGET,
    V2,
    VER,
    VERIFIED,
    WORKSPACE,
    WORLD,
    D,
    E,
    R,
    V,
    failed,
    lifted,
    measured,
    metric,
    moved,
    passed,
    pinned,
    project,
    recorded,
    redeployed,
    release,
    rolled_back,
    uid,
    verification,
    version,
)

LATER = AT + timedelta(minutes=1)
AGAIN = uid(60)


async def shown_after(*facts: Fact) -> Any:
    (found,) = await verifications.of_job(await project(*facts), WORKSPACE, JOB)
    return found


def again(attempt: int = 2, verification_id: str = AGAIN, **more: Any) -> verifier.VerificationStarted:
    return verification(verification_id=verification_id, attempt=attempt, reason="it was the proxy", started_at=LATER, **more)


def cancelled(**more: Any) -> verifier.VerificationCancelled:
    return verifier.VerificationCancelled(**{**VERIFIED, **more}, reason="another release runs", finished_at=LATER)


def inconclusive(name: str = "m") -> verifier.VerificationInconclusive:
    return verifier.VerificationInconclusive(**VERIFIED, metric=name, message="2 of 5 had data", finished_at=LATER)


# --- verifications ---------------------------------------------------------------------------------------------------------------------


async def test_a_verification_is_shown_with_its_measurements_in_order() -> None:
    later = [measured(number, measured_at=AT + timedelta(seconds=number)) for number in (1, 2)]
    found = await shown_after(verification(), *later, failed())
    assert (found["status"], found["message"], found["metric"], found["finishedAt"]) == ("failed", "m: too high", "m", STAMP)
    assert [one["data"]["n"] for one in found["metrics"][0]["measurements"]] == [1, 2]
    assert found["measurementsTotal"] == 2
    # As its author wrote it: nothing is filled in.
    assert found["metrics"][0]["provider"] == {"type": "http", "url": "http://x"}
    assert "failureThreshold" not in found["metrics"][0]


async def test_a_verification_says_whose_it_is_and_which_attempt() -> None:
    found = await shown_after(verification(continue_seconds=600))
    assert (found["jobId"], found["releaseId"], found["policyId"], found["ruleId"]) == (JOB, REL, uid(20), uid(21))
    assert (found["attempt"], found["continueSeconds"], found["status"]) == (1, 600, "running")
    assert found["metrics"][0]["firstAt"] == STAMP
    assert "reason" not in found
    agents = await shown_after(verification(policy_id="", rule_id=""))
    assert {"policyId", "ruleId"}.isdisjoint(agents)


async def test_what_is_not_measured_is_told_from_the_beginning_and_however_it_ends() -> None:
    note = "Of the 600 metrics that the job's agent wants measured these are left out: 100 because at most 500 are measured."
    for facts in ((), (failed(),), (inconclusive(),), (cancelled(),), (passed(note=note),)):
        assert (await shown_after(verification(note=note), *facts))["note"] == note
    assert "note" not in await shown_after(verification())


async def test_a_measurement_is_shown_with_what_was_asked_and_how_it_was_judged() -> None:
    told = measured(
        1, status="failed", message="too slow", asked={"url": "http://x"}, conditions={"successCondition": "false"}, value=2.5,
        comparison=verifier.Comparison(mean=2.5, baseline=0.0, ratio=None, change=2.5, samples=3), due_at=AT, measured_at=LATER,
    )  # fmt: skip
    found = (await shown_after(verification(), told))["metrics"][0]["measurements"]
    assert found == [
        {
            "metric": "m", "number": 1, "status": "failed", "message": "too slow", "dueAt": STAMP, "measuredAt": stamp(LATER),
            "asked": {"url": "http://x"}, "data": {"n": 1}, "conditions": {"successCondition": "false"}, "value": 2.5,
            "comparison": {"mean": 2.5, "baseline": 0.0, "change": 2.5, "samples": 3},
        }
    ]  # fmt: skip


async def test_what_is_no_measurement_that_counts_says_so() -> None:
    facts = [
        measured(1, status="inconclusive", message="refused", error=True, measured_at=AT),
        measured(2, status="inconclusive", held=True, measured_at=LATER),
    ]
    one, other = (await shown_after(verification(), *facts))["metrics"][0]["measurements"]
    assert (one["error"], "held" in one, other["held"], "error" in other) == (True, False, True, False)


async def test_one_that_passed_is_watched_until_its_time_is_over() -> None:
    watched = passed(watched_until=LATER, note="not one measurement passed")
    found = await shown_after(verification(), watched)
    assert (found["status"], found["watching"], found["watchedUntil"]) == ("passed", True, stamp(LATER))
    assert found["note"] == "not one measurement passed"
    ended = await shown_after(
        verification(), watched, verifier.WatchEnded(**VERIFIED, finished_at=LATER, reason="the target is gone")
    )
    assert (ended["status"], "watching" in ended, ended["message"]) == ("passed", False, "the target is gone")
    broken = await shown_after(verification(), watched, failed(after_passing=True, reaction="rollBack"))
    assert (broken["status"], broken["afterPassing"], broken["reaction"]) == ("failed", True, "rollBack")
    assert {"watching", "note"}.isdisjoint(broken)


@pytest.mark.parametrize(
    "fact,status,message",
    [(inconclusive(), "inconclusive", "m: 2 of 5 had data"), (cancelled(), "cancelled", "another release runs")],
)
async def test_one_without_a_verdict_says_why(fact: Fact, status: str, message: str) -> None:
    found = await shown_after(verification(), fact)
    assert (found["status"], found["message"], found["finishedAt"]) == (status, message, stamp(LATER))


async def test_only_the_newest_attempt_counts() -> None:
    rows = await project(verification(), failed(), again(), passed(verification_id=AGAIN))
    (found,) = await verifications.of_job(rows, WORKSPACE, JOB)
    assert (found["id"], found["attempt"], found["reason"], found["status"]) == (AGAIN, 2, "it was the proxy", "passed")
    listed = await verifications.listed(rows, WORKSPACE, await rows.among(WORKSPACE, "verification", "jobId", [JOB]))
    assert [(one["id"], one["status"]) for one in listed] == [(VER, "failed"), (AGAIN, "passed")]
    assert "measurements" not in listed[0]["metrics"][0]


def test_each_rule_and_the_agent_has_a_verification_of_its_own() -> None:
    rows = [
        {"jobId": "j", "ruleId": rule, "attempt": attempt}
        for rule, attempt in ((None, 1), ("a", 1), ("b", 2), ("b", 1), ("a", 3))
    ]
    assert newest_attempts(rows) == [rows[0], rows[2], rows[4]]


@pytest.mark.parametrize(
    "row,newest,standing",
    [
        ({"status": "running"}, None, "running"),
        ({"status": "running"}, {"$standing": "running"}, "running"),
        ({"status": "running"}, {"$standing": "failed"}, "failed"),
        ({"status": "running"}, {}, "running"),
        ({"status": "passed"}, {"$standing": "passed"}, "passed"),
        # An observed one acts on nothing.
        ({"status": "passed"}, {"$standing": "failed"}, "failed"),
        # A new round of what is measured on.
        ({"status": "passed"}, {"$standing": "running"}, "passed"),
        ({"status": "passed"}, None, "passed"),
        ({"status": "failed", "metric": "m"}, {"$standing": "running"}, "failed"),
        ({"status": "failed", "metric": "other"}, {"$standing": "running"}, "cancelled"),
        ({"status": "failed", "metric": "other"}, {"$standing": "passed"}, "passed"),
        ({"status": "failed", "metric": "other"}, None, "cancelled"),
        ({"status": "failed", "metric": "other", "afterPassing": True}, {"$standing": "running"}, "passed"),
        ({"status": "inconclusive", "metric": "m"}, {"$standing": "inconclusive"}, "inconclusive"),
        ({"status": "inconclusive", "metric": "other"}, {"$standing": "passed"}, "passed"),
        ({"status": "cancelled"}, {"$standing": "running"}, "cancelled"),
        ({"status": "cancelled"}, {"$standing": "passed"}, "passed"),
    ],
)
def test_what_a_metric_comes_to(row: dict[str, Any], newest: dict[str, Any] | None, standing: str) -> None:
    assert standing_of(row, {"name": "m"}, newest) == standing


@pytest.mark.parametrize(
    "row,newest,standing",
    [
        ({"status": "running"}, None, "running"),
        ({"status": "passed"}, {"$standing": "failed"}, "failed"),
        ({"status": "passed"}, {"$standing": "running"}, "cancelled"),
        ({"status": "passed", "watching": True}, {"$standing": "running"}, "running"),
        ({"status": "failed", "metric": "other"}, {"$standing": "running"}, "cancelled"),
    ],
)
def test_what_is_only_observed_is_not_taken_for_passed(row: dict[str, Any], newest: dict[str, Any] | None, standing: str) -> None:
    assert standing_of(row, {"name": "m", "reaction": "observe"}, newest) == standing


async def test_of_many_measurements_the_newest_are_in_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifications, "MOST_MEASUREMENTS", 3)
    early = measured(1, "other", measured_at=AT, standing="failed")
    facts = [measured(number, measured_at=LATER + timedelta(seconds=number), standing="running") for number in range(1, 6)]
    found = await shown_after(verification(metric(), metric("other", reaction="observe")), early, *facts)
    m, other = found["metrics"]
    assert ([one["number"] for one in m["measurements"]], other["measurements"]) == ([3, 4, 5], [])
    # What a metric comes to is known all the same.
    assert (found["measurementsTotal"], m["status"], other["status"]) == (6, "running", "failed")


def test_a_measurement_is_one_row_and_nothing_else() -> None:
    (patch,) = patches_of(recorded(1, measured(1)))
    assert patch.table == "measurement"
    (named,) = patches_of(recorded(1, measured(1, "n" * 20_000)))
    assert isinstance(named, Put)
    assert len(named.id) < 100


# --- the last good release -------------------------------------------------------------------------------------------------------------


async def _last_good(*facts: Fact) -> str | None:
    world = (*WORLD, moved("successful", AT), version(), *facts, release(LATER, uid(30)))
    found = await Views(await project(*world), WORKSPACE).last_good(TARGET.key)
    return found["id"] if found is not None else None


async def test_a_release_is_good_once_its_newest_verification_passed() -> None:
    assert await _last_good() == REL
    assert await _last_good(verification()) is None
    for end in (failed(), inconclusive(), cancelled()):
        assert await _last_good(verification(), end) is None
        assert await _last_good(verification(), end, again()) is None
        assert await _last_good(verification(), end, again(), passed(verification_id=AGAIN)) == REL
    assert await _last_good(verification(), passed(), again(), failed(verification_id=AGAIN)) is None


# --- marks -----------------------------------------------------------------------------------------------------------------------------


async def marks(*facts: Fact) -> list[Any]:
    rows = await project(*facts)
    return [shown(one) for one in await rows.among(WORKSPACE, "mark", "$target", [TARGET.key])]


async def test_a_mark_says_since_when_and_by_what() -> None:
    (found,) = await marks(rolled_back().model_copy(update={"policy_id": uid(20), "rule_id": uid(21), "reason": "it failed"}))
    assert found == {
        "versionId": V2, "reason": "it failed", "since": STAMP, "jobId": JOB, "policyId": uid(20), "ruleId": uid(21),
    }  # fmt: skip
    by_hand = rolled_back(also=[uid(45)]).model_copy(update={"job_id": ""})
    found, also = await marks(by_hand)
    assert {"jobId", "policyId", "ruleId"}.isdisjoint(found)
    assert (found["versionId"], also["versionId"], also["reason"]) == (V2, uid(45), "bad")


@pytest.mark.parametrize(
    "end", [lifted(), lifted(uid(9), R), pinned(R, V2), redeployed(V2), planner.DeploymentDeleted(deployment_id=D)]
)
async def test_a_mark_ends(end: Fact) -> None:
    assert len(await marks(rolled_back())) == 1
    assert await marks(rolled_back(), end) == []
    assert len(await marks(rolled_back(), end, rolled_back())) == 1


@pytest.mark.parametrize("other", [lifted(uid(9)), lifted(version_id=V), pinned(R, V), pinned(None, V2), redeployed(V)])
async def test_what_is_about_something_else_ends_no_mark(other: Fact) -> None:
    assert len(await marks(rolled_back(), other)) == 1


async def test_a_lift_of_many_targets_leaves_those_that_it_does_not_name() -> None:
    def back(resource_id: str) -> planner.RollbackStarted:
        return rolled_back().model_copy(update={"resource_id": resource_id})

    rows: MemoryRows = await project(*(back(uid(number)) for number in (1, 2, 3)), lifted(uid(1), uid(3)))
    left = await rows.find(WORKSPACE, "mark")
    assert [one["$target"] for one in left.items] == [Target(uid(2), E, D).key]
