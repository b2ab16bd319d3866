"""Dry runs as they are performed: what an agent is given, how its answer is judged, and how much of it is kept."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.facts.dispatcher import PlanResultRecorded, PlanValidation
from contracts.shapes import Json
from libs.eventlog.port import MAX_FACT_BYTES
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.runtime.outside import Outside
from libs.runtime.service import NotYet, Outcome
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.dispatcher.adapters import planning
from services.dispatcher.adapters.context import Documents
from services.dispatcher.adapters.planning import Planning
from services.dispatcher.adapters.port import Delayed, PlanAnswer, PlanRequest
from services.dispatcher.adapters.test_runner import TestRunner
from services.dispatcher.plans import PATIENCE
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of
from tests.unit.dispatcher.plan_scenes import Script, log_of, planned, save_rules

CHANGES = PlanAnswer(status="completed", has_changes=True, current="replicas: 1\n", proposed="replicas: 2\n")
GROWS = 'package signalbox\n\ndeny contains msg if {\n\tinput.hasChanges\n\tmsg := sprintf("%s would change", [input.resource.name])\n}\n'
CONTENT = 'package signalbox\n\ndeny contains "never" if input.agentType == "nobody"\n'
OLD = 'package old\n\ndeny[msg] {\n\tmsg := "no"\n}\n'
BROKEN = "package broken\n\ndeny contains msg if {"
SECRETS = {"SIGNALBOX_SECRET_TOKEN": "hunter2-hunter2"}


class Answering:
    """An agent that answers as it is told."""

    def __init__(self, answer: PlanAnswer | Delayed) -> None:
        self.answer = answer
        self.asked: list[PlanRequest] = []

    async def plan(self, request: PlanRequest) -> PlanAnswer | Delayed:
        self.asked.append(request)
        return self.answer


class Planned:
    """One dry run of one target, and what performing it comes to."""

    def __init__(self, answer: PlanAnswer | Delayed = CHANGES, *, type_: str = "webhook", config: Json | None = None) -> None:
        self.agent = Answering(answer)
        self.scene = Scene(outside=Script())
        self.scene.save_agent(
            "agent",
            type_,
            {"url": "https://agent.example.com", "secret": "${secret:env:SIGNALBOX_SECRET_TOKEN}", **(config or {})}
            if type_ == "webhook"
            else config,
        )
        self.agents: dict[str, Any] = {"webhook": self.agent, "test-runner": TestRunner()}

    async def performed(self, *, late: timedelta = timedelta(0), again: bool = False, **plan: Any) -> dict[str, Any] | NotYet:
        planned(self.scene, "eu-1", **plan)
        script = self.scene._performers["dispatcher"]
        assert isinstance(script, Script)
        (intent,) = script.of("plan")
        log = await log_of(self.scene)
        outbound = Outbound(AddressRules.parse(""))
        outside = Outside(log, outbound, Vault(Sources(SECRETS, None), None))
        try:
            runs = Planning(self.agents, outside, Documents(log), lambda: self.scene.now + late)
            return await runs.perform(type(intent)(intent.key, intent.request, again=again))
        finally:
            await outbound.close()


def result(made: dict[str, Any] | NotYet) -> dict[str, Any]:
    assert isinstance(made, dict), made
    return made


def validations(made: dict[str, Any] | NotYet) -> dict[str, PlanValidation]:
    return {one["name"]: PlanValidation.model_validate(one) for one in result(made)["validations"]}


# --- what an agent is given ------------------------------------------------------------------------------------------------------


async def test_an_agent_is_given_what_a_job_of_the_version_would_be_made_from() -> None:
    dry = Planned(config={"headers": {"Authorization": "${secret:env:SIGNALBOX_SECRET_TOKEN}"}})
    await dry.performed(variables={"REGION": "eu"}, config={"image": "shop:7"}, version_metadata={"git/sha": "abc"}, again=True)
    (asked,) = dry.agent.asked
    context = asked.context
    assert (context["version"]["tag"], context["version"]["config"], context["version"]["metadata"]) == (
        "pr-7",
        {"image": "shop:7"},
        {"git/sha": "abc"},
    )
    assert (context["resource"]["name"], context["environment"]["name"], context["deployment"]["name"]) == (
        "eu-1",
        "staging",
        "shop",
    )
    assert context["release"]["releaseTarget"] == {
        "resourceId": id_of("eu-1"),
        "environmentId": ENVIRONMENT,
        "deploymentId": DEPLOYMENT,
    }
    assert (context["variables"], context["jobAgent"]["name"], asked.again) == ({"REGION": "eu"}, "agent", True)
    # In clear for the call, sealed in what templates see.
    assert asked.config["headers"]["Authorization"] == SECRETS["SIGNALBOX_SECRET_TOKEN"]
    assert "hunter2" not in repr(context)


async def test_a_secret_that_an_agent_repeats_is_not_recorded() -> None:
    secret = SECRETS["SIGNALBOX_SECRET_TOKEN"]
    answer = PlanAnswer(
        status="completed", has_changes=True, current=f"a {secret}", proposed=f"b {secret}", message=f"by {secret}"
    )
    dry = Planned(answer, config={"headers": {"Authorization": "${secret:env:SIGNALBOX_SECRET_TOKEN}"}})
    save_rules(dry.scene, echo="package echo\n\ndeny contains input.proposed\n")
    made = await dry.performed()
    assert validations(made)["echo"].violations == ("b ••••••",)
    assert secret not in repr(made)


async def test_a_secret_that_is_not_there_is_an_error_that_says_which() -> None:
    dry = Planned(config={"headers": {"Authorization": "${secret:env:SIGNALBOX_SECRET_OTHER}"}})
    made = result(await dry.performed())
    assert made["status"] == "errored"
    assert "SIGNALBOX_SECRET_OTHER" in made["message"]
    assert not dry.agent.asked


async def test_a_configuration_that_can_not_be_used_is_an_error_that_says_where() -> None:
    made = result(await Planned().performed(job_agent_config={"url": 5}))
    assert (made["status"], "url" in made["message"]) == ("errored", True)


async def test_plan_unsupported_agent() -> None:
    made = result(await Planned(type_="jenkins").performed())
    assert (made["status"], made["has_changes"], made["content_hash"], made["validations"]) == ("unsupported", None, "", [])
    assert "jenkins" in made["message"]


@pytest.mark.parametrize("changes", [True, False])
async def test_a_test_runner_says_what_its_configuration_says(changes: bool) -> None:
    made = result(await Planned(type_="test-runner", config={"hasChanges": changes}).performed())
    assert (made["status"], made["has_changes"], made["content_hash"]) == ("completed", changes, "test-runner")
    assert (made["current"], made["proposed"]) == ("", "")


async def test_an_agent_that_is_not_ready_is_asked_again_until_the_time_is_over() -> None:
    waits = Delayed(message="the run is under way", retry_after_s=20)
    assert await Planned(waits).performed() == NotYet(20)
    assert await Planned(Delayed(message="the run is under way")).performed() == NotYet(5)
    made = result(await Planned(waits).performed(late=PATIENCE))
    assert (made["status"], made["message"]) == ("errored", "There was no answer in time: the run is under way")


async def test_an_agent_that_breaks_is_asked_again_and_what_it_broke_by_is_told_without_secrets() -> None:
    class Broken(Answering):
        async def plan(self, request: PlanRequest) -> PlanAnswer | Delayed:
            raise KeyError(request.config["secret"])

    def broken() -> Planned:
        dry = Planned()
        dry.agents["webhook"] = Broken(CHANGES)
        return dry

    with pytest.raises(RuntimeError, match="a dry run of a webhook agent broke") as raised:
        await broken().performed()
    made = result(await broken().performed(late=PATIENCE))
    assert made["status"] == "errored"
    assert SECRETS["SIGNALBOX_SECRET_TOKEN"] not in f"{raised.value}{made}"


# --- how its answer is judged ----------------------------------------------------------------------------------------------------


class Broken:
    """An agent with a fault of ours."""

    async def plan(self, request: PlanRequest) -> PlanAnswer | Delayed:
        raise KeyError(f"no header {request.config['secret']}")


def broken() -> Planned:
    dry = Planned()
    dry.agents["webhook"] = Broken()
    return dry


async def test_an_agent_that_breaks_says_no_secret_and_is_given_up() -> None:
    with pytest.raises(RuntimeError, match="a dry run of a webhook agent broke") as broke:
        await broken().performed()
    assert SECRETS["SIGNALBOX_SECRET_TOKEN"] not in str(broke.value)
    assert broke.value.__suppress_context__
    made = result(await broken().performed(late=PATIENCE))
    assert made["status"] == "errored"
    assert SECRETS["SIGNALBOX_SECRET_TOKEN"] not in made["message"]


async def test_plan_validation_pass_fail_multi() -> None:
    dry = Planned()
    save_rules(dry.scene, grows=GROWS, content=CONTENT)
    found = validations(await dry.performed())
    assert (found["grows"].passed, found["grows"].violations) == (False, ("eu-1 would change",))
    assert (found["content"].passed, found["content"].violations, found["content"].error) == (True, (), None)
    assert (found["grows"].policy_id, found["grows"].rule_id) == (id_of("policy"), id_of("grows"))


async def test_plan_rego_v0_rejected() -> None:
    dry = Planned()
    save_rules(dry.scene, old=OLD)
    old = validations(await dry.performed())["old"]
    assert (old.passed, old.violations) == (False, ())
    assert old.error


async def test_plan_custom_package() -> None:
    dry = Planned()
    save_rules(dry.scene, custom='package acme.teams.shop\n\ndeny contains "no" if input.hasChanges\n')
    assert validations(await dry.performed())["custom"].violations == ("no",)


async def test_plan_one_bad_rule_keeps_others() -> None:
    dry = Planned()
    save_rules(dry.scene, grows=GROWS, broken=BROKEN, content=CONTENT)
    made = await dry.performed()
    found = validations(made)
    assert {name: one.passed for name, one in found.items()} == {"grows": False, "broken": False, "content": True}
    assert found["broken"].error
    assert found["grows"].error is None
    assert result(made)["status"] == "completed"


async def test_rules_see_both_texts_both_versions_and_where_it_goes() -> None:
    dry = Planned()
    current = dry.scene.save_version("v1")
    rego = (
        "package all\n\n"
        'deny contains sprintf("%s>%s %s %s %s", [input.currentVersion.tag, input.proposedVersion.tag, '
        "input.environment.name, input.deployment.name, input.agentType])\n\n"
        'deny contains "parsed" if yaml.unmarshal(input.proposed).replicas > yaml.unmarshal(input.current).replicas\n'
    )
    save_rules(dry.scene, all=rego)
    assert validations(await dry.performed(current=current))["all"].violations == ("parsed", "v1>pr-7 staging shop webhook")


async def test_the_first_deployment_has_no_version_before() -> None:
    dry = Planned()
    save_rules(dry.scene, first='package first\n\ndeny contains "first" if input.currentVersion == null\n')
    assert validations(await dry.performed())["first"].violations == ("first",)


@pytest.mark.parametrize("answer", [PlanAnswer(status="errored", message="no"), PlanAnswer(status="unsupported")])
async def test_only_what_is_completed_is_judged(answer: PlanAnswer) -> None:
    dry = Planned(answer)
    save_rules(dry.scene, grows=GROWS)
    assert validations(await dry.performed()) == {}


# --- how much of it is kept ------------------------------------------------------------------------------------------------------


async def test_texts_that_are_too_long_end_with_a_whole_line_and_their_hash_is_of_all_of_them() -> None:
    current, proposed = "a: 1\n" * 50_000, "a: 2\n" * 50_000
    made = result(await Planned(PlanAnswer(status="completed", has_changes=True, current=current, proposed=proposed)).performed())
    assert made["cut"]
    assert made["current"].endswith("a: 1\n")
    assert proposed.startswith(made["proposed"])
    assert len(made["current"]) > planning.MAX_TEXT_BYTES // 6
    assert made["content_hash"] == hashlib.sha256((current + proposed).encode()).hexdigest()


async def test_a_hash_of_the_agents_own_stays() -> None:
    made = result(await Planned(CHANGES.model_copy(update={"content_hash": "own"})).performed())
    assert (made["content_hash"], made["cut"], made["proposed"]) == ("own", False, CHANGES.proposed)


async def test_much_that_is_objected_to_is_cut() -> None:
    dry = Planned()
    many = 'package many\n\ndeny contains sprintf("%d MANY", [n]) if some n in numbers.range(1, 60)\n'
    save_rules(dry.scene, many=many.replace("MANY", "x" * 400))
    many_ = validations(await dry.performed())["many"]
    assert (len(many_.violations), many_.passed) == (planning.MAX_VIOLATIONS, False)
    assert all(len(one) == planning.MAX_VIOLATION for one in many_.violations)


async def test_a_rule_that_is_not_asked_because_there_are_too_many_has_not_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MAX_RULES", 1)
    dry = Planned()
    save_rules(dry.scene, one=CONTENT, two=CONTENT, three=CONTENT)
    found = list(validations(await dry.performed()).values())
    assert [(one.passed, one.error is None) for one in found] == [(True, True), (False, False)]


@pytest.mark.parametrize("letter", ["\x01", "ü", '"', "𝄞", "a"])
def test_whatever_is_found_fits_into_a_fact(letter: str) -> None:
    worst = letter * 200_000
    cut = letter * planning.MAX_VIOLATION
    answer = PlanAnswer(status="completed", has_changes=True, current=worst, proposed=worst, message=worst, content_hash=worst)
    said = [
        PlanValidation(policy_id=id_of("p"), rule_id=id_of("r"), name="n" * planning.MAX_VIOLATION, passed=False, **more)
        for _ in range(planning.MAX_RULES // 2)
        for more in ({"violations": (cut,) * planning.MAX_VIOLATIONS}, {"error": cut})
    ]
    dry = Planned()
    planned(dry.scene, "eu-1")
    settled(dry, planning._result(answer, said))
    (recorded,) = dry.scene.facts(PlanResultRecorded)
    assert len(recorded.to_json()) <= MAX_FACT_BYTES
    assert [one.passed for one in recorded.validations] == [False] * len(said)
    assert recorded.validations[0].violations


def settled(dry: Planned, made: dict[str, Any]) -> None:
    """Record a result; the world refuses what does not fit."""
    room = dry.scene.room("dispatcher")
    (result_id,) = room.state.planning.results
    round_ = room.settle([Outcome(f"plan/{result_id}", made)], dry.scene.now)
    assert round_ is not None
    dry.scene._append(room, round_)


@given(st.text(max_size=200), st.integers(6, 400))
def test_a_text_that_is_cut_is_a_beginning_that_fits(text: str, limit: int) -> None:
    kept = planning._fitting(text, limit)
    assert text.startswith(kept)
    assert len(json.dumps(kept, ensure_ascii=False).encode()) - 2 <= limit
