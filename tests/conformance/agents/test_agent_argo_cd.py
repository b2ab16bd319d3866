"""`argo-cd` against a pretended Argo CD: what it puts, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.shapes import Json, MetricSpec
from libs.cel import contexts
from services.dispatcher.adapters.argo_api import ArgoServer
from services.dispatcher.adapters.argo_cd import HEALTH
from services.dispatcher.adapters.argo_names import sanitised
from services.dispatcher.adapters.port import AgentAnswer
from tests.conformance.agents.agent_scenes import answered, cancelled, delayed, planned
from tests.conformance.agents.argo_cd_scenes import PUT, REFERENCE, TEMPLATE, House, standing
from tests.fakes.argo_cd import TOKEN, no
from tests.fakes.serving import Fault, Reply
from tests.unit.outbound.outside import Leaps


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house


# --- what is put -----------------------------------------------------------------------------------------------------------------


async def test_argocd_upsert_success_links(house: House) -> None:
    answer = answered(await house.agent.dispatch(house.request()))
    (call,) = house.argo.asked
    assert (str(call), call.query) == ("POST /api/v1/applications", {"upsert": "true"})
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert call.json["spec"]["source"]["targetRevision"] == "v2"
    assert "operation" not in call.json  # the Application's own rules say when it is synced
    assert (answer.status, answer.look_again_s) == ("successful", None)
    assert json.loads(answer.metadata["ctrlplane/links"]) == {
        "ArgoCD Application": f"{house.argo.url}/applications/argocd/shop-eu-1"
    }


async def test_links_of_others_stay(house: House) -> None:
    request = replace(house.request(), metadata={"ctrlplane/links": '{"Wiki": "https://w.example"}'})
    links = json.loads(answered(await house.agent.dispatch(request)).metadata["ctrlplane/links"])
    assert sorted(links) == ["ArgoCD Application", "Wiki"]


async def test_argocd_sanitise_names(house: House) -> None:
    await house.agent.dispatch(house.request())
    metadata = house.argo.applications["shop-eu-1"]["metadata"]
    assert metadata["labels"] == {"team": "shop-team", "version": "1-2"}
    assert metadata["annotations"]["owner"] == "Ana"


@pytest.mark.parametrize(
    "text,name",
    [
        ("Shop_EU.1", "shop-eu-1"),
        ("-a-", "a"),
        ("ü!", "default"),
        ("", "default"),
        ("a" * 70, "a" * 63),
        ("a" * 62 + "-b", "a" * 62),
        ("<no value>", "no-value"),
    ],
)
def test_argocd_sanitise_names_table(text: str, name: str) -> None:
    assert sanitised(text) == name


@given(st.text(max_size=100))
def test_what_is_sanitised_is_a_name_and_stays_one(text: str) -> None:
    name = sanitised(text)
    assert 1 <= len(name) <= 63
    assert name.strip("-") == name == sanitised(name)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


async def test_an_application_outside_of_argo_cds_namespace_is_asked_for_with_its_own(house: House) -> None:
    template = TEMPLATE.replace("namespace: argocd", "namespace: team-a")
    (metric,) = answered(await house.agent.dispatch(house.request(template=template))).metrics
    assert metric.provider.type == "http"
    assert metric.provider.url.endswith("/api/v1/applications/shop-eu-1?appNamespace=team-a")


# --- what is measured ------------------------------------------------------------------------------------------------------------


def health(answer: AgentAnswer) -> MetricSpec:
    (metric,) = answer.metrics
    return metric


async def test_argocd_health_spec(house: House) -> None:
    metric = health(answered(await house.agent.dispatch(house.request())))
    assert metric.model_dump(include={"name", "interval_seconds", "count", "success_threshold", "failure_threshold"}) == {
        "name": HEALTH,
        "interval_seconds": 60,
        "count": 15,
        "success_threshold": 2,
        "failure_threshold": 10,
    }
    assert metric.provider.type == "http"
    assert metric.provider.model_dump(exclude_none=True) == {
        "type": "http",
        "url": f"{house.argo.url}/api/v1/applications/shop-eu-1",
        "headers": {"Authorization": f"Bearer {REFERENCE}"},
        "timeout": "5s",
    }


@pytest.mark.parametrize(
    "status,sync,health_,good,bad",
    [
        (200, "Synced", "Healthy", True, False),
        (200, "OutOfSync", "Healthy", False, False),
        (200, "Synced", "Progressing", False, False),
        (200, "Synced", "Degraded", False, True),
        (200, "Synced", "Missing", False, True),
        (200, None, None, False, False),
        (404, None, None, False, True),
    ],
)
async def test_argocd_health_spec_judges(
    house: House, status: int, sync: str | None, health_: str | None, good: bool, bad: bool
) -> None:
    metric = health(answered(await house.agent.dispatch(house.request())))
    told = {"status": {"sync": {"status": sync}, "health": {"status": health_}}} if sync else {}
    result = {"ok": status == 200, "statusCode": status, "json": told}
    assert metric.failure_condition is not None
    verdicts = [
        contexts.RESULT.compile(one).verdict(result=result) for one in (metric.success_condition, metric.failure_condition)
    ]
    assert [one.outcome.name == "MATCH" for one in verdicts] == [good, bad]
    assert not any(one.is_error for one in verdicts)


async def test_argocd_health_spec_of_a_server_without_a_valid_certificate(house: House) -> None:
    metric = health(answered(await house.agent.dispatch(house.request(insecure=True))))
    assert metric.provider.type == "http"
    assert metric.provider.given["insecure"] is True


async def test_a_token_that_is_recorded_in_clear_is_not_recorded_once_more(house: House) -> None:
    answer = answered(await house.agent.dispatch(house.request(apiKey=TOKEN)))
    assert (answer.status, answer.metrics) == ("successful", ())
    assert "not measured" in (answer.message or "")
    assert TOKEN not in answer.model_dump_json()


# --- what can not be done --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template,said",
    [
        ("{{ fail `no image` }}", "The template can not be rendered: "),
        ("{{ .resource", "The template can not be rendered: "),
        ("a: [", "can not be read: the text is no YAML in its line 1"),
        (" ", "renders to no Application"),
        ("just text", "renders to no Application"),
        ("spec: {}\nkind: Deployment\napiVersion: apps/v1", "renders to apps/v1 Deployment"),
        ("spec: {}\nmetadata: [1]", "metadata is no map"),
        ("spec: {}\nmetadata: {name: [1]}", "metadata.name is no text"),
        ("spec: {}\nmetadata: {name: a, labels: [1]}", "metadata.labels is no map"),
        ("spec: {}\nmetadata: {name: ''}", "has no metadata.name"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: &a [1,2]\n" + "".join(f"b{n}: &b{n} [*{'b' + str(n - 1) if n else 'a'}, *{'b' + str(n - 1) if n else 'a'}]\n" for n in range(25)), "takes more than"),
        ("[" * 1000, "can not be read"),
    ],
)  # fmt: skip
async def test_a_template_that_can_not_be_used_says_why(house: House, template: str, said: str) -> None:
    answer = answered(await house.agent.dispatch(house.request(template=template)))
    assert answer.status == "failure"
    assert said in (answer.message or "")
    assert house.argo.asked == []


@pytest.mark.parametrize(
    "fields,said",
    [
        ({"apiKey": "wrong-token-of-the-tests"}, "401: invalid session: token is malformed. Check apiKey"),
        ({"template": TEMPLATE.replace("destination", "nowhere")}, "400: application spec for shop-eu-1 is invalid"),
        ({"serverUrl": "ftp://argo.example"}, "only http: and https: can be called"),
        ({"serverUrl": "http://10.0.0.1"}, "SIGNALBOX_OUTBOUND_ALLOW"),
    ],
)
async def test_a_refusal_is_a_failure(house: House, fields: Json, said: str) -> None:
    answer = answered(await house.agent.dispatch(house.request(**fields)))
    assert (answer.status, answer.metrics) == ("failure", ())
    assert said in (answer.message or "")
    assert fields.get("apiKey", TOKEN) not in (answer.message or "")


async def test_an_address_of_something_else_is_a_failure(house: House) -> None:
    house.argo.faults.append(Fault(PUT, Reply(200, body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"})))
    answer = answered(await house.agent.dispatch(house.request()))
    assert answer.status == "failure"
    assert "Check serverUrl" in (answer.message or "")


async def test_an_address_that_leads_elsewhere_is_a_failure(house: House) -> None:
    house.argo.faults.append(Fault(PUT, Reply(307, headers={"Location": "https://argo.example/"})))
    answer = answered(await house.agent.dispatch(house.request()))
    assert answer.status == "failure"
    assert "leads somewhere else" in (answer.message or "")


async def test_no_message_shows_a_secret(house: House) -> None:
    house.argo.faults.append(Fault(PUT, no(400, 3, f"the token {TOKEN} is not liked")))
    answer = answered(await house.agent.dispatch(house.request()))
    assert "is not liked" in (answer.message or "")
    assert TOKEN not in answer.model_dump_json()
    assert TOKEN not in repr(ArgoServer(house.outbound, house.argo.url, f"Bearer {TOKEN}", False, house.clock))


async def test_there_is_nothing_to_stop(house: House) -> None:
    answer = cancelled(await house.agent.cancel(house.request()))
    assert answer.stopped
    assert "nothing to stop" in (answer.message or "")


async def test_a_dry_run_of_a_template_that_can_not_be_used_says_why(house: House) -> None:
    answer = planned(await house.agent.plan(house.dry_run(template="just text")))
    assert answer.status == "errored"
    assert "renders to no Application" in answer.message


# --- what goes wrong on the way --------------------------------------------------------------------------------------------------


async def test_down_nothing_happened(house: House) -> None:
    request = house.request(serverUrl="http://127.0.0.1:1")
    assert "no connection" in delayed(await house.agent.dispatch(request)).message


async def test_slow_is_tried_again_and_is_one_application(house: House) -> None:
    clock = Leaps(asyncio.get_running_loop())
    house.argo.faults.append(Fault(PUT, done=True))
    dispatch = asyncio.create_task(house.agent.dispatch(house.request()))
    await house.argo.silent.wait()
    clock.leap()
    delayed(await dispatch)
    assert answered(await house.agent.dispatch(house.request())).status == "successful"
    assert house.names == ["shop-eu-1"]


async def test_429_waits_as_long_as_it_is_told(house: House) -> None:
    house.argo.faults.append(Fault(PUT, no(429, 8, "slow down", Retry_After="17")))
    assert delayed(await house.agent.dispatch(house.request())).retry_after_s == 17
    assert house.names == []


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("done", [False, True])
async def test_what_passes_is_tried_again(house: House, status: int, done: bool) -> None:
    house.argo.faults.append(Fault(PUT, Reply(status, body=b"<html>"), done=done))
    assert f"answered with {status}" in delayed(await house.agent.dispatch(house.request())).message
    assert answered(await house.agent.dispatch(house.request())).status == "successful"


async def test_500_after_having_done_it_is_a_success(house: House) -> None:
    house.argo.faults.append(Fault(PUT, no(500, 2, "context canceled"), done=True))
    assert answered(await house.agent.dispatch(house.request())).status == "successful"
    assert len(house.argo.asked) == 2


async def test_500_that_stays_is_a_failure(house: House) -> None:
    house.argo.faults.append(Fault(PUT, no(500, 2, "error while validating"), times=2))
    answer = answered(await house.agent.dispatch(house.request()))
    assert answer.status == "failure"
    assert "500: error while validating" in (answer.message or "")


async def test_500_because_a_part_of_argo_cd_is_away_is_tried_again(house: House) -> None:
    house.argo.faults.append(Fault(PUT, no(500, 2, "rpc error: code = Unavailable desc = connection refused"), times=2))
    assert "code = Unavailable" in delayed(await house.agent.dispatch(house.request())).message


@pytest.mark.parametrize("done", [False, True])
async def test_cut_after_the_request_is_tried_again(house: House, done: bool) -> None:
    house.argo.faults.append(Fault(PUT, cut=True, done=done))
    delayed(await house.agent.dispatch(house.request()))
    assert answered(await house.restarted().dispatch(replace(house.request(), again=True))).status == "successful"
    assert house.names == ["shop-eu-1"]


async def test_again_is_one_application_and_the_same_answer(house: House) -> None:
    first = await house.agent.dispatch(house.request())
    again = replace(house.request(), again=True)
    assert first == await house.restarted().dispatch(again) == await house.restarted().observe(again)
    assert house.names == ["shop-eu-1"]
