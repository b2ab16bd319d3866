"""Why is this target where it is: sentences for a tired person, about this moment."""

from __future__ import annotations

from tests.unit.policy.policy_scenes import Scene, approval, linear, progression, rollback, uid

R, OTHER = uid("r"), uid("other")
ON_ITS_WAY = (
    "v1 is on its way: its job is in progress. What ends it: the job agent, once it says how the job ended, or its deadline."
)


def test_newest_version_runs() -> None:
    scene = Scene(R)
    version = scene.version("v1")
    scene.deploy(version, R)
    told = scene.explain(R)
    assert told.message == "v1 runs here, the newest version."
    assert told.versions == ()
    assert told.desired == told.current
    assert told.current is not None
    assert told.current.release_id == scene.release_id(version, R)


def test_no_version_at_all() -> None:
    assert Scene(R).explain(R).message == "Nothing runs here yet: there is no version to deploy."


def test_every_rule_of_every_newer_version() -> None:
    scene = Scene(R)
    scene.appear(uid("s"), env=scene.staging)
    scene.production_policy(approval(2), progression(percent=100))
    first = scene.version("v1")
    scene.deploy(first, R)
    for tag in ("v2", "v3"):
        scene.advance(seconds=1)
        scene.version(tag)
    scene.approve(uid("version v3"))
    told = scene.explain(R)
    assert [one.tag for one in told.versions] == ["v3", "v2"]
    newest = told.versions[0]
    assert {one.rule_type: (one.verdict, one.ended_by) for one in newest.reasons} == {
        "anyApproval": ("waiting", "approval by 1 more person"),
        "environmentProgression": ("waiting", "v3 deployed on 100 % of its targets in staging"),
    }
    assert told.message == (
        "v1 runs here. v3 is blocked. Waiting for approval: 1/2 given. "
        "v3 is deployed on 0 of 1 targets in staging; the rule asks for 100 % of its targets. "
        "What ends it: approval by 1 more person; v3 deployed on 100 % of its targets in staging."
    )
    assert all(one.facts for one in newest.reasons)
    assert {one.policy_name for one in newest.reasons} == {"careful"}


def test_counts_are_of_this_moment() -> None:
    staged = [uid(f"s{n}") for n in range(4)]
    scene = Scene(R)
    scene.appear(*staged, env=scene.staging)
    scene.production_policy(progression(percent=100))
    version = scene.version("v1")
    scene.deploy(version, *staged[:3], env=scene.staging)
    assert "deployed on 3 of 4 targets in staging" in scene.reason("environmentProgression", version, R).message


def test_cleared_and_dispatched() -> None:
    scene = Scene(R)
    version = scene.version("v1")
    assert scene.standing(version, R).message == "Every rule allows v1; its job is not made yet."
    scene.release(version, R)
    job = scene.job(version, R, "inProgress")
    assert scene.standing(version, R).message == ON_ITS_WAY
    scene.job_status(job, "failure", message="disk full")
    said = "v1 was cleared, but its job ended as failure: disk full. What ends it: a person who redeploys v1, or a newer version."
    assert scene.standing(version, R).message == said
    assert scene.standing(version, R).cleared


def test_superseded_version() -> None:
    scene = Scene(R)
    scene.production_policy(approval())
    first, second = scene.version("v1"), ""
    scene.advance(seconds=1)
    second = scene.version("v2")
    scene.approve(second)
    assert scene.standing(first, R).message == "v1 is superseded by v2."


def test_on_the_way_back() -> None:
    scene = Scene(R)
    scene.policy(rollback("failure"))
    first = scene.version("v1")
    scene.deploy(first, R)
    scene.advance(seconds=1)
    second = scene.version("v2")
    scene.deploy(second, R)
    scene.roll_back(second, R, to=first)
    assert scene.explain(R).message == "v2 runs here; it is going back to v1."
    scene.job(first, R, "successful", rollback=True)
    told = scene.explain(R)
    assert told.message.startswith("v1 runs here. v2 is blocked. v2 failed here and was marked bad")


def test_rollout_sentence_names_place_and_time() -> None:
    scene = Scene(R, OTHER)
    scene.production_policy(linear(90))
    version = scene.version("v1")
    later = next(one for one in (R, OTHER) if one not in scene.open(version))
    reason = scene.reason("gradualRollout", version, later)
    assert reason.message == "It is number 2 of 2 in the rollout of v1, due at 2026-01-01 00:01:30 UTC."
    assert reason.ended_by == "its turn in the rollout"


def test_explanation_position_is_that_of_the_state() -> None:
    scene = Scene(R)
    scene.version("v1")
    assert scene.explain(R).position == len(scene.world.log)
