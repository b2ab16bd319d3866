"""A version goes only where what it depends on runs on the same resource, in whichever environment; by the scenarios of the spec."""

from __future__ import annotations

import pytest

from contracts.facts.planner import EnvironmentDeleted
from contracts.facts.policy import ClearanceWithdrawn, RuleEvaluated, TargetsCleared
from services.policy.state import pair_key
from tests.unit.policy.choice_scenes import Other, eligible, needing, posted, supersession, told
from tests.unit.policy.policy_scenes import Scene, approval, linear, rollback, uid

V2 = 'version.tag == "v2"'
KIND = "versionDependency"


def shop(*names: str) -> tuple[Scene, Other, list[str]]:
    """The scene's deployment and a database, on the same clusters in production."""
    scene = Scene()
    clusters = [scene.resource(name) for name in names or ("cluster-1",)]
    db = Other(scene, "db")
    scene.appear(*clusters)
    db.appear(*clusters)
    return scene, db, clusters


def test_vdep_none_allows() -> None:
    scene, _, (cluster,) = shop()
    (version,) = posted(scene, "v1")
    assert scene.open(version) == {cluster}
    assert scene.facts(RuleEvaluated) == []


def test_vdep_waits_for_the_upstream_success() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: V2})
    assert scene.open(version) == set()
    job = db.job(db.version("v2"), cluster, "inProgress")
    assert scene.open(version) == set()
    db.status(job, "successful")
    assert scene.open(version) == {cluster}


def test_vdep_all_must_hold() -> None:
    scene, db, (cluster,) = shop()
    cache = Other(scene, "cache")
    cache.appear(cluster)
    version = needing(scene, "v1", {db.id: V2, cache.id: "true"})
    db.job(db.version("v2"), cluster, "successful")
    assert scene.open(version) == set()
    assert scene.reason(KIND, version, cluster).message == (
        "v1 needs cache on cluster-1 in a version for which `true` is true; nothing of cache has succeeded there yet."
    )
    cache.job(cache.version("v1"), cluster, "successful")
    assert scene.open(version) == {cluster}


def test_vdep_upstream_missing_on_resource() -> None:
    scene = Scene()
    cluster = scene.resource("cluster-1")
    scene.appear(cluster)
    db = Other(scene, "db")
    version = needing(scene, "v1", {db.id: V2})
    reason = scene.reason(KIND, version, cluster)
    assert (reason.verdict, reason.rule_id, reason.policy_id) == ("waiting", "deployment-version-dependency", "")
    assert reason.message == f"v1 needs db on cluster-1 in a version for which `{V2}` is true; db is not deployed there."
    assert reason.ended_by == f"db deployed on the same resource in a version for which `{V2}` is true"
    db.appear(cluster)
    assert scene.reason(KIND, version, cluster).message.endswith("nothing of db has succeeded there yet.")


def test_vdep_no_success_upstream() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: "true"})
    db.job(db.version("v2"), cluster, "failure")
    assert scene.open(version) == set()


def test_vdep_default_false_denies() -> None:
    scene, db, (cluster,) = shop()
    db.job(db.version("v2"), cluster, "successful")
    version = needing(scene, "v1", {db.id: "false"})
    reason = scene.reason(KIND, version, cluster)
    assert (reason.verdict, reason.message.endswith("is true; v2 runs there.")) == ("waiting", True)


@pytest.mark.parametrize(
    "selector, said",
    [
        ("version.tag", "no answer"),
        ('"true"', "no answer"),
        ("nothing.tag == 'v2'", "nothing"),
        ("version.tag ==", "no answer"),
        ("version.config.port + 'a' == 1 || version.tag", "no answer"),
        ("", "no answer"),
    ],
)
def test_vdep_nonbool_or_undefined_denies(selector: str, said: str) -> None:
    scene, db, (cluster,) = shop()
    db.job(db.version("v2"), cluster, "successful")
    version = needing(scene, "v1", {db.id: selector})
    reason = scene.reason(KIND, version, cluster)
    assert scene.open(version) == set()
    assert (reason.verdict, reason.ended_by) == ("blocked", "a person who mends the dependency of v1 on db")
    assert said in reason.message


def test_vdep_bad_selector_blocks_before_anything_runs() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: "version.tag =="})
    assert scene.reason(KIND, version, cluster).verdict == "blocked"


def test_vdep_missing_key_is_no_match() -> None:
    scene, db, (cluster,) = shop()
    db.job(db.version("v2"), cluster, "successful")
    version = needing(scene, "v1", {db.id: 'version.metadata["schema"] != "1"'})
    assert scene.reason(KIND, version, cluster).verdict == "waiting"


def test_vdep_unknown_deployment_blocks() -> None:
    scene, _, (cluster,) = shop()
    nobody = uid("nobody")
    version = needing(scene, "v1", {nobody: "true"})
    reason = scene.reason(KIND, version, cluster)
    assert (reason.verdict, reason.message) == ("blocked", f"v1 depends on deployment {nobody}, which does not exist.")
    assert reason.ended_by == "a person who takes the dependency from v1"


def test_vdep_per_version_pinning() -> None:
    scene, db, (cluster,) = shop()
    db.job(db.version("v2"), cluster, "successful")
    old = needing(scene, "v1", {db.id: 'version.tag == "v1"'})
    new = needing(scene, "v2", {db.id: V2})
    assert (scene.open(old), scene.open(new)) == (set(), {cluster})
    assert eligible(scene, cluster) == ["v2"]


def test_vdep_held_newest_falls_back_to_an_older_version() -> None:
    scene, db, (cluster,) = shop()
    (first,) = posted(scene, "v1")
    second = needing(scene, "v2", {db.id: V2})
    assert (scene.open(first), scene.open(second)) == ({cluster}, set())


def test_vdep_any_environment_satisfies() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: V2})
    db.appear(cluster, env=scene.staging)
    db.job(db.version("v1"), cluster, "successful")
    assert scene.open(version) == set()
    db.job(db.version("v2"), cluster, "successful", env=scene.staging)
    assert scene.open(version) == {cluster}


def test_vdep_is_of_the_resource() -> None:
    scene, db, clusters = shop("cluster-1", "cluster-2")
    version = needing(scene, "v1", {db.id: V2})
    db.job(db.version("v2"), clusters[1], "successful")
    assert scene.open(version) == {clusters[1]}


def test_vdep_can_not_be_excluded() -> None:
    scene, db, (cluster,) = shop()
    needing(scene, "v1", {db.id: V2})
    assert eligible(scene, cluster, exclude=("deployment-version-dependency",)) == []


# --- when it is looked at again -------------------------------------------------------------------------------------------------------


def test_vdep_success_told_by_a_person_counts() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: V2})
    job = db.job(db.version("v2"), cluster, "inProgress", "failure")
    assert scene.open(version) == set()
    db.status(job, "successful")
    assert scene.open(version) == {cluster}


def test_vdep_success_that_is_taken_back_withdraws_the_unused_clearance() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: V2})
    job = db.job(db.version("v2"), cluster, "successful")
    assert scene.open(version) == {cluster}
    db.status(job, "failure")
    assert scene.open(version) == set()
    assert (
        scene.facts(ClearanceWithdrawn)[-1].reason == f"v1 needs db on the same resource in a version for which `{V2}` is true."
    )


def test_vdep_other_version_upstream_withdraws_the_unused_clearance() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: V2})
    db.job(db.version("v2"), cluster, "successful")
    db.job(db.version("v3"), cluster, "successful")
    assert scene.open(version) == set()


def test_vdep_that_broke_while_another_rule_held_is_recorded() -> None:
    scene, db, (cluster,) = shop()
    scene.production_policy(approval())
    db.job(db.version("v2"), cluster, "successful")
    needing(scene, "v1", {db.id: V2})
    assert told(scene, KIND) == []
    db.job(db.version("v3"), cluster, "successful")
    assert told(scene, KIND) == [("v1", "waiting", (cluster,))]


def test_vdep_used_clearance_stays() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: V2})
    db.job(db.version("v2"), cluster, "successful")
    scene.deploy(version, cluster)
    before = len(scene.facts(TargetsCleared)) + len(scene.facts(RuleEvaluated))
    db.job(db.version("v3"), cluster, "successful")
    assert scene.facts(ClearanceWithdrawn) == []
    assert len(scene.facts(TargetsCleared)) + len(scene.facts(RuleEvaluated)) == before


def test_vdep_vanished_upstream_target_counts_no_more() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: V2})
    db.job(db.version("v2"), cluster, "successful")
    db.vanish(cluster)
    assert scene.open(version) == set()
    db.appear(cluster)
    assert scene.open(version) == {cluster}, "what runs there is remembered as long as the resource exists"


def test_vdep_changed_edges() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: V2})
    needing(scene, "v1", {}, update=True)
    assert scene.open(version) == {cluster}
    needing(scene, "v1", {db.id: V2}, update=True)
    assert scene.open(version) == set()


def test_vdep_deleted_upstream_blocks_and_withdraws() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: V2})
    db.job(db.version("v2"), cluster, "successful")
    assert scene.open(version) == {cluster}
    db.delete()
    assert scene.open(version) == set()
    assert scene.reason(KIND, version, cluster).verdict == "blocked"
    assert told(scene, KIND)[-1] == ("v1", "blocked", (cluster,))


def test_vdep_deleted_environment_upstream_withdraws() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: V2})
    db.appear(cluster, env=scene.staging)
    db.job(db.version("v2"), cluster, "successful", env=scene.staging)
    assert scene.open(version) == {cluster}
    scene.record(EnvironmentDeleted(environment_id=scene.staging))
    assert scene.open(version) == set()


def test_vdep_upstream_that_comes_to_exist_ends_the_block() -> None:
    scene = Scene()
    cluster = scene.resource("cluster-1")
    scene.appear(cluster)
    version = needing(scene, "v1", {uid("deployment db"): "true"})
    assert told(scene, KIND)[-1] == ("v1", "blocked", (cluster,))
    db = Other(scene, "db")
    assert told(scene, KIND)[-1] == ("v1", "waiting", (cluster,))
    db.appear(cluster)
    db.job(db.version("v1"), cluster, "successful")
    assert scene.open(version) == {cluster}


def test_vdep_changed_metadata_and_status_of_the_upstream_version() -> None:
    scene, db, (cluster,) = shop()
    version = needing(scene, "v1", {db.id: 'version.metadata["schema"] == "7" && version.status == "ready"'})
    db.job(db.version("v2"), cluster, "successful")
    assert scene.open(version) == set()
    db.version("v2", metadata={"schema": "7"})
    assert scene.open(version) == {cluster}
    db.version("v2", metadata={"schema": "7"}, status="paused")
    assert scene.open(version) == set()


def test_vdep_selector_reads_the_whole_upstream_version() -> None:
    scene, db, (cluster,) = shop()
    db.version("v2", message="stable")
    told_by = (
        f'version.id == "{uid("db v2")}" && version.name == "v2" && version.deploymentId == "{db.id}" && '
        'version.message == "stable" && version.createdAt.startsWith("20")'
    )
    version = needing(scene, "v1", {db.id: told_by})
    db.job(uid("db v2"), cluster, "successful")
    assert scene.open(version) == {cluster}


# --- with what else there is ----------------------------------------------------------------------------------------------------------


def test_vdep_is_said_once_for_many_targets() -> None:
    names = [f"cluster-{n}" for n in range(300)]
    scene, db, _ = shop(*names)
    needing(scene, "v1", {db.id: V2})
    (fact,) = [one for one in scene.facts(RuleEvaluated) if one.rule_type == KIND]
    assert [len(group.resource_ids) for group in fact.groups] == [300]


def test_vdep_targets_that_become_free_together_are_cleared_together() -> None:
    names = [f"cluster-{n}" for n in range(50)]
    scene, db, clusters = shop(*names)
    version = needing(scene, "v1", {db.id: V2})
    upstream = db.version("v2")
    with scene.in_one_round():
        for one in clusters:
            db.job(upstream, one, "successful")
    (fact,) = [one for one in scene.facts(TargetsCleared) if one.version_id == version]
    assert len(fact.resource_ids) == 50
    assert scene.state.versions[upstream].position in fact.facts


def test_vdep_target_that_waits_does_not_hold_the_turn_of_a_rollout() -> None:
    scene, db, clusters = shop("cluster-1", "cluster-2", "cluster-3")
    scene.production_policy(linear(0), rollback("failure"))
    version = needing(scene, "v1", {db.id: V2})
    for one in clusters[:2]:
        db.job(db.version("v2"), one, "successful")
    gone: list[str] = []
    while ready := scene.open(version):
        gone += ready
        scene.deploy(version, *ready)
    assert sorted(gone) == sorted(clusters[:2])
    db.job(uid("db v2"), clusters[2], "successful")
    assert scene.open(version) == {clusters[2]}


def test_vdep_holds_the_version_whose_turn_it_is() -> None:
    scene, db, (cluster,) = shop()
    supersession(scene, "every")
    first = needing(scene, "v1", {db.id: V2})
    (second,) = posted(scene, "v2")
    assert (scene.open(first), scene.open(second)) == (set(), set())
    db.job(db.version("v2"), cluster, "successful")
    assert scene.open(first) == {cluster}


def test_vdep_only_who_depends_is_looked_at() -> None:
    scene, db, (cluster,) = shop()
    cache = Other(scene, "cache")
    cache.appear(cluster)
    needing(scene, "v1", {db.id: V2})
    before = len(scene.world.log)
    cache.job(cache.version("v1"), cluster, "successful")
    mine = [one for one in scene.world.log[before:] if one.stream == f"rollout/{scene.deployment}/{scene.production}"]
    assert mine == []
    assert scene.state.dependents.get(cache.id) is None
    assert scene.state.dependents[db.id] == (scene.deployment,)
    assert pair_key(scene.deployment, scene.production) in scene.state.pairs


def test_vdep_renamed_upstream_is_told_anew() -> None:
    scene, db, (cluster,) = shop()
    needing(scene, "v1", {db.id: V2})
    db.rename("database")
    group = scene.facts(RuleEvaluated)[-1].groups[0]
    assert group.message.startswith("v1 needs database on the same resource")
    assert group.resource_ids == (cluster,)
