"""What Terraform sends us. Named after the rows of the behaviour list."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.gateway.gateway_house import House
from tests.integration.gateway.webhook_scenes import CONFIGS, OWN, TFE, Running, notification, run_by, told_house


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with told_house() as one:
        yield one


@pytest.mark.parametrize(
    "trigger,status",
    [
        ("run:planning", "inProgress"),
        ("run:applying", "inProgress"),
        ("run:needs_attention", "actionRequired"),
        ("run:completed", "successful"),
        ("run:errored", "failure"),
    ],
)
async def test_tfe_webhook_triggers_and_hmac512(one: House, trigger: str, status: str) -> None:
    here = await run_by(one, "tfe")
    body = notification(here.job, trigger, run_id=f"run of {here.agent}")
    assert (await here.tfe(body, secret="another")).status_code == 401
    assert (await here.post("/tfe/webhook", body)).status_code == 401
    assert (await here.tfe(body)).json() == {"message": "OK"}
    job = await here.now()
    assert (job["status"], job["message"]) == (status, "told")
    assert job["metadata"]["run_url"] == "https://t.example/app/o/w/runs/run-1"
    assert json.loads(job["metadata"]["ctrlplane/links"])["Workspace"] == "https://t.example/app/o/w"


async def test_a_run_without_a_job_in_its_message_is_known_by_its_id(one: House) -> None:
    here = await run_by(one, "tfe")
    body = notification("", "run:errored", run_id=f"run of {here.agent}", run_message="by hand")
    assert (await here.tfe(body)).json() == {"message": "OK"}
    assert (await here.now())["status"] == "failure"


async def test_terraforms_question_whether_we_are_there_is_answered(one: House) -> None:
    here = Running(one, "", "")
    pings: list[dict[str, Any]] = [{"notifications": []}, {"run_id": None, "notifications": [{"trigger": "verification"}]}]
    for body in pings:
        assert (await here.tfe(body)).status_code == 200
        assert (await here.tfe(body, secret="another")).status_code == 401


async def test_a_run_of_another_organization_moves_nothing(one: House) -> None:
    """Whoever starts a run writes its message, and may name a job in it that is not theirs."""
    here = await run_by(one, "tfe")
    body = notification(here.job, "run:errored", run_id=f"run of {here.agent}", organization_name="theirs")
    assert (await here.tfe(body)).json()["ignored"]
    assert (await here.now())["status"] == "inProgress"
    assert (await here.tfe({**body, "organization_name": "O"})).json() == {"message": "OK"}
    assert (await here.now())["status"] == "failure"


async def test_an_agent_with_a_secret_of_its_own_believes_nobody_else(one: House) -> None:
    here = await run_by(one, "tfe", {**CONFIGS["tfe"], "webhookSecret": OWN})
    body = notification(here.job, "run:completed", run_id=f"run of {here.agent}")
    assert (await here.tfe(body, secret=TFE)).status_code == 401
    assert (await here.tfe(body, secret=TFE, path=f"/webhook/{here.agent}")).status_code == 401
    ping = {"notifications": [{"trigger": "verification"}]}
    assert (await here.tfe(ping, secret=OWN, path=f"/webhook/{here.agent}")).status_code == 200
    assert (await here.tfe(body, secret=OWN)).json() == {"message": "OK"}
    assert (await here.now())["status"] == "successful"
    assert (await here.tfe(body, secret=OWN, path=f"/webhook/{here.agent}")).json()["ignored"]
