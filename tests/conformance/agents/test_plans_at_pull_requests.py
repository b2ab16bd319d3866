"""Plans shown at pull requests of a pretended GitHub: the comment, the checks, and that there is never a second one of either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from contracts.facts.dispatcher import PlanReported, PlanResultRecorded
from contracts.shapes import Json
from libs.runtime.service import Intent, NotYet, Outcome
from libs.simulation.world import START
from services.dispatcher.adapters import plan_texts
from services.dispatcher.adapters.context import Documents
from services.dispatcher.adapters.github_api import AppKey, GithubApi
from services.dispatcher.adapters.plan_reporting import PlanReporting
from tests.fakes.github import APP, FakeGithub, no
from tests.fakes.serving import Clock, Fault
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, Scene, id_of
from tests.unit.dispatcher.plan_scenes import Script, log_of, planned
from tests.unit.outbound.outside import calling

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SHA = "a" * 40
METADATA = {"github/owner": "acme", "github/repo": "shop", "git/sha": SHA}
PUBLIC = "https://releases.example.com"
CHANGED: Json = {
    "status": "completed",
    "has_changes": True,
    "content_hash": "",
    "current": "replicas: 1\n",
    "proposed": "replicas: 2\n",
    "cut": False,
    "message": "1 to change",
    "validations": [],
}
UNCHANGED = CHANGED | {"has_changes": False, "proposed": "replicas: 1\n"}
UNSUPPORTED = CHANGED | {"status": "unsupported", "has_changes": None, "proposed": "replicas: 1\n"}
OBJECTION = {"policy_id": "p", "rule_id": "r", "name": "no-downtime", "passed": False, "violations": ["it grows"], "error": None}
COMMENT_POST = "POST .*/issues/7/comments"
CHECK_POST = "POST .*/check-runs"


@dataclass
class House:
    """A GitHub, a workspace with plans, and what tells the one of the other."""

    github: FakeGithub
    clock: Clock
    api: GithubApi
    scene: Scene
    public_url: str = PUBLIC
    answers: list[Any] = field(default_factory=list)

    async def told(self, *, rounds: int = 50) -> None:
        """Tell GitHub until there is nothing more to tell, or it wants to be told later."""
        room = self.scene.room("dispatcher")
        for _ in range(rounds):
            intents = self.open()
            if not intents:
                return
            reporting = await self.reporting()
            for intent in intents:
                answer = await reporting.perform(intent)
                self.answers.append(answer)
                if isinstance(answer, NotYet):
                    return
                round_ = room.settle([Outcome(intent.key, answer)], self.scene.now)
                assert round_ is not None
                self.scene._append(room, round_)
                room = self.scene.room("dispatcher")

    async def reporting(self) -> PlanReporting:
        """What tells GitHub, as a process that has just started."""
        log = await log_of(self.scene)
        return PlanReporting(self.api, log, Documents(log), self.public_url, self.clock)

    def open(self) -> list[Intent]:
        room = self.scene.room("dispatcher")
        effects = room.service.effects
        assert effects is not None
        keys = [key for key in effects.keys(room.state) if key.startswith("report/")]
        return [intent for key in keys if (intent := effects.intent(room.state, key)) is not None]

    def finish(self, *results: Json) -> None:
        """Dry runs end, in the order of their ids."""
        for result in results:
            room = self.scene.room("dispatcher")
            round_ = room.settle([Outcome(f"plan/{min(room.state.planning.results)}", result)], self.scene.now)
            assert round_ is not None
            self.scene._append(room, round_)

    def error(self) -> str | None:
        assert isinstance(self.answers[-1], dict)
        told: str | None = self.answers[-1]["error"]
        return told


@asynccontextmanager
async def standing(*names: str, own: bool = True) -> AsyncIterator[House]:
    clock = Clock(START)
    github = FakeGithub(KEY.public_key(), clock)
    github.pulls[SHA] = [{"number": 3, "state": "closed"}, {"number": 7, "state": "open"}, {"number": 5, "state": "open"}]
    async with github.serving(), calling() as outbound:
        scene = Scene(*(names or ("eu-1",)), outside=Script())
        scene.save_agent("argo", "custom")
        api = GithubApi(outbound, AppKey(APP, PEM, github.url) if own else None, clock=clock)
        yield House(github, clock, api, scene)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house


# --- what is shown ---------------------------------------------------------------------------------------------------------------


async def test_a_plan_begins_with_a_comment_and_a_check_in_progress(house: House) -> None:
    plan_id = planned(house.scene, "eu-1", version_metadata=METADATA)
    await house.told()
    (comment,) = house.github.comments
    assert comment["issue"] == 7  # the newest that is open
    link = f"{PUBLIC}/api/v1/workspaces/{house.scene.workspace_id}/deployments/{DEPLOYMENT}/plan/{plan_id}"
    assert f"({link})" in comment["body"]
    assert "`pr-7`" in comment["body"]
    (check,) = house.github.checks
    assert (check["name"], check["status"], check["head_sha"]) == ("Signalbox/staging/eu-1 (shop)", "in_progress", SHA)
    assert check["details_url"] == link
    assert check["conclusion"] is None


@pytest.mark.parametrize(
    "result,conclusion",
    [
        (CHANGED, "neutral"),
        (UNCHANGED, "success"),
        (UNSUPPORTED, "skipped"),
        (CHANGED | {"status": "errored", "has_changes": None}, "failure"),
        (CHANGED | {"validations": [OBJECTION]}, "failure"),
        (UNCHANGED | {"validations": [OBJECTION | {"violations": [], "error": "it can not be compiled"}]}, "failure"),
    ],
)
async def test_a_check_ends_as_its_results_say(house: House, result: Json, conclusion: str) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA)
    house.finish(result)
    await house.told()
    (check,) = house.github.checks
    assert (check["status"], check["conclusion"]) == ("completed", conclusion)
    assert len(house.github.comments) == 1
    assert not house.open()


async def test_a_summary_shows_what_differs_and_what_is_objected_to(house: House) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA)
    house.finish(CHANGED | {"validations": [OBJECTION]})
    await house.told()
    (check,) = house.github.checks
    assert check["output"]["title"] == "1 result objected to"
    assert "-replicas: 1\n+replicas: 2" in check["output"]["summary"]
    assert "it grows" in check["output"]["summary"]
    assert "objected to" in house.github.comments[0]["body"]


async def test_what_was_shown_as_running_is_changed_and_not_made_again(house: House) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA)
    await house.told()
    house.finish(CHANGED)
    await house.told()
    assert len(house.github.calls(COMMENT_POST)) == len(house.github.calls(CHECK_POST)) == 1
    (check,) = house.github.checks
    assert check["conclusion"] == "neutral"
    assert "1 with changes" in house.github.comments[0]["body"]
    assert not house.open()


async def test_a_check_fails_before_its_last_result_is_there() -> None:
    async with standing() as house:
        house.scene.save_agent("tfe", "custom")
        planned(house.scene, "eu-1", version_metadata=METADATA)
        house.finish(CHANGED | {"status": "errored", "has_changes": None, "message": "no such cluster"})
        await house.told()
        (check,) = house.github.checks
        assert (check["status"], check["conclusion"]) == ("completed", "failure")
        assert "1 to come" in check["output"]["summary"]
        house.finish(UNCHANGED)
        await house.told()
        assert (check["conclusion"], "to come" in check["output"]["summary"]) == ("failure", False)
        assert len(house.github.checks) == 1


async def test_each_target_has_a_check_of_its_own() -> None:
    async with standing("eu-1", "us-1") as house:
        planned(house.scene, "eu-1", "us-1", version_metadata=METADATA)
        house.finish(CHANGED, UNCHANGED)
        await house.told()
        assert {one["name"] for one in house.github.checks} == {"Signalbox/staging/eu-1 (shop)", "Signalbox/staging/us-1 (shop)"}
        assert {one["conclusion"] for one in house.github.checks} == {"neutral", "success"}


# --- the comment -----------------------------------------------------------------------------------------------------------------


async def test_another_plan_of_the_deployment_writes_into_the_same_comment(house: House) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA)
    house.finish(CHANGED)
    await house.told()
    planned(house.scene, "eu-1", version_metadata=METADATA, tag="pr-7-again")
    house.finish(UNCHANGED)
    await house.told()
    (comment,) = house.github.comments
    assert "`pr-7-again`" in comment["body"]
    assert len(house.github.checks) == 2


async def test_an_older_plan_that_ends_later_leaves_the_comment_alone(house: House) -> None:
    first = planned(house.scene, "eu-1", version_metadata=METADATA)
    await house.told()
    planned(house.scene, "eu-1", version_metadata=METADATA, tag="newer")
    await house.told()
    results = house.scene.room("dispatcher").state.planning.results
    old = next(result_id for result_id, one in results.items() if one.plan_id == first)
    room = house.scene.room("dispatcher")
    round_ = room.settle([Outcome(f"plan/{old}", CHANGED)], house.scene.now)
    assert round_ is not None
    house.scene._append(room, round_)
    await house.told()
    (comment,) = house.github.comments
    assert "`newer`" in comment["body"]
    assert len([one for one in house.github.checks if one["conclusion"]]) == 1


async def test_two_plans_that_begin_together_write_one_comment(house: House) -> None:
    for tag in ("one", "two"):
        planned(house.scene, "eu-1", version_metadata=METADATA, tag=tag)
    reporting = await house.reporting()
    intents = house.open()
    assert [intent.request["what"] for intent in intents] == ["comment", "comment"]
    await asyncio.gather(*(reporting.perform(intent) for intent in intents))
    assert len(house.github.comments) == 1


async def test_a_comment_that_only_looks_like_ours_is_left_alone(house: House) -> None:
    mark = f"<!-- signalbox:plan {house.scene.workspace_id}/{DEPLOYMENT} 1 -->"
    for app in (None, {"id": 99, "client_id": "Iv1.other"}):
        house.github.comment(7, f"{mark}\nfalse", app)
    for number in range(150):
        house.github.comment(7, f"talk {number}")
    planned(house.scene, "eu-1", version_metadata=METADATA)
    await house.told()
    house.finish(CHANGED)
    await house.told()
    assert [one["body"].endswith("false") for one in house.github.comments[:2]] == [True, True]
    assert len(house.github.comments) == 153


async def test_a_comment_that_was_deleted_is_written_once_more(house: House) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA)
    await house.told()
    house.github.comments.clear()
    house.finish(CHANGED)
    await house.told()
    assert len(house.github.comments) == 1
    assert not house.open()


async def test_the_pull_request_may_be_named_and_need_not_be_looked_for(house: House) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA | {"github/pr": "12"})
    house.finish(CHANGED)
    await house.told()
    assert [one["issue"] for one in house.github.comments] == [12]
    assert not house.github.calls("GET .*/pulls")


async def test_without_a_pull_request_there_are_checks_all_the_same(house: House) -> None:
    house.github.pulls.clear()
    planned(house.scene, "eu-1", version_metadata=METADATA | {"github/pr": "none"})
    house.finish(CHANGED)
    await house.told()
    assert not house.github.comments
    assert [one["conclusion"] for one in house.github.checks] == ["neutral"]
    assert not house.open()


async def test_without_a_public_url_there_is_no_link(house: House) -> None:
    house.public_url = ""
    planned(house.scene, "eu-1", version_metadata=METADATA)
    house.finish(CHANGED)
    await house.told()
    assert "](" not in house.github.comments[0]["body"]
    assert "details_url" not in house.github.checks[0]


# --- what goes wrong -------------------------------------------------------------------------------------------------------------


async def test_without_an_app_it_is_said_what_to_set_and_nobody_is_called() -> None:
    async with standing(own=False) as house:
        planned(house.scene, "eu-1", version_metadata=METADATA)
        await house.told()
        assert "SIGNALBOX_GITHUB_APP_ID" in (house.error() or "")
        assert (len(house.answers), house.github.asked, house.open()) == (1, [], [])


async def test_an_app_that_is_not_installed_is_told_once(house: House) -> None:
    house.github.installed = False
    planned(house.scene, "eu-1", version_metadata=METADATA)
    await house.told()
    assert "Install the App in acme/shop" in (house.error() or "")
    assert len(house.answers) == 1
    assert not house.open()


@pytest.mark.parametrize(
    "wrong", [{"github/owner": "../../orgs"}, {"github/repo": ".."}, {"git/sha": "main"}, {"github/repo": "shop/issues/1?"}]
)
async def test_metadata_that_names_no_repository_leads_nowhere(house: House, wrong: dict[str, str]) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA | wrong)
    await house.told()
    (key,) = wrong
    assert key in (house.error() or "")
    assert not house.github.asked


async def test_a_commit_that_github_does_not_know_is_told(house: House) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA | {"git/sha": "abcdef1"})
    await house.told()
    assert "No commit found" in (house.error() or "")
    assert not house.open()


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("call", [COMMENT_POST, CHECK_POST])
async def test_an_answer_that_is_lost_leaves_no_second_one_behind(house: House, call: str, done: bool) -> None:
    house.github.faults.append(Fault(call, cut=True, done=done))
    planned(house.scene, "eu-1", version_metadata=METADATA)
    await house.told()
    assert isinstance(house.answers[-1], NotYet)
    house.finish(CHANGED)
    await house.told()
    assert len(house.github.comments) == len(house.github.checks) == 1
    assert not house.open()


async def test_a_process_that_died_after_it_told_finds_what_it_had_made(house: House) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA)
    house.finish(CHANGED)
    for _ in range(2):
        (intent,) = house.open()
        await (await house.reporting()).perform(intent)
        answer = await (await house.reporting()).perform(intent)  # it knows nothing of the first one's answer
        assert isinstance(answer, dict)
        room = house.scene.room("dispatcher")
        round_ = room.settle([Outcome(intent.key, answer)], house.scene.now)
        assert round_ is not None
        house.scene._append(room, round_)
    assert len(house.github.comments) == len(house.github.checks) == 1
    assert not house.open()


@pytest.mark.parametrize(
    "reply,at_least",
    [
        (no(429, "slow down", retry_after="90"), 90),
        (no(403, "You have exceeded a secondary rate limit"), 60),
        (no(500, "oops"), 10),
    ],
)
async def test_github_that_wants_to_be_left_alone_is_told_later(house: House, reply: Any, at_least: float) -> None:
    house.github.faults.append(Fault(COMMENT_POST, reply=reply))
    planned(house.scene, "eu-1", version_metadata=METADATA)
    house.finish(CHANGED)
    await house.told()
    later = house.answers[-1]
    assert isinstance(later, NotYet)
    assert later.after_s >= at_least
    house.clock.forward(later.after_s)
    await house.told()
    assert len(house.github.comments) == 1
    assert not house.open()


async def test_what_can_not_be_told_within_the_life_of_a_plan_is_given_up(house: House) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA)
    (intent,) = house.open()
    house.github.faults.append(Fault("POST .*access_tokens", reply=no(502, "oops"), times=2))
    assert isinstance(await (await house.reporting()).perform(intent), NotYet)
    house.clock.forward(3_600)
    answer = await (await house.reporting()).perform(intent)
    assert isinstance(answer, dict)
    assert answer["error"].startswith("GitHub could not be told in time: ")


async def test_a_plan_is_not_held_up_by_its_report(house: House) -> None:
    house.github.installed = False
    planned(house.scene, "eu-1", version_metadata=METADATA)
    await house.told()
    house.finish(CHANGED)
    (fact,) = house.scene.facts(PlanResultRecorded)
    assert fact.result_id
    assert id_of("eu-1") not in house.scene.room("dispatcher").state.planning.results


# --- faults of ours --------------------------------------------------------------------------------------------------------------


def broken_text(*args: Any, **more: Any) -> str:
    raise KeyError("s3cr3t")


async def test_an_error_of_ours_is_tried_again_with_pauses_and_then_recorded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA)
    monkeypatch.setattr(plan_texts, "comment", broken_text)
    reporting = await house.reporting()
    (intent,) = house.open()
    answers = [await reporting.perform(intent) for _ in range(8)]
    assert [one.after_s for one in answers[:-1] if isinstance(one, NotYet)] == [1, 2, 4, 8, 16, 32, 64]
    told = answers[-1]
    assert isinstance(told, dict)
    assert told["error"] == "Showing it broke 8 times by an error of this service (KeyError)."
    room = house.scene.room("dispatcher")
    round_ = room.settle([Outcome(intent.key, told)], house.scene.now)
    assert round_ is not None
    house.scene._append(room, round_)
    assert [one.error for one in house.scene.facts(PlanReported)] == [told["error"]]
    assert not house.open()


async def test_an_error_of_ours_that_passes_leaves_no_trace(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA)
    reporting = await house.reporting()
    (intent,) = house.open()
    with monkeypatch.context() as broken:
        broken.setattr(plan_texts, "comment", broken_text)
        assert await reporting.perform(intent) == NotYet(1)
        assert await reporting.perform(intent) == NotYet(2)
    told = await reporting.perform(intent)
    assert isinstance(told, dict)
    assert told["error"] is None
    with monkeypatch.context() as broken:
        broken.setattr(plan_texts, "comment", broken_text)
        assert await reporting.perform(intent) == NotYet(1)


async def test_an_error_of_ours_is_not_tried_again_after_the_end_of_the_plan(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(house.scene, "eu-1", version_metadata=METADATA)
    monkeypatch.setattr(plan_texts, "comment", broken_text)
    (intent,) = house.open()
    house.clock.forward(7_200)
    told = await (await house.reporting()).perform(intent)
    assert isinstance(told, dict)
    assert told["error"]
