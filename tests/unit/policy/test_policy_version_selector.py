"""versionSelector: which versions may go where."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.policy.policies import RuleInput
from contracts.facts.policy import RuleEvaluated
from contracts.shapes import VersionSelector
from tests.unit.policy.policy_scenes import Scene, uid

R1, R2 = uid("resource r1"), uid("resource r2")


def selector(text: str, description: str | None = None) -> RuleInput:
    return RuleInput(version_selector=VersionSelector(selector=text, description=description))


def test_sel_tag_prefix() -> None:
    scene = Scene(R1)
    scene.production_policy(selector('version.tag.startsWith("v1")'))
    v1 = scene.version("v1")
    v2 = scene.version("v2")
    assert (scene.open(v1), scene.open(v2)) == ({R1}, set())


def test_sel_environment() -> None:
    scene = Scene(R1)
    scene.appear(R1, env=scene.staging)
    scene.policy(selector('environment.name == "staging"'))
    v1 = scene.version("v1")
    assert (scene.open(v1, scene.staging), scene.open(v1)) == ({R1}, set())


def test_sel_resource_metadata() -> None:
    scene = Scene()
    eu, us = scene.resource("eu", region="eu"), scene.resource("us", region="us")
    scene.appear(eu, us)
    scene.policy(selector('resource.metadata.region == "eu"'))
    v1 = scene.version("v1")
    assert scene.open(v1) == {eu}
    scene.resource("us", region="eu")
    assert scene.open(v1) == {eu, us}


def test_sel_combined() -> None:
    scene = Scene()
    eu, us = scene.resource("eu", region="eu"), scene.resource("us", region="us")
    scene.appear(eu, us)
    scene.policy(selector('resource.metadata.region == "eu" || version.tag == "v1"'))
    v1, v2 = scene.version("v1"), scene.version("v2")
    assert (scene.open(v2), scene.open(v1)) == ({eu}, {us})


def test_sel_none_matches_no_release() -> None:
    scene = Scene(R1)
    scene.production_policy(selector('version.tag == "v9"'))
    assert scene.open(scene.version("v1")) == set()


def test_sel_resources_that_answer_alike_share_a_verdict() -> None:
    scene = Scene()
    many = [scene.resource(f"n{n}", region="us") for n in range(5)]
    scene.appear(*many)
    scene.policy(selector('resource.metadata.region == "eu"'))
    scene.version("v1")
    (fact,) = scene.facts(RuleEvaluated)
    assert [len(group.resource_ids) for group in fact.groups] == [5]


@pytest.mark.parametrize("text", ["version.", "versions.tag == 'a'", ""])
def test_sel_invalid_cel_is_refused(text: str) -> None:
    scene = Scene(R1)
    with pytest.raises(Refused) as refused:
        scene.policy(selector(text))
    assert [one["path"] for one in refused.value.refusal.details] == ["/body/rules/0/versionSelector/selector"]
    assert not scene.state.policies


def unchecked(scene: Scene, text: str) -> None:
    """A rule of older days, which was not checked when it was saved."""
    policy_id = scene.production_policy(selector("true"))
    known = scene.state.policies[policy_id].saved
    rule = known.rules[0].model_copy(update={"version_selector": VersionSelector(selector=text)})
    scene.record(known.model_copy(update={"rules": (rule,)}))


def denied(text: str) -> str:
    """What is said of a version that an unchecked selector denies."""
    scene = Scene(R1)
    unchecked(scene, text)
    v1 = scene.version("v1")
    assert scene.open(v1) == set()
    reason = scene.reason("versionSelector", v1, R1)
    assert (reason.verdict, reason.look_again_at) == ("blocked", None)
    assert reason.ended_by == "a person who mends the rule's selector"
    return reason.message


@pytest.mark.parametrize("text", ["version.", "nobody.tag == 'a'", "version.tag", "version.metadata"])
def test_sel_invalid_cel_denied(text: str) -> None:
    assert "selector" in denied(text)


def test_sel_missing_key_denied() -> None:
    scene = Scene(R1)
    scene.production_policy(selector('version.metadata["tier"] != "x"'))
    assert scene.open(scene.version("v1")) == set()


def test_sel_quoted_string_denied() -> None:
    denied("\"version.tag == 'v1'\"")
    assert "string" in denied('"true"'), "a text is no answer, also where it says that it is true"


@pytest.mark.parametrize("tag", ["1", "t", "true"])
def test_sel_text_that_reads_like_true_denied(tag: str) -> None:
    scene = Scene(R1)
    scene.production_policy(selector("version.tag"))
    version = scene.version(tag)
    assert scene.open(version) == set()
    assert scene.reason("versionSelector", version, R1).verdict == "blocked"


@pytest.mark.parametrize("text", ["", "  "])
def test_sel_empty_denied(text: str) -> None:
    assert denied(text) == "The rule's version selector can not be asked: it is empty."


def test_sel_description_in_message() -> None:
    scene = Scene(R1)
    scene.production_policy(selector('version.tag == "v9"', "Only the release of the year."))
    v1 = scene.version("v1")
    assert (
        scene.reason("versionSelector", v1, R1).message
        == "v1 is not one of the versions that may go here: Only the release of the year."
    )
