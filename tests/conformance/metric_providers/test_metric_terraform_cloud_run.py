"""`terraformCloudRun` against a pretended Terraform Cloud."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.shapes import Json, MetricProvider
from libs.metric_providers import KNOWN, NoResult, problems
from libs.metric_providers.terraform_cloud_run import TerraformCloudRunConfig, read
from libs.outbound.asking import Outbound
from libs.outbound.failures import CallFailed
from tests.conformance.metric_providers.far_sides import answer, measured
from tests.fakes.serving import Clock, Fault, Reply
from tests.fakes.tfe import TOKEN, FakeTfe, no
from tests.unit.outbound.outside import calling

ABOUT: Json = {
    "has-changes": True,
    "is-destroy": False,
    "refresh": True,
    "refresh-only": False,
    "source": "tfe-api",
    "trigger-reason": "manual",
    "terraform-version": "1.9.5",
    "status-timestamps": {"applied-at": "2026-05-01T12:05:00+00:00"},
    "unheard-of": "x",
}


@dataclass
class Scene:
    """A run of Terraform's, and who looks at it."""

    fake: FakeTfe
    outbound: Outbound
    clock: Clock
    workspace_id: str
    run_id: str

    async def ask(self, **more: Any) -> Json:
        config = {"address": self.fake.url, "token": TOKEN, "runId": self.run_id, **more}
        return await measured(self.outbound, self.clock(), type="terraformCloudRun", **config)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    clock = Clock()
    fake = FakeTfe(clock)
    workspace_id = fake.workspace("shop web")
    run_id = fake.run(workspace_id, "v1.2.3", **ABOUT)
    fake.move(run_id, "applied")
    async with fake.serving(), calling() as outbound:
        yield Scene(fake, outbound, clock, workspace_id, run_id)


async def test_prov_tfc_run_fields(scene: Scene) -> None:
    result = await scene.ask(organization="acme")
    body = orjson.loads(result.pop("body"))
    assert result.pop("json") == body
    assert result.pop("duration") >= 0
    actions = result.pop("actions")
    assert actions["is-cancelable"] is False
    assert result == {
        "ok": True,
        "statusCode": 200,
        "value": "applied",
        "status": "applied",
        "runId": scene.run_id,
        "url": f"{scene.fake.url}/app/acme/workspaces/shop%20web/runs/{scene.run_id}",
        "message": "v1.2.3",
        "hasChanges": True,
        "isDestroy": False,
        "planOnly": False,
        "autoApply": False,
        "refresh": True,
        "refreshOnly": False,
        "source": "tfe-api",
        "triggerReason": "manual",
        "terraformVersion": "1.9.5",
        "createdAt": "2026-05-01T12:00:00.000Z",
        "statusTimestamps": {"applied-at": "2026-05-01T12:05:00+00:00"},
        "plan": {"id": f"plan-{scene.run_id}"},
        "workspace": {"id": scene.workspace_id, "name": "shop web", "organization": "acme"},
    }


@pytest.mark.parametrize("status", ["pending", "planning", "cost_estimated", "policy_soft_failed", "errored", "canceled"])
async def test_every_status_is_a_good_answer(scene: Scene, status: str) -> None:
    scene.fake.move(scene.run_id, status)
    result = await scene.ask()
    assert (result["ok"], result["value"]) == (True, status)


async def test_without_a_workspace_beside_it_the_page_is_the_runs_address(scene: Scene) -> None:
    scene.fake.faults = [Fault("GET", Reply(json={"data": scene.fake.runs[scene.run_id]}))]
    result = await scene.ask()
    assert (result["url"], result["workspace"]) == (
        f"{scene.fake.url}/api/v2/runs/{scene.run_id}",
        {"id": scene.workspace_id},
    )


@pytest.mark.parametrize(
    "given,status,said",
    [({"token": "wrong"}, 401, "unauthorized"), ({"runId": "run-none"}, 404, "not found")],
)
async def test_what_terraform_refuses_is_an_answer_that_says_why(scene: Scene, given: Json, status: int, said: str) -> None:
    result = await scene.ask(**given)
    assert (result["ok"], result["statusCode"], result["error"]) == (False, status, said)
    assert result["runId"] == given.get("runId", scene.run_id)
    assert not {"value", "status", "noData"} & set(result)


async def test_an_error_with_details_tells_both(scene: Scene) -> None:
    scene.fake.faults = [Fault("GET", no(422, "invalid attribute", "Name has already been taken"))]
    assert (await scene.ask())["error"] == "invalid attribute: Name has already been taken"


async def test_a_server_error_is_an_answer(scene: Scene) -> None:
    scene.fake.faults = [Fault("GET", Reply(502, body=b"<html>"))]
    result = await scene.ask()
    assert (result["ok"], result["statusCode"], result["error"]) == (False, 502, "Terraform answered 502")


@pytest.mark.parametrize(
    "status,headers,seconds",
    [
        (429, {"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0.8"}, 0.8),
        (429, {"Retry-After": "5"}, 5.0),
        (429, {}, None),
        (503, {"Retry-After": "30"}, 30.0),
    ],
)
async def test_who_is_asked_too_often_is_left_alone(
    scene: Scene, status: int, headers: dict[str, str], seconds: float | None
) -> None:
    scene.fake.faults = [Fault("GET", Reply(status, {"errors": [{"title": "too many"}]}, headers))]
    with pytest.raises(NoResult) as told:
        await scene.ask()
    assert told.value.retry_after_s == seconds


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"data": {"type": "plans", "attributes": {"status": "x"}}}', b'{"data": null}']
)
async def test_an_answer_of_somebody_else_is_no_result(scene: Scene, body: bytes) -> None:
    scene.fake.faults = [Fault("GET", Reply(200, body=body))]
    with pytest.raises(NoResult, match="is no run"):
        await scene.ask()


@pytest.mark.parametrize("run_id", ["<no value>", " ", "run-1/actions/apply", "..", "run-1?x"])
async def test_what_is_no_id_of_a_run_is_not_asked_for(scene: Scene, run_id: str) -> None:
    with pytest.raises(NoResult, match="no id of a run"):
        await scene.ask(runId=run_id)
    assert scene.fake.asked == []


async def test_an_address_that_paths_can_not_follow_is_not_called(scene: Scene) -> None:
    with pytest.raises(NoResult, match="address is no address of an API"):
        await scene.ask(address=f"{scene.fake.url}/?x=1")


async def test_a_connection_that_is_cut_is_no_result(scene: Scene) -> None:
    scene.fake.faults = [Fault("GET", cut=True)]
    with pytest.raises(CallFailed):
        await scene.ask()


@pytest.mark.parametrize(
    "address,party",
    [
        ("https://app.terraform.io/", "https://app.terraform.io"),
        ("tfe.example:8443/x", "https://tfe.example:8443"),
        ("{{.resource.config.tfe}}", "https://{{.resource.config.tfe}}"),
    ],
)
def test_whom_it_asks_is_known_before_templates_are_rendered(address: str, party: str) -> None:
    config = TerraformCloudRunConfig.model_validate({"address": address, "token": "t", "runId": "{{.job.id}}"})
    assert KNOWN["terraformCloudRun"].party(config) == party


@pytest.mark.parametrize("missing", ["address", "token", "runId"])
def test_what_is_missing_is_said_when_it_is_saved(missing: str) -> None:
    sent = {"type": "terraformCloudRun", "address": "https://app.terraform.io", "token": "t", "runId": "{{.variables.run}}"}
    assert list(problems(MetricProvider.model_validate(sent))) == []
    lacking = {key: value for key, value in sent.items() if key != missing}
    assert [where for where, _ in problems(MetricProvider.model_validate(lacking))] == [missing]


KEYS = st.sampled_from(
    ["data", "attributes", "status", "type", "id", "relationships", "workspace", "included", "errors", "title", "name"]
)
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["runs", "workspaces", "ws-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)


@given(BODIES, BODIES, st.sampled_from([200, 401, 500]))
def test_whatever_comes_back_is_a_result_or_none(one: Any, other: Any, status: int) -> None:
    body = {"data": {"type": "runs", "attributes": {"status": "applied"}, "relationships": one}, "included": other, "errors": one}
    for told in (body, one):
        try:
            result = read(answer(told, status), "https://app.terraform.io", "run-1")
        except NoResult:
            continue
        assert (result["ok"], "error" in result, "value" in result) == (status == 200, status != 200, status == 200)
