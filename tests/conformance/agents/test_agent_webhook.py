"""`webhook` against a receiver: what is sent and signed, what is made of the answers, and that a job never has two runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.shapes import Json
from libs.outbound.asking import Outbound
from libs.secrets.references import MASK
from libs.webhooks.signatures import is_ours
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, PlanRequest
from services.dispatcher.adapters.webhook import ASKED_AT, Webhook
from tests.conformance.agents.agent_scenes import JOB, answered, delayed, following
from tests.fakes.receiver import SECRET, FakeReceiver
from tests.fakes.serving import Clock, Fault, Reply
from tests.unit.outbound.outside import Leaps, calling

AGENT = "33333333-2222-4333-8444-555555555555"
CONTEXT: Json = {
    "version": {"tag": "v1.2.3"},
    "job": {"id": JOB},
    "jobAgentConfig": {"secret": "${secret:sealed:AAECAwQFBgcICQoLDA0ODw==}", "url": "https://deploy.example"},
}
SEND = "POST /deploy"


@dataclass
class House:
    """A receiver, and an agent that knows it."""

    receiver: FakeReceiver
    outbound: Outbound
    clock: Clock
    agent: Webhook

    def restarted(self) -> Webhook:
        """The agent in another process."""
        return Webhook(self.outbound, public_url="https://signalbox.example", clock=self.clock)

    def job(self, *, again: bool = False, **config: Any) -> AgentRequest:
        whole = {"url": f"{self.receiver.url}/deploy", "secret": SECRET, **config}
        return AgentRequest(JOB, "webhook", whole, workspace_id="w", agent_id=AGENT, context=CONTEXT, again=again)

    async def handed(self, request: AgentRequest) -> tuple[AgentAnswer, AgentRequest]:
        """The answer, and the job after it."""
        answer = answered(await self.agent.dispatch(request))
        return answer, following(request, answer)


@asynccontextmanager
async def standing() -> AsyncIterator[House]:
    clock = Clock()
    receiver = FakeReceiver(clock)
    async with receiver.serving(), calling() as outbound:
        house = House(receiver, outbound, clock, Webhook(outbound))
        house.agent = house.restarted()
        yield house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house


# --- what is sent ----------------------------------------------------------------------------------------------------------------


async def test_a_job_is_sent_signed_with_all_that_it_was_made_from(house: House) -> None:
    answer, _ = await house.handed(house.job(headers={"X-Team": "shop"}))
    (call,) = house.receiver.calls(SEND)
    assert (answer.status, answer.look_again_s, answer.message) == ("inProgress", None, "The receiver took the job (202).")
    assert house.receiver.runs == [JOB]
    assert call.headers["idempotency-key"] == JOB
    assert call.headers["x-team"] == "shop"
    assert call.headers["content-type"] == "application/json"
    assert call.json["event"] == "dispatch"
    assert call.json["jobId"] == JOB
    assert call.json["callback"] == {
        "path": f"/api/webhook/{AGENT}",
        "url": f"https://signalbox.example/api/webhook/{AGENT}",
    }
    assert call.json["context"]["version"] == {"tag": "v1.2.3"}


async def test_what_is_sealed_is_not_sent(house: House) -> None:
    await house.handed(house.job())
    (call,) = house.receiver.calls(SEND)
    assert call.json["context"]["jobAgentConfig"] == {"secret": MASK, "url": "https://deploy.example"}
    assert b"sealed" not in call.body


async def test_the_signature_is_over_the_very_bytes_and_their_time(house: House) -> None:
    await house.handed(house.job())
    (call,) = house.receiver.calls(SEND)
    header = call.headers["x-signalbox-signature"]
    assert header.startswith(f"t={int(house.clock().timestamp())},v1=")
    assert is_ours(call.body, header, SECRET, house.clock())
    assert not is_ours(call.body + b" ", header, SECRET, house.clock())


@pytest.mark.parametrize(
    "template,body,kind",
    [
        ('{"tag": "{{.version.tag}}", "to": "{{.callback.url}}"}', None, "application/json"),
        ("deploy {{.version.tag}}", b"deploy v1.2.3", "text/plain; charset=utf-8"),
    ],
)
async def test_a_template_makes_the_body(house: House, template: str, body: bytes | None, kind: str) -> None:
    await house.handed(house.job(template=template))
    (call,) = house.receiver.calls(SEND)
    expected = body or orjson.dumps({"tag": "v1.2.3", "to": f"https://signalbox.example/api/webhook/{AGENT}"})
    assert call.body.replace(b" ", b"") == expected.replace(b" ", b"")
    assert call.headers["content-type"] == kind


async def test_headers_of_the_configuration_do_not_replace_ours(house: House) -> None:
    headers = {"idempotency-key": "other", "X-SIGNALBOX-SIGNATURE": "t=1,v1=0", "content-type": "application/x-deploy"}
    answer, _ = await house.handed(house.job(headers=headers))
    (call,) = house.receiver.calls(SEND)
    assert answer.status == "inProgress"
    assert call.headers["idempotency-key"] == JOB
    assert call.headers["content-type"] == "application/x-deploy"


async def test_without_an_address_of_ours_the_receiver_is_told_the_path(house: House) -> None:
    house.agent = Webhook(house.outbound, clock=house.clock)
    await house.handed(house.job())
    (call,) = house.receiver.calls(SEND)
    assert call.json["callback"] == {"path": f"/api/webhook/{AGENT}"}


# --- what is made of the answers -------------------------------------------------------------------------------------------------


async def test_the_answer_may_say_how_the_job_stands(house: House) -> None:
    house.receiver.answer = {
        "status": "successful",
        "externalId": "run-7",
        "message": "done at once",
        "links": {"Run": "https://deploy.example/7", "metadata": "https://deploy.example/m", "Bad": "javascript:x", "No": 1},
    }
    answer, _ = await house.handed(house.job())
    assert (answer.status, answer.external_id, answer.message) == ("successful", "run-7", "done at once")
    assert orjson.loads(answer.metadata["ctrlplane/links"]) == {
        "Run": "https://deploy.example/7",
        "metadata": "https://deploy.example/m",
    }


@pytest.mark.parametrize(
    "body",
    [None, "text", [1], {"status": 7}, {"externalId": {}, "message": 1, "links": []}, {"status": "fine"}, {"status": None}],
)
async def test_an_answer_that_says_nothing_usable_is_only_an_answer(house: House, body: Any) -> None:
    house.receiver.answer = body
    answer, _ = await house.handed(house.job())
    assert (answer.status, answer.external_id, answer.metadata) == ("inProgress", None, {})


async def test_an_answer_that_is_no_json_is_only_an_answer(house: House) -> None:
    house.receiver.faults.append(Fault(SEND, Reply(200, body=b"OK")))
    answer, _ = await house.handed(house.job())
    assert answer.status == "inProgress"


async def test_a_receiver_that_has_the_job_already_is_no_failure(house: House) -> None:
    await house.handed(house.job())
    answer = answered(await house.restarted().dispatch(house.job(again=True)))
    assert (answer.status, answer.message) == ("inProgress", "The receiver has the job already.")
    assert house.receiver.runs == [JOB]


@pytest.mark.parametrize(
    "reply,status,said",
    [
        (Reply(400, {"message": "no such shop"}), "failure", "400: no such shop. The receiver does not want the job"),
        (Reply(422, {"error": "odd"}), "failure", "422: odd"),
        (Reply(401, {"error": "who?"}), "invalidIntegration", "401: who?. Check url and headers"),
        (Reply(404, None), "invalidIntegration", "404. Check url and headers"),
        (Reply(302, None, {"Location": "/elsewhere"}), "invalidIntegration", "redirects are not followed"),
        (Reply(400, body=b"<html>", headers={"Content-Type": "text/html"}), "failure", "400. The receiver"),
        (Reply(400, body=b"plainly no", headers={"Content-Type": "text/plain"}), "failure", "400: plainly no."),
    ],
)
async def test_a_receiver_that_says_no(house: House, reply: Reply, status: str, said: str) -> None:
    house.receiver.faults.append(Fault(SEND, reply))
    answer, _ = await house.handed(house.job())
    assert answer.status == status
    assert said in (answer.message or "")


@pytest.mark.parametrize(
    "config,status,said",
    [
        ({"template": "{{.version.tag.more}}"}, "failure", "can not be rendered"),
        ({"template": "{{"}, "failure", "line 1, column"),
        ({"secret": "another"}, "invalidIntegration", "the signature is wrong"),
        ({"headers": {"X-A": "a\nb"}}, "failure", "holds a line break"),
        ({"url": "ftp://x"}, "failure", "only http: and https:"),
        ({"url": "http://10.0.0.1/"}, "failure", "10.0.0.1"),
    ],
)
async def test_a_configuration_that_can_not_be_used(house: House, config: Json, status: str, said: str) -> None:
    answer, _ = await house.handed(house.job(**config))
    assert answer.status == status
    assert said in (answer.message or "")
    assert house.receiver.runs == []
    assert SECRET not in (answer.message or "")


# --- faults: never two runs for one job ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply,pause_s",
    [
        (Reply(429, None, {"Retry-After": "7"}), 7.0),
        (Reply(429), None),
        (Reply(503, None, {"Retry-After": "30"}), 30.0),
    ],
)
async def test_a_receiver_that_wants_us_to_wait_gets_the_job_later(house: House, reply: Reply, pause_s: float | None) -> None:
    house.receiver.faults.append(Fault(SEND, reply))
    assert delayed(await house.agent.dispatch(house.job())).retry_after_s == pause_s
    await house.handed(house.job())
    assert house.receiver.runs == [JOB]


async def test_a_receiver_that_is_down_gets_the_job_later() -> None:
    async with standing() as house:
        request = house.job()
    assert "no connection" in delayed(await house.agent.dispatch(request)).message


UNKNOWN = [
    pytest.param(Fault(SEND, Reply(500), done=True), id="500-after-it-began"),
    pytest.param(Fault(SEND, Reply(502)), id="502"),
    pytest.param(Fault(SEND, Reply(503)), id="503-without-a-pause"),
    pytest.param(Fault(SEND, cut=True, done=True), id="cut-after-it-began"),
    pytest.param(Fault(SEND, cut=True), id="cut-before-it-began"),
]


@pytest.mark.parametrize("fault", UNKNOWN)
@pytest.mark.parametrize("restart", [False, True], ids=["same-process", "restarted"])
async def test_a_job_that_may_not_have_arrived_is_sent_again_under_its_key(house: House, fault: Fault, restart: bool) -> None:
    house.receiver.faults.append(replace(fault))
    answer, job = await house.handed(house.job())
    assert answer.status == "pending"
    assert answer.look_again_s == 5.0
    assert "sent again under the same key" in (answer.message or "")
    if restart:
        house.agent = house.restarted()
    seen = answered(await house.agent.observe(job))
    assert (seen.status, seen.look_again_s) == ("inProgress", None)
    assert house.receiver.runs == [JOB]


async def test_silence_leaves_it_open_whether_the_job_arrived(house: House) -> None:
    leaps = Leaps(asyncio.get_running_loop())
    house.receiver.faults.append(Fault(SEND, done=True))
    call = asyncio.ensure_future(house.agent.dispatch(house.job()))
    await house.receiver.silent.wait()
    leaps.leap()
    answer = answered(await call)
    assert answer.status == "pending"
    assert answered(await house.agent.observe(following(house.job(), answer))).status == "inProgress"
    assert house.receiver.runs == [JOB]


async def test_it_is_sent_again_for_some_minutes_and_no_longer(house: House) -> None:
    house.receiver.faults.append(Fault(SEND, cut=True, times=100))
    _, job = await house.handed(house.job())
    sent = 1
    while (seen := answered(await house.agent.observe(job))).status == "pending":
        assert seen.message is None
        assert seen.look_again_s is not None
        sent += 1
        house.clock.forward(seen.look_again_s)
    assert seen.status == "externalRunNotFound"
    assert "Within 10 min the receiver did not say that it has the job" in (seen.message or "")
    assert len(house.receiver.calls(SEND)) == sent < 40


async def test_a_receiver_that_can_not_be_reached_is_asked_again(house: House) -> None:
    house.receiver.faults += [Fault(SEND, cut=True), Fault(SEND, Reply(429, None, {"Retry-After": "8"}))]
    _, job = await house.handed(house.job())
    assert delayed(await house.agent.observe(job)).retry_after_s == 8.0


async def test_a_receiver_that_says_no_the_second_time_leaves_it_open_what_the_first_time_did(house: House) -> None:
    house.receiver.faults += [Fault(SEND, cut=True, done=True), Fault(SEND, Reply(400, {"message": "no"}))]
    _, job = await house.handed(house.job())
    seen = answered(await house.agent.observe(job))
    assert seen.status == "externalRunNotFound"
    assert "It is not known whether the receiver took the job" in (seen.message or "")


async def test_who_has_called_back_has_the_job(house: House) -> None:
    house.receiver.faults.append(Fault(SEND, cut=True, done=True))
    _, job = await house.handed(house.job())
    house.clock.forward(3600)
    seen = answered(await house.agent.observe(replace(job, status="inProgress")))
    assert (seen.status, seen.look_again_s) == ("inProgress", None)
    assert len(house.receiver.calls(SEND)) == 1


async def test_metadata_that_people_changed_does_not_send_the_job_again(house: House) -> None:
    _, job = await house.handed(house.job())
    seen = answered(await house.agent.observe(replace(job, metadata={ASKED_AT: "yesterday"})))
    assert seen.status == "externalRunNotFound"
    assert len(house.receiver.calls(SEND)) == 1


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([429, 500, 503, 0])), max_size=5), st.lists(st.booleans(), max_size=6))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_through_any_faults_and_restarts_there_is_one_run(faults: list[tuple[bool, int]], restarts: list[bool]) -> None:
    async with standing() as house:
        for done, status in faults:
            # What says that it can not be done now has not done it.
            done = done and status in (500, 0)
            house.receiver.faults.append(Fault(SEND, Reply(status) if status else None, done=done, cut=status == 0))
        request, status_ = house.job(), ""
        for number in range(len(faults) + len(restarts) + 1):
            if number < len(restarts) and restarts[number]:
                house.agent = house.restarted()
            call = house.agent.observe if status_ == "pending" else house.agent.dispatch
            answer = await call(request)
            if isinstance(answer, AgentAnswer):
                request, status_ = following(request, answer), answer.status
        assert status_ == "inProgress"
        assert house.receiver.runs == [JOB]


# --- stopping --------------------------------------------------------------------------------------------------------------------


async def test_the_receiver_is_told_to_stop(house: House) -> None:
    house.receiver.answer = {"externalId": "run-7"}
    _, job = await house.handed(house.job())
    assert await house.agent.cancel(job) == CancelAnswer(stopped=True, message="it is being stopped")
    call = house.receiver.asked[-1]
    assert call.headers["x-signalbox-event"] == call.json["event"] == "cancel"
    assert call.headers["idempotency-key"] == f"{JOB}/cancel"
    assert call.json["externalId"] == "run-7"
    assert house.receiver.runs == house.receiver.stopped == [JOB]


async def test_stopping_may_have_an_address_of_its_own(house: House) -> None:
    _, job = await house.handed(house.job(cancelUrl=f"{house.receiver.url}/stop"))
    await house.agent.cancel(job)
    assert len(house.receiver.calls("POST /stop")) == 1


async def test_what_the_receiver_does_not_know_counts_as_stopped(house: House) -> None:
    assert await house.agent.cancel(house.job()) == CancelAnswer(stopped=True, message="no such run")


@pytest.mark.parametrize(
    "fault", [Fault(SEND, Reply(500)), Fault(SEND, cut=True), Fault(SEND, Reply(429))], ids=["500", "cut", "429"]
)
async def test_stopping_is_tried_again(house: House, fault: Fault) -> None:
    _, job = await house.handed(house.job())
    house.receiver.faults.append(fault)
    delayed(await house.agent.cancel(job))
    assert isinstance(answer := await house.agent.cancel(job), CancelAnswer)
    assert answer.stopped


@pytest.mark.parametrize("reply", [Reply(200, {"stopped": False, "message": "too late"}), Reply(400, {"message": "too late"})])
async def test_a_receiver_may_say_that_it_can_not_stop(house: House, reply: Reply) -> None:
    _, job = await house.handed(house.job())
    house.receiver.faults.append(Fault(SEND, reply))
    assert isinstance(answer := await house.agent.cancel(job), CancelAnswer)
    assert not answer.stopped
    assert "too late" in (answer.message or "")


async def test_a_dry_run_is_not_supported(house: House) -> None:
    assert (await house.agent.plan(PlanRequest("r", "webhook", house.job().config))).status == "unsupported"
