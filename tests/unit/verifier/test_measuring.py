"""When metrics are measured, and how a verification ends."""

from __future__ import annotations

from typing import Any

from contracts.facts.planner import VersionUpdated
from contracts.facts.verifier import MeasurementTaken, VerificationFailed, VerificationPassed, VerificationStarted
from libs.cel.limits import SOURCE_CHARS
from libs.runtime.codec import decode, encode
from libs.runtime.room import Room
from libs.runtime.service import Outcome
from libs.simulation.world import START, WORKSPACE, refold
from services.verifier.app import service
from services.verifier.state import State
from tests.unit.verifier.verifier_scene import ABOUT, BAD, ERROR, GOOD, Scene, id_of, metric


def test_a_required_verification_starts_once() -> None:
    scene = Scene()
    scene.require(metric())
    scene.require(metric())
    (started,) = scene.facts(VerificationStarted)
    assert (started.job_id, started.rule_id, started.started_at) == (id_of("job"), id_of("rule"), START)
    scene.advance(120)
    assert scene.outcome() == "passed"
    scene.require(metric())
    assert len(scene.facts(VerificationStarted)) == 1


def test_each_rule_and_each_job_has_a_verification_of_its_own() -> None:
    scene = Scene()
    scene.require(metric(), rule="one")
    scene.require(metric(), rule="two")
    scene.require(metric(), rule="one", job="another")
    assert len({one.verification_id for one in scene.facts(VerificationStarted)}) == 3


def test_vm_first_measure_immediate_then_requeue() -> None:
    scene = Scene()
    scene.require(metric(interval_seconds=60, count=3))
    assert scene.outside.seconds() == [0]
    scene.advance(600)
    assert scene.outside.seconds() == [0, 60, 120]
    assert [one.number for one in scene.facts(MeasurementTaken)] == [1, 2, 3]
    assert scene.outcome() == "passed"


def test_vm_interval_guard() -> None:
    scene = Scene()
    scene.require(metric(interval_seconds=60, count=2))
    scene.advance(59.9)
    scene.run()
    assert scene.outside.seconds() == [0]
    scene.advance(0.1)
    assert scene.outside.seconds() == [0, 60]


def test_vm_count_reached_passes() -> None:
    scene = Scene()
    scene.require(metric(count=2))
    scene.advance(60)
    (passed,) = scene.facts(VerificationPassed)
    assert (passed.finished_at - START).total_seconds() == 60
    assert scene.next_due() is None


def test_vm_limit0_first_failure_fatal() -> None:
    scene = Scene(health=[GOOD, BAD])
    scene.require(metric(count=5))
    scene.advance(600)
    assert scene.taken() == ["passed", "failed"]
    (failed,) = scene.facts(VerificationFailed)
    assert failed.metric == "health"
    assert failed.message == (
        "1 of 2 measurements failed, none may fail. The last one: the success condition `result.ok` is not true (HTTP 500)."
    )


def test_vm_limit_reached_continues_exceeded_fails() -> None:
    scene = Scene(health=[BAD, GOOD, BAD, GOOD])
    scene.require(metric(count=5, failure_threshold=1))
    scene.advance(600)
    assert scene.taken() == ["failed", "passed", "failed"]
    assert scene.outcome() == "failed"


def test_vm_success_threshold_consecutive_and_reset() -> None:
    scene = Scene(health=[GOOD, BAD, GOOD, GOOD])
    scene.require(metric(count=10, failure_threshold=1, success_threshold=2))
    scene.advance(1200)
    assert scene.taken() == ["passed", "failed", "passed", "passed"]
    assert scene.outcome() == "passed"


def test_vm_inconclusive_continues() -> None:
    scene = Scene(health=[{**GOOD, "statusCode": 300}, GOOD])
    scene.require(metric(count=2, success_condition="result.statusCode == 200", failure_condition="!result.ok"))
    scene.advance(600)
    assert scene.taken() == ["inconclusive", "passed"]
    assert scene.outcome() == "passed"


def test_vm_finalised_idempotent() -> None:
    scene = Scene()
    scene.require(metric(count=1))
    room = scene.room("verifier")
    key = f"{scene.facts(VerificationStarted)[0].verification_id}/1/health"
    before = len(scene.log)
    assert room.settle([Outcome(key, {"result": GOOD})], scene.now) is None
    assert room.settle([Outcome(key.replace("/1/", "/2/"), {"result": GOOD})], scene.now) is None
    assert len(scene.log) == before


def test_vm_provider_error_not_recorded() -> None:
    scene = Scene(health=[ERROR, ERROR, GOOD])
    scene.require(metric(count=1))
    assert scene.outcome() == "running"
    scene.advance(600)
    assert [(one.status, one.error) for one in scene.facts(MeasurementTaken)] == [
        ("inconclusive", True),
        ("inconclusive", True),
        ("passed", False),
    ]
    assert scene.outside.seconds() == [0, 60, 120]
    assert scene.outcome() == "passed"


def test_five_errors_in_a_row_are_a_failure() -> None:
    scene = Scene(health=[ERROR])
    scene.require(metric(count=1))
    scene.advance(3600)
    assert scene.taken() == [*["inconclusive"] * 4, "failed"]
    (failed,) = scene.facts(VerificationFailed)
    assert failed.message.endswith("The last one: no result 5 times in a row: connection refused.")


def test_vm_null_success_threshold_is_unset() -> None:
    for threshold in (None, 0, -1):
        scene = Scene()
        scene.require(metric(count=2, success_threshold=threshold))
        assert scene.outcome() == "running"
        scene.advance(60)
        assert scene.outcome() == "passed"


def test_a_verification_passes_when_all_its_metrics_have() -> None:
    scene = Scene()
    scene.require(metric("fast", count=1), metric("slow", count=3))
    assert (scene.taken("fast"), scene.taken("slow")) == (["passed"], ["passed"])
    assert scene.outcome() == "running"
    scene.advance(120)
    assert scene.outcome() == "passed"
    assert len(scene.taken("fast")) == 1


def test_a_verification_fails_as_soon_as_one_metric_has_and_drops_the_others() -> None:
    scene = Scene(bad=[BAD])
    scene.require(
        metric("long", count=100, interval_seconds=10), metric("bad", provider={"type": "sleep", "durationSeconds": 35})
    )
    scene.advance(600)
    (failed,) = scene.facts(VerificationFailed)
    assert failed.metric == "bad"
    assert [(one.metric, one.number) for one in failed.dropped] == [("long", 5)]
    assert len(scene.taken("long")) == 4
    assert not scene.room("verifier").is_open(f"{failed.verification_id}/5/long")
    assert scene.next_due() is None


def test_answers_that_come_together_are_judged_one_after_the_other() -> None:
    scene = Scene(one=[BAD], two=[BAD])
    scene.require(metric("one"), metric("two"))
    (failed,) = scene.facts(VerificationFailed)
    assert failed.metric == "one"
    assert scene.taken("two") == []


def test_a_sleep_is_measured_when_it_is_over() -> None:
    scene = Scene(wait=[{"ok": True, "value": 30, "duration": 30_000}])
    scene.require(metric("wait", count=2, interval_seconds=60, provider={"type": "sleep", "durationSeconds": 30}))
    scene.advance(600)
    assert scene.outside.seconds("wait") == [30, 120]
    assert scene.outcome() == "passed"


def test_two_metrics_of_one_name_are_one() -> None:
    scene = Scene()
    scene.require(metric(count=1), metric(count=50))
    assert scene.outcome() == "passed"
    assert len(scene.facts(VerificationStarted)[0].metrics) == 1


def test_nothing_to_measure_has_passed() -> None:
    scene = Scene()
    scene.require()
    assert scene.outcome() == "passed"


def test_a_configuration_that_is_deeper_than_any_is_asked_as_it_is() -> None:
    deep: Any = "{{.resource.name}} ${secret:token}"
    for _ in range(100):
        deep = [deep]
    scene = Scene()
    given = {"type": "http", "url": "{{.resource.name}}", "headers": deep}
    scene.require(metric(provider=given))
    ((_, _, request),) = scene.outside.asked
    assert (request["provider"], request["secrets"]) == (given, [])


def test_provider_fields_are_rendered_for_each_measurement() -> None:
    scene = Scene()
    scene.require(
        metric(
            provider={
                "type": "http",
                "method": "POST",
                "url": 'http://{{.resource.name}}:{{.variables.port}}/{{.job.externalId}}/{{index .resource.metadata "git/sha"}}',
                "headers": {"X-Version": "{{.version.tag}}", "X-Missing": "{{.version.metadata.nothing}}"},
                "body": "{{.environment.name}} {{.deployment.slug}} {{.release.id}} {{.release.version.tag}} {{if}}",
                "timeout": "{{.version.tag}}",  # no template
            }
        )
    )
    ((_, _, request),) = scene.outside.asked
    assert request == {
        "provider": {
            "type": "http",
            "method": "POST",
            "url": "http://eu-1:8080/run-7/abc",
            "headers": {"X-Version": "v2.0.0", "X-Missing": "<no value>"},
            "body": "{{.environment.name}} {{.deployment.slug}} {{.release.id}} {{.release.version.tag}} {{if}}",
            "timeout": "{{.version.tag}}",
        },
        "secrets": [],
        "workspace_id": WORKSPACE,
        "unfilled": {"headers/X-Missing": ["{{.version.metadata.nothing}}"]},
    }


def test_only_secrets_that_a_metric_itself_names_may_be_opened() -> None:
    scene = Scene()
    named, brought = "${secret:env:SIGNALBOX_SECRET_A}", "${secret:env:SIGNALBOX_SECRET_B}"
    scene.record(
        VersionUpdated(
            version_id=ABOUT["version_id"],
            deployment_id=ABOUT["deployment_id"],
            tag=brought,
            name="n",
            created_at=START,
        )
    )
    scene.require(
        metric(
            provider={
                "type": "http",
                "url": "https://x/{{.version.tag}}?key=" + named,
                "headers": {"Authorization": f"Bearer {named}", "X-Odd": "${secret:"},
                "insecure": True,
            }
        )
    )
    ((_, _, request),) = scene.outside.asked
    assert request["provider"]["url"] == f"https://x/{brought}?key={named}"
    assert request["secrets"] == [named]


def test_disp_conditions_templated() -> None:
    scene = Scene()
    scene.require(metric(count=1, success_condition='"{{.version.tag}}" == "v2.0.0"', failure_condition='"{{.job.id}}" == ""'))
    (spec,) = scene.facts(VerificationStarted)[0].metrics
    assert spec.success_condition == '"v2.0.0" == "v2.0.0"'
    assert spec.failure_condition == f'"{id_of("job")}" == ""'
    assert scene.outcome() == "passed"


def test_after_a_crash_the_open_measurements_are_taken_at_their_time() -> None:
    scene = Scene()
    scene.require(metric(count=3))
    revived: Room[State] = Room(service, WORKSPACE)
    revived.reset(service.initial(WORKSPACE), 0, scene.room("verifier").stored)
    revived.fold(scene.log)
    (intent,) = revived.take_opened()
    assert intent.not_before is not None
    assert intent.key.endswith("/2/health")
    assert (intent.not_before - START).total_seconds() == 60


def test_a_question_that_was_under_way_at_a_crash_is_asked_again_under_its_number_and_recorded_once() -> None:
    scene = Scene()
    scene.script(lambda intent, now: None)
    scene.require(metric(count=1))
    revived: Room[State] = Room(service, WORKSPACE)
    revived.reset(service.initial(WORKSPACE), 0, scene.room("verifier").stored)
    revived.fold(scene.log)
    (intent,) = revived.take_opened()
    assert (intent.key.split("/")[1], intent.again) == ("1", True)
    answer = Outcome(intent.key, {"result": GOOD})
    round_ = revived.settle([answer, answer], scene.now)
    assert round_ is not None
    assert [type(one.fact) for one in round_.append.facts] == [MeasurementTaken, VerificationPassed]


def test_a_snapshot_reads_back_as_the_same_state() -> None:
    scene = Scene()
    scene.require(metric("a", count=1), metric("b"))
    scene.require(metric(count=1), rule="done")
    state = scene.room("verifier").state
    assert decode(State, encode(State, state)) == state
    assert refold(service, scene.log) == state


def test_a_condition_whose_templates_bring_in_too_much_fails_and_shows_why() -> None:
    scene = Scene()
    config = {"text": "z" * 60_000}
    scene.record(
        VersionUpdated(
            version_id=ABOUT["version_id"],
            deployment_id=ABOUT["deployment_id"],
            tag="v2",
            name="v2",
            config=config,
            created_at=START,
        )
    )
    scene.require(metric(success_condition='result.body == "{{.version.config.text}}"'))
    scene.advance(600)
    assert scene.outcome() == "failed"
    (started,) = scene.facts(VerificationStarted)
    assert len(started.metrics[0].success_condition) == SOURCE_CHARS + 1
    assert "characters, more than the limit of" in scene.facts(VerificationFailed)[0].message


def test_many_conditions_that_no_fact_can_hold_stay_as_templates() -> None:
    scene = Scene()
    config = {"text": "z" * 4_000}
    scene.record(
        VersionUpdated(
            version_id=ABOUT["version_id"],
            deployment_id=ABOUT["deployment_id"],
            tag="v2",
            name="v2",
            config=config,
            created_at=START,
        )
    )
    condition = 'result.body == "{{.version.config.text}}"'
    scene.require(*(metric(str(number), success_condition=condition) for number in range(100)))
    (started,) = scene.facts(VerificationStarted)
    assert {spec.success_condition for spec in started.metrics} == {condition}


def test_an_answer_with_characters_that_no_database_holds_is_recorded_without_them() -> None:
    body = '{"rate": 0, "text": "a\\u0000b", "\\u0000": ["\\u0000"]}'
    scene = Scene(health=[{"ok": True, "statusCode": 200, "body": body, "headers": {"X": ["\x00"]}, "duration": 1}])
    scene.require(metric(count=1, success_condition='result.json.text == "a\\u0000b"'))
    (taken,) = scene.facts(MeasurementTaken)
    assert taken.status == "passed"
    assert taken.data["json"] == {"rate": 0, "text": "a\ufffdb", "\ufffd": ["\ufffd"]}
    assert taken.data["headers"] == {"X": ["\ufffd"]}


def test_a_reason_with_such_characters_is_recorded_without_them() -> None:
    scene = Scene(health=[{"error": "no \x00 answer" + "!" * 10_000}])
    scene.require(metric(count=1))
    message = scene.facts(MeasurementTaken)[0].message
    assert message is not None
    assert "no \ufffd answer" in message
    assert len(message) < 3_000


def test_who_is_asked_is_known_by_what_templates_come_to() -> None:
    scene = Scene()
    scene.script(lambda intent, now: None)
    scene.require(
        metric(), metric("other", provider={"type": "http", "url": "{{.version.tag}}://{{.resource.name}}:8080/health"})
    )
    effects = service.effects
    assert effects is not None
    state = scene.room("verifier").state
    intents = [effects.intent(state, key) for key in effects.keys(state)]
    assert [one.lane for one in intents if one is not None] == ["http://eu-1", "v2.0.0://eu-1:8080"]


def test_jobs_of_several_agents_are_all_known() -> None:
    scene = Scene()
    for number in range(6):
        scene.job(f"agent {number}", "release 2")
    for number in range(6):
        scene.require(
            metric(count=1, success_condition='"{{.job.externalId}}" == "run-7"'), job=f"agent {number}", release="release 2"
        )
    assert len(scene.facts(VerificationPassed)) == 6
    assert len(scene.room("verifier").state.known) == 6


def test_a_release_is_good_only_when_none_of_its_many_jobs_failed() -> None:
    scene = Scene(bad=[BAD])
    for number in range(6):
        scene.job(f"agent {number}", "release 2")
    for number in range(6):
        scene.require(metric("health" if number else "bad", count=1), job=f"agent {number}", release="release 2")
    assert not scene.room("verifier").state.good


def test_a_release_whose_newest_dispatch_passed_is_good_whatever_an_earlier_one_came_to() -> None:
    scene = Scene(health=[BAD, GOOD])
    scene.require(metric(count=1))
    assert not scene.room("verifier").state.good
    scene.job("once more", attempt=2)
    scene.require(metric(count=1), job="once more")
    assert len(scene.room("verifier").state.good) == 1
