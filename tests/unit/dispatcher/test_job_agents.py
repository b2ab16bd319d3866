"""Saving and deleting job agents."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.dispatcher import DeleteJobAgent, SaveJobAgent
from contracts.facts.dispatcher import JobAgentDeleted, JobAgentSaved
from contracts.shapes import Json
from libs.simulation.world import START
from tests.unit.dispatcher.dispatcher_scene import Scene, id_of


def wish(name: str = "runner", type: str = "test-runner", config: Json | None = None, id: str = "a") -> SaveJobAgent:
    return SaveJobAgent(agent_id=id_of(id), name=name, type=type, config=config or {})


def test_an_agent_is_created_and_keeps_its_first_time() -> None:
    scene = Scene()
    assert scene.do(wish()) == {"id": id_of("a")}
    scene.advance(60)
    scene.do(wish(name="renamed"))
    assert [(one.name, one.created_at) for one in scene.facts(JobAgentSaved)] == [("runner", START), ("renamed", START)]


def test_the_same_agent_again_appends_nothing() -> None:
    scene = Scene()
    scene.do(wish())
    assert scene.do(wish()) == {"id": id_of("a")}
    assert len(scene.facts(JobAgentSaved)) == 1


def test_a_name_belongs_to_one_agent() -> None:
    scene = Scene()
    scene.do(wish())
    with pytest.raises(Refused, match="named 'runner' exists already") as refused:
        scene.do(wish(id="b"))
    assert (refused.value.refusal.kind, refused.value.refusal.code) == ("conflict", "DUPLICATE_NAME")
    scene.do(DeleteJobAgent(agent_id=id_of("a")))
    assert scene.do(wish(id="b")) == {"id": id_of("b")}


@pytest.mark.parametrize(
    "config,path",
    [
        ({"delaySeconds": -1}, "/body/config/delaySeconds"),
        ({"delaySeconds": "5"}, "/body/config/delaySeconds"),
        ({"delaySeconds": True}, "/body/config/delaySeconds"),
        ({"message": 5}, "/body/config/message"),
        ({"timeoutSeconds": 0}, "/body/config/timeoutSeconds"),
    ],
)
def test_a_configuration_that_does_not_fit_its_type_is_refused(config: Json, path: str) -> None:
    scene = Scene()
    with pytest.raises(Refused, match="Invalid configuration of a test-runner agent") as refused:
        scene.do(wish(config=config))
    assert refused.value.refusal.kind == "invalid"
    assert [one["path"] for one in refused.value.refusal.details] == [path]


@pytest.mark.parametrize("config", [{"delaySeconds": 0}, {"delaySeconds": 0.5, "status": "failure", "hasChanges": True}, {}])
def test_a_configuration_that_fits_is_kept_as_it_is(config: Json) -> None:
    scene = Scene()
    scene.do(wish(config=config))
    assert scene.facts(JobAgentSaved)[0].config == config


def test_any_text_is_a_type() -> None:
    scene = Scene()
    scene.do(wish(type="my-own", config={"delaySeconds": "whatever"}))
    assert scene.facts(JobAgentSaved)[0].type == "my-own"


def test_deleting_an_agent() -> None:
    scene = Scene()
    scene.do(wish())
    assert scene.do(DeleteJobAgent(agent_id=id_of("a"))) == {"id": id_of("a")}
    assert len(scene.facts(JobAgentDeleted)) == 1
    with pytest.raises(Refused, match="no job agent") as refused:
        scene.do(DeleteJobAgent(agent_id=id_of("a")))
    assert refused.value.refusal.kind == "not_found"


def test_a_deleted_agent_is_not_selected() -> None:
    scene = Scene()
    scene.do(wish())
    scene.do(DeleteJobAgent(agent_id=id_of("a")))
    scene.release("v1")
    assert scene.statuses() == ["invalidJobAgent"]
