"""`argo-cd` against a pretended Argo CD: dry runs, and that they leave nothing behind."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import yaml

from tests.conformance.agents.agent_scenes import JOB, delayed, planned
from tests.conformance.agents.argo_cd_scenes import PUT, House, standing
from tests.fakes.argo_cd import no
from tests.fakes.serving import Fault, Reply


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house


async def test_argocd_plan_first_deploy_and_cleanup(house: House) -> None:
    answer = planned(await house.agent.plan(house.dry_run()))
    assert (answer.status, answer.has_changes, answer.current) == ("completed", True, "")
    assert "would create Application shop-eu-1" in answer.message
    proposed = list(yaml.safe_load_all(answer.proposed))
    assert [one["kind"] for one in proposed] == ["Application", "ConfigMap", "Secret"]
    assert proposed[0]["spec"]["syncPolicy"]["automated"] == {"prune": True}
    assert answer.content_hash == hashlib.sha256((answer.current + answer.proposed).encode()).hexdigest()
    assert house.names == []
    ((name, query),) = house.argo.removed
    assert name.startswith("shop-eu-1-plan-")
    assert query["cascade"] == "false"  # or it would take along what is deployed


async def test_a_dry_runs_application_does_nothing(house: House) -> None:
    await house.agent.plan(house.dry_run())
    (call,) = house.argo.calls(PUT)
    metadata, spec = call.json["metadata"], call.json["spec"]
    assert metadata["labels"]["ctrlplane.dev/plan"] == "true"
    assert list(metadata["annotations"]) == ["owner", "ctrlplane.dev/plan-created-at"]  # nobody is notified of it
    assert "finalizers" not in metadata
    assert "operation" not in call.json
    assert spec["syncPolicy"] == {"syncOptions": ["CreateNamespace=true"]}
    assert len(metadata["name"]) <= 53


async def test_what_would_change_nothing_says_so(house: House) -> None:
    await house.agent.dispatch(house.request())
    answer = planned(await house.agent.plan(house.dry_run()))
    assert answer.current == answer.proposed
    assert answer.has_changes is False
    assert "would change nothing of Application" in answer.message
    assert house.names == ["shop-eu-1"]


async def test_what_would_change_is_shown(house: House) -> None:
    await house.agent.dispatch(house.request("v1"))
    answer = planned(await house.agent.plan(house.dry_run("v2")))
    assert answer.has_changes is True
    old, new = set(answer.current.splitlines()), set(answer.proposed.splitlines())
    assert (old - new, new - old) == (
        {"  revision: v1", "    targetRevision: v1"},
        {"  revision: v2", "    targetRevision: v2"},
    )


async def test_what_secrets_hold_is_not_shown(house: House) -> None:
    answer = planned(await house.agent.plan(house.dry_run()))
    assert "c2VjcmV0" not in answer.proposed
    assert "key: ++++++++" in answer.proposed


async def test_a_dry_run_waits_between_calls_and_not_inside_of_one(house: House) -> None:
    house.argo.rendering = 2
    for _ in range(2):
        assert delayed(await house.agent.plan(house.dry_run())).retry_after_s == 5
        house.clock.forward(5)
    assert planned(await house.agent.plan(house.dry_run())).status == "completed"
    assert len(house.argo.calls(PUT)) == 1
    assert house.names == []


async def test_a_dry_run_that_is_not_rendered_in_time_is_an_error_and_removed(house: House) -> None:
    house.argo.rendering = 1000
    delayed(await house.agent.plan(house.dry_run()))
    house.clock.forward(59)
    delayed(await house.restarted().plan(house.dry_run()))
    house.clock.forward(1)
    answer = planned(await house.agent.plan(house.dry_run()))
    assert answer.status == "errored"
    assert "within 60 s" in answer.message
    assert house.names == []


async def test_what_a_process_that_died_left_behind_is_used_and_removed(house: House) -> None:
    house.argo.rendering = 1
    delayed(await house.agent.plan(house.dry_run()))
    assert len(house.names) == 1
    left = house.argo.applications.pop(house.names[0])
    left["metadata"]["name"] = "under-an-older-template"
    house.argo.applications["under-an-older-template"] = left
    assert planned(await house.restarted().plan(replace(house.dry_run(), again=True))).status == "completed"
    assert house.names == []


async def test_dry_runs_of_others_stay(house: House) -> None:
    house.argo.rendering = 1
    other = replace(house.dry_run(), result_id=JOB)
    delayed(await house.agent.plan(other))
    (name,) = house.names
    assert planned(await house.agent.plan(house.dry_run())).status == "completed"
    assert house.names == [name]


async def test_an_account_that_may_see_one_project_only_plans_a_first_deploy(house: House) -> None:
    house.argo.narrow = True
    answer = planned(await house.agent.plan(house.dry_run()))
    assert (answer.status, answer.current) == ("completed", "")
    assert house.argo.calls("GET .*/shop-eu-1$")[-1].query == {"project": "default"}


@pytest.mark.parametrize(
    "meets,reply,said",
    [
        (PUT, no(400, 3, "bad spec"), "400: bad spec"),
        ("GET .*/manifests", no(400, 9, "Unable to generate manifests"), "400: Unable to generate manifests"),
        ("GET .*/shop-eu-1$", no(401, 16, "expired"), "401: expired"),
        ("GET .*/manifests", Reply(json={"manifests": ["no json"]}), "a manifest that can not be read"),
    ],
)
async def test_a_dry_run_that_is_refused_is_an_error_and_leaves_nothing_behind(
    house: House, meets: str, reply: Reply, said: str
) -> None:
    house.argo.faults.append(Fault(meets, reply, times=2))
    answer = planned(await house.agent.plan(house.dry_run()))
    assert answer.status == "errored"
    assert said in answer.message
    assert house.names == []


@pytest.mark.parametrize("meets", ["GET .*/applications$", PUT, "GET .*/manifests", "GET .*/shop-eu-1$", "DELETE"])
@pytest.mark.parametrize("fault", ["503", "429", "cut", "cut when done"])
async def test_a_dry_run_goes_on_after_a_failure(house: House, meets: str, fault: str) -> None:
    reply = {"503": no(503, 14, "away"), "429": no(429, 8, "slow", Retry_After="3")}.get(fault)
    house.argo.faults.append(Fault(meets, reply, cut=reply is None, done=fault == "cut when done"))
    first = delayed(await house.agent.plan(house.dry_run()))
    assert first.retry_after_s == (3 if fault == "429" else None)
    answer = planned(await house.restarted().plan(house.dry_run()))
    assert (answer.status, house.names) == ("completed", [])


async def test_what_can_not_be_removed_is_named(house: House) -> None:
    house.argo.faults.append(Fault("DELETE", no(403, 7, "permission denied")))
    answer = planned(await house.agent.plan(house.dry_run()))
    assert answer.status == "completed"
    assert "could not be removed" in answer.message
    assert house.names[0] in answer.message
