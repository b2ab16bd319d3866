"""Configurations are told to be wrong when they are saved, with the place."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.agents import AGENT_CONFIGS
from services.gateway.configs.checks import agent_problems, deployment_problems, is_read_outside, may_be_read_outside

BROKEN = "a: 1\nb: {{ .version.tag | nonsense }}"


def agent(agent_type: str, name: str = "x") -> dict[str, Any]:
    return {"id": name, "name": name, "type": agent_type, "config": {}, "metadata": {}}


def places(problems: list[dict[str, Any]]) -> list[str]:
    return [one["path"] for one in problems]


def test_what_an_agent_lacks_may_come_from_elsewhere() -> None:
    assert agent_problems("argo-cd", {}) == []
    assert agent_problems("tfe", {"address": "https://x", "template": "name: {{ .deployment.name }}"}) == []


def test_a_template_that_can_not_be_read_is_told_with_line_and_column() -> None:
    (found,) = agent_problems("argo-cd", {"template": BROKEN})
    assert (found["path"], found["errorCode"], found["line"]) == ("template", "template", 2)
    assert found["column"] > 1
    assert "nonsense" in found["message"]


@pytest.mark.parametrize("agent_type", ["argo-cd", "argo-workflow", "tfe", "kubernetes", "webhook"])
def test_the_template_of_every_type_that_has_one_is_read(agent_type: str) -> None:
    assert places(agent_problems(agent_type, {"template": BROKEN})) == ["template"]
    assert places(agent_problems(agent_type, {"template": 5})) == ["template"]


def test_what_programs_of_others_read_is_theirs() -> None:
    assert agent_problems("jenkins", {"template": BROKEN, "timeoutSeconds": "soon"}) == []
    assert agent_problems("http-pull", {"template": BROKEN}) == []
    assert places(agent_problems("http-pull", {"leaseSeconds": "long"})) == ["leaseSeconds"]


@pytest.mark.parametrize("name", ["leaseSeconds", "maxClaims", "timeoutSeconds", "maxConcurrentJobs", "maxCallsPerMinute"])
def test_every_number_of_a_pull_agent_may_be_sent_as_text(name: str) -> None:
    for right in (30, "30", " 30 "):
        assert agent_problems("http-pull", {name: right}) == [], right
    for wrong in ("", "0", 0, "-1", "3x", "٣", True, "99999999"):
        assert places(agent_problems("http-pull", {name: wrong})) == [name], wrong


@pytest.mark.parametrize("agent_type", sorted(AGENT_CONFIGS))
def test_what_a_type_does_not_know_is_passed_over(agent_type: str) -> None:
    assert agent_problems(agent_type, {"leaseSecond": [None], "theirs": {"a": 1}}) == []


def test_a_deployment_is_held_to_what_any_type_could_use() -> None:
    assert (
        deployment_problems(
            {"serverUrl": "https://x", "installationId": "12", "mine": [1], "insecure": "true"}, read_outside=False
        )
        == []
    )
    wrong = {"installationId": "twelve", "timeoutSeconds": 0, "template": BROKEN, "mine": object}
    assert places(deployment_problems(wrong, read_outside=False)) == ["installationId", "timeoutSeconds", "template"]


def test_a_key_that_one_type_can_use_is_right_for_a_deployment() -> None:
    # `manual` takes none for a name, `argo-workflow` does not.
    assert deployment_problems({"name": None}, read_outside=False) == []


def test_where_a_program_of_others_may_take_the_jobs_only_what_all_types_understand_is_looked_at() -> None:
    wrong = {"timeout": 300, "template": BROKEN, "timeoutSeconds": "soon"}
    assert places(deployment_problems(wrong, read_outside=True)) == ["timeoutSeconds"]


def test_whose_program_is_known() -> None:
    assert [is_read_outside(one) for one in ("jenkins", "http-pull", "argo-cd", "manual")] == [True, True, False, False]


@pytest.mark.parametrize(
    "selector,expected",
    [
        ("true", True),
        ("false", False),
        ("", False),
        ('jobAgent.name == "pull"', True),
        ('jobAgent.name == "argo"', False),
        ('jobAgent.type == "argo-cd"', False),
        ('resource.metadata["agent"] == jobAgent.name', True),
        ('jobAgent.name == "argo" && resource.kind == "x"', False),
        ("jobAgent.name ==", False),
    ],
)
def test_a_selector_may_choose_an_agent_whose_program_is_not_known(selector: str, expected: bool) -> None:
    assert may_be_read_outside(selector, [agent("argo-cd", "argo"), agent("http-pull", "pull")]) is expected


def test_without_such_an_agent_none_is_chosen() -> None:
    assert may_be_read_outside("true", [agent("argo-cd"), agent("manual")]) is False
