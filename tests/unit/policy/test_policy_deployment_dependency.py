"""deploymentDependency: what must run beside a target."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.policy.policies import RuleInput
from contracts.commands.policy.skips import CreateSkip
from contracts.facts.planner import DeploymentLinked, DeploymentSaved, TargetsChanged, VersionCreated
from contracts.shapes import DeploymentDependency
from tests.unit.policy.policy_scenes import Scene, uid

R1, R2 = uid("resource r1"), uid("resource r2")


def depends_on(text: str) -> RuleInput:
    return RuleInput(deployment_dependency=DeploymentDependency(depends_on=text))


class Beside(Scene):
    """`api` depends on what the rule says; other deployments are on the same resources, in staging."""

    def __init__(self, *rules: str) -> None:
        super().__init__(R1, R2)
        self.api = self.deployment
        self.policy(*map(depends_on, rules), selector='deployment.name == "api"')

    def other(self, name: str, tag: str, *resources: str, **metadata: str) -> None:
        """Another deployment runs a version on resources."""
        self.deployment = uid(f"deployment {name}")
        if self.deployment not in self.state.deployments:
            self.record(
                DeploymentSaved(deployment_id=self.deployment, name=name, created_at=self.world.now),
                DeploymentLinked(system_id=self.system, deployment_id=self.deployment),
            )
        version = VersionCreated(
            version_id=uid(f"{name} {tag}"), deployment_id=self.deployment, tag=tag, name=tag, metadata=metadata,
            created_at=self.world.now,
        )  # fmt: skip
        self.record(version)
        self.appear(*resources, env=self.staging)
        self.deploy(version.version_id, *resources, env=self.staging)
        self.deployment = self.api


def test_dep_satisfied() -> None:
    scene = Beside('deployment.name == "db"')
    scene.other("db", "d1", R1, R2)
    assert scene.open(scene.version("v1")) == {R1, R2}


def test_dep_no_upstream_release() -> None:
    scene = Beside('deployment.name == "db"')
    v1 = scene.version("v1")
    assert scene.open(v1) == set()
    reason = scene.reason("deploymentDependency", v1, R1)
    assert reason.verdict == "waiting"
    assert reason.look_again_at is None
    assert reason.message.endswith("and nothing else runs there yet.")


def test_dep_wrong_version() -> None:
    scene = Beside('deployment.name == "db" && version.tag == "d2"')
    scene.other("db", "d1", R1)
    v1 = scene.version("v1")
    assert scene.open(v1) == set()
    assert "db d1 run there" in scene.reason("deploymentDependency", v1, R1).message


def test_dep_metadata_selector() -> None:
    scene = Beside('version.metadata.schema == "7"')
    scene.other("db", "d1", R1, schema="7")
    scene.other("cache", "c1", R2)
    assert scene.open(scene.version("v1")) == {R1}


def test_dep_any_of_two() -> None:
    scene = Beside('deployment.name in ["db", "cache"]')
    scene.other("cache", "c1", R1)
    assert scene.open(scene.version("v1")) == {R1}


def test_dep_all_of_two_are_two_rules() -> None:
    scene = Beside('deployment.name == "db"', 'deployment.name == "cache"')
    scene.other("db", "d1", R1)
    v1 = scene.version("v1")
    assert scene.open(v1) == set()
    scene.other("cache", "c1", R1)
    assert scene.open(v1) == {R1}


def test_dep_no_targets_on_resource() -> None:
    scene = Beside('deployment.name == "db"')
    scene.other("db", "d1", uid("resource elsewhere"))
    assert scene.open(scene.version("v1")) == set()


def test_dep_target_itself_does_not_count() -> None:
    scene = Beside("true")
    v1 = scene.version("v1")
    scene.deploy(v1, R1)
    assert scene.open(scene.version("v2")) == set()


@pytest.mark.parametrize("text", ["deployment.", "nobody.name == 'a'", ""])
def test_dep_compile_error_refused(text: str) -> None:
    scene = Scene(R1)
    with pytest.raises(Refused) as refused:
        scene.policy(depends_on(text))
    assert [one["path"] for one in refused.value.refusal.details] == ["/body/rules/0/deploymentDependency/dependsOn"]
    assert not scene.state.policies


@pytest.mark.parametrize("text", ["deployment.", "nobody.name == 'a'", "", "deployment.name", '"true"'])
def test_dep_compile_error_denied(text: str) -> None:
    """A rule of older days, which was not checked when it was saved, blocks whatever runs there."""
    scene = Beside("true")
    scene.other("db", "d1", R1, R2)
    (known,) = (one.saved for one in scene.state.policies.values())
    rule = known.rules[0].model_copy(update={"deployment_dependency": DeploymentDependency(depends_on=text)})
    scene.record(known.model_copy(update={"rules": (rule,)}))
    v1 = scene.version("v1")
    assert scene.open(v1) == set()
    reason = scene.reason("deploymentDependency", v1, R1)
    assert (reason.verdict, reason.ended_by) == ("blocked", "a person who mends the rule")


def test_dep_skip_bypasses() -> None:
    scene = Beside('deployment.name == "db"', 'deployment.name == "cache"')
    v1 = scene.version("v1")
    (db, cache) = next(iter(scene.state.policies.values())).saved.rules
    scene.world.do(CreateSkip(version_id=v1, rule_id=db.id))
    assert scene.open(v1) == set(), "the other rule still holds"
    scene.world.do(CreateSkip(version_id=v1, rule_id=cache.id))
    assert scene.open(v1) == {R1, R2}
    assert scene.reason("deploymentDependency", v1, R1).verdict == "allowed"


def test_dep_wakes_on_upstream_success() -> None:
    scene = Beside('deployment.name == "db"')
    v1 = scene.version("v1")
    scene.other("db", "d1", R1)
    assert scene.open(v1) == {R1}


def test_dep_ends_a_clearance_when_the_upstream_target_vanishes() -> None:
    scene = Beside('deployment.name == "db"')
    scene.other("db", "d1", R1, R2)
    v1 = scene.version("v1")
    scene.record(TargetsChanged(deployment_id=uid("deployment db"), environment_id=scene.staging, removed=(R1,)))
    assert scene.open(v1) == {R2}
