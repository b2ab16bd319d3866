"""`manual`: a person is asked, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.shapes import Json
from services.dispatcher.adapters.manual import ASSIGNEES, DESCRIPTION, EVIDENCE, NAME, Manual
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, PlanRequest
from tests.conformance.agents.agent_scenes import JOB

CONTEXT: Json = {"version": {"tag": "v1.2.3"}, "environment": {"name": "production"}, "job": {"id": JOB}}


def asking(*, again: bool = False, **config: Any) -> AgentRequest:
    return AgentRequest(JOB, "manual", config, context=CONTEXT, again=again)


async def test_a_person_is_told_what_is_to_be_done() -> None:
    answer = await Manual().dispatch(
        asking(
            name="Switch the DNS to {{.version.tag}}",
            description="In {{.environment.name}}.\nThen tell the desk.",
            assignees=["ana", " bo ", ""],
            requireEvidence="true",
        )
    )
    assert answer.status == "actionRequired"
    assert answer.look_again_s is None
    assert answer.message == (
        "Switch the DNS to v1.2.3: waits for ana, bo to complete it with evidence.\nIn production.\nThen tell the desk."
    )
    assert answer.metadata == {
        NAME: "Switch the DNS to v1.2.3",
        DESCRIPTION: "In production.\nThen tell the desk.",
        ASSIGNEES: "ana, bo",
        EVIDENCE: "true",
    }


async def test_templates_of_people_may_have_brackets_and_then_braces_are_text() -> None:
    answer = await Manual().dispatch(
        asking(
            name="Switch to {[ .version.tag | upper ]}",
            description="{[- /* why */ -]} In {{.environment.name}}: {{.x}} {[.job.id]}",
        )
    )
    assert answer.metadata[NAME] == "Switch to V1.2.3"
    assert answer.metadata[DESCRIPTION] == f"In {{{{.environment.name}}}}: {{{{.x}}}} {JOB}"
    answer = await Manual().dispatch(asking(name="{{.version.tag}} ]} [x]"))
    assert answer.metadata[NAME] == "v1.2.3 ]} [x]"
    answer = await Manual().dispatch(asking(name="{[ .version.tag }}"))
    assert answer.status == "failure"
    assert answer.message is not None
    assert "The template in `name` can not be rendered" in answer.message


async def test_nothing_has_to_be_said() -> None:
    answer = await Manual().dispatch(asking())
    assert answer == AgentAnswer(
        status="actionRequired",
        message="Manual action: waits for a person to complete it.",
        metadata={NAME: "Manual action"},
    )


async def test_asking_again_asks_the_same() -> None:
    request = asking(name="Deploy {{.version.tag}}", assignees=["ana"])
    assert await Manual().dispatch(request) == await Manual().dispatch(
        asking(again=True, name="Deploy {{.version.tag}}", assignees=["ana"])
    )


@pytest.mark.parametrize(
    "config,said",
    [
        ({"name": "{{.version.tag.more}}"}, "The template in `name` can not be rendered"),
        ({"description": "\n{{ nothing }}"}, "The template in `description` can not be rendered"),
        ({"description": "\n{{ nothing }}"}, "line 2, column"),
        ({"name": "x" * 201}, "The template in `name` can not be rendered"),
        ({"description": "x" * 4_001}, "The template in `description` can not be rendered"),
        ({"assignees": [f"person-{n}" for n in range(101)]}, "names 101 assignees; at most 100"),
    ],
)
async def test_what_can_not_be_asked_is_a_failure_that_says_why(config: dict[str, Any], said: str) -> None:
    answer = await Manual().dispatch(asking(**config))
    assert answer.status == "failure"
    assert said in (answer.message or "")


async def test_nobody_outside_is_asked_stopped_or_tried() -> None:
    agent = Manual()
    assert await agent.observe(asking()) == AgentAnswer(status="actionRequired")
    assert await agent.cancel(asking()) == CancelAnswer(stopped=True)
    assert (await agent.plan(PlanRequest("r", "manual", {}))).status == "unsupported"
