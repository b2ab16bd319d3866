"""What facts about variables, relations, dependencies and choices do to the read tables."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.fact import Fact
from contracts.facts import inventory, planner, verifier
from services.gateway.adapters.memory import MemoryRows
from services.gateway.readmodel import pair_key
from services.gateway.rows import Table
from services.gateway.store import Order
from services.gateway.views import Views, shown
from tests.unit.gateway.readmodel_scenes import (
    AT,
    JOB,
    JOB_IDS,
    REL,
    RULE,
    SET,
    STAMP,
    TARGET,
    V2,
    VALUE,
    VARIABLE,
    WORKSPACE,
    WORLD,
    D,
    E,
    R,
    V,
    depending,
    deployment,
    job,
    moved,
    pinned,
    project,
    redeployed,
    relationship_rule,
    release,
    resource,
    resource_variables,
    rolled_back,
    uid,
    unpinned,
    value,
    variable,
    variable_set,
    verification,
    version,
)  # fmt: skip


async def row(rows: MemoryRows, table: Table, row_id: str) -> Any:
    found = await rows.get(WORKSPACE, table, row_id)
    return shown(found) if found is not None else None


# --- variables -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", ["5432", "true", 5432, 1.0, 1, True, False, "", {"object": {}}, {"reference": "r", "path": []}]
)
async def test_a_value_is_read_exactly_as_it_was_written(written: Any) -> None:
    read = (await row(await project(value(written)), "deployment_variable_value", VALUE))["value"]
    assert (read, type(read)) == (written, type(written))


async def test_values_are_shown_in_the_order_in_which_they_are_tried() -> None:
    low, high, same = uid(60), uid(61), uid(59)
    rows = await project(variable(), value(1, low, -10), value(2, high, 5), value(3, same, 5))
    (found,) = await Views(rows, WORKSPACE).variables_of(D)
    assert found["variable"] == {"id": VARIABLE, "deploymentId": D, "key": "port"}
    assert [one["id"] for one in found["values"]] == [same, high, low]


async def test_a_description_is_there_when_it_was_given() -> None:
    assert (await row(await project(variable(description="d")), "deployment_variable", VARIABLE))["description"] == "d"


@pytest.mark.parametrize(
    "gone", [planner.DeploymentVariableDeleted(deployment_id=D, variable_id=VARIABLE), planner.DeploymentDeleted(deployment_id=D)]
)
async def test_values_go_with_their_variable_and_both_with_the_deployment(gone: Fact) -> None:
    rows = await project(deployment(), variable(), value(), gone)
    assert await row(rows, "deployment_variable", VARIABLE) is None
    assert await row(rows, "deployment_variable_value", VALUE) is None


async def test_a_value_can_go_alone() -> None:
    rows = await project(
        variable(), value(), planner.DeploymentVariableValueDeleted(deployment_id=D, variable_id=VARIABLE, value_id=VALUE)
    )
    assert (await Views(rows, WORKSPACE).variables_of(D))[0]["values"] == []


async def test_variables_of_a_resource_are_replaced_together_and_go_with_it() -> None:
    rows = await project(resource(), resource_variables(a=1, b=2), resource_variables(c="x"))
    assert await row(rows, "resource_variables", R) == {"variables": {"c": "x"}}
    rows = await project(resource(), resource_variables(a=1), inventory.ResourceDeleted(resource_id=R, identifier="i"))
    assert await row(rows, "resource_variables", R) is None


async def test_variable_sets_rank_by_priority_and_then_by_name() -> None:
    sets = [variable_set(uid(60 + number), name, priority) for number, (name, priority) in enumerate(
        [("b", 0), ("a", 0), ("z", 2**63 - 1), ("y", -(2**63)), ("x", -1)]
    )]  # fmt: skip
    page = await (await project(*sets)).find(WORKSPACE, "variable_set", order=Order(("$rank", "name")))
    assert [one["name"] for one in page.items] == ["z", "a", "b", "x", "y"]


async def test_a_variable_set_is_shown_whole_and_its_description_is_always_a_text() -> None:
    read = await row(await project(variable_set()), "variable_set", SET)
    assert (read["description"], read["createdAt"], read["updatedAt"]) == ("", STAMP, STAMP)
    assert read["variables"] == [{"id": uid(46), "variableSetId": SET, "key": "k", "value": {"object": {"a": 1}}}]
    assert await row(await project(variable_set(), inventory.VariableSetDeleted(set_id=SET)), "variable_set", SET) is None


# --- relations, dependencies -----------------------------------------------------------------------------------------------------------


async def test_a_suspended_rule_says_why_until_it_is_saved_again() -> None:
    suspended = inventory.RelationshipRuleSuspended(rule_id=RULE, reason="too many")
    read = await row(await project(relationship_rule(), suspended), "relationship_rule", RULE)
    assert (read["suspended"], "description" in read) == ("too many", False)
    read = await row(await project(relationship_rule(), suspended, relationship_rule()), "relationship_rule", RULE)
    assert "suspended" not in read
    rows = await project(relationship_rule(), inventory.RelationshipRuleDeleted(rule_id=RULE))
    assert await row(rows, "relationship_rule", RULE) is None


async def test_a_version_names_all_that_it_depends_on() -> None:
    one, other = uid(70), uid(71)
    views = Views(await project(depending(other, one)), WORKSPACE)
    assert [edge["dependencyDeploymentId"] for edge in (await views.dependencies([V]))[V]] == [one, other]
    views = Views(await project(depending(other, one), depending(one, updated=True)), WORKSPACE)
    assert [edge["dependencyDeploymentId"] for edge in (await views.dependencies([V]))[V]] == [one]


async def test_nothing_depends_on_a_deployment_that_is_gone() -> None:
    views = Views(await project(depending(D, uid(70)), planner.DeploymentDeleted(deployment_id=D)), WORKSPACE)
    assert [edge["dependencyDeploymentId"] for edge in (await views.dependencies([V]))[V]] == [uid(70)]


async def test_only_a_deployment_that_takes_every_version_says_so() -> None:
    assert "supersession" not in await row(await project(deployment()), "deployment", D)
    every = deployment().model_copy(update={"supersession": "every"})
    assert (await row(await project(every), "deployment", D))["supersession"] == "every"


# --- choices ---------------------------------------------------------------------------------------------------------------------------


async def pin_of(*facts: Fact) -> Any:
    state = (await Views(await project(*facts), WORKSPACE).states([TARGET.key]))[TARGET.key]
    return (state["pin"]["versionId"], state["pin"]["scope"]) if "pin" in state else None


async def test_the_pin_of_a_target_comes_before_that_of_its_pair() -> None:
    assert await pin_of() is None
    assert await pin_of(pinned()) == (V, "environment")
    assert await pin_of(pinned(), pinned(R, V2)) == (V2, "target")
    assert await pin_of(pinned(), pinned(R, V2), unpinned(R)) == (V, "environment")
    assert await pin_of(pinned(), unpinned()) is None
    assert await pin_of(pinned(), pinned(None, V2)) == (V2, "environment")


@pytest.mark.parametrize("gone", [planner.DeploymentDeleted(deployment_id=D), planner.EnvironmentDeleted(environment_id=E)])
async def test_pins_and_marks_do_not_outlive_what_they_are_about(gone: Fact) -> None:
    rows = await project(pinned(), pinned(R), rolled_back(), gone)
    assert await rows.many(WORKSPACE, "pin", [TARGET.key, pair_key(D, E)]) == {}
    assert await rows.among(WORKSPACE, "mark", "$target", [TARGET.key]) == []


async def test_a_rollback_marks_versions_and_a_redeployment_lifts_the_mark() -> None:
    async def marked(*facts: Fact) -> list[str]:
        rows = await project(*facts)
        return sorted(one["versionId"] for one in await rows.among(WORKSPACE, "mark", "$target", [TARGET.key]))

    assert await marked(rolled_back()) == [V2]
    assert await marked(rolled_back(also=[uid(80)])) == sorted([V2, uid(80)])
    assert await marked(rolled_back(None, None)) == [V2]
    # Back to another release of the same version: that version is good.
    assert await marked(rolled_back(to_version_id=V2)) == []
    assert await marked(rolled_back(), redeployed()) == []


def run(number: int, status: Any = "successful", version_id: str = V) -> list[Fact]:
    """A release and its job, later than those of lower numbers."""
    ids = {"job_id": uid(100 + number), "release_id": uid(200 + number), "version_id": version_id}
    released = release(release_id=ids["release_id"]).model_copy(update={"version_id": version_id})
    made = job().model_copy(update={**ids, "created_at": AT + timedelta(minutes=number)})
    return [released, made, moved(status, AT).model_copy(update=ids)]


def second(status: Any = "ready") -> planner.VersionCreated:
    return version("v2", status).model_copy(update={"version_id": V2})


async def last_good(*facts: Fact) -> int | None:
    found = await Views(await project(*WORLD[:5], second(), *facts), WORKSPACE).last_good(TARGET.key)
    return int(found["id"][-3:]) - 200 if found is not None else None


async def test_the_last_good_release_is_the_newest_earlier_one_that_succeeded() -> None:
    assert await last_good() is None
    assert await last_good(*run(1)) is None
    assert await last_good(*run(1), *run(2), *run(3)) == 2
    assert await last_good(*run(1), *run(2, "failure"), *run(3)) == 1


async def test_the_newest_job_that_ended_decides_over_its_release() -> None:
    again = [fact.model_copy(update={"release_id": uid(201)}) for fact in run(2, "failure")[1:]]
    assert await last_good(*run(1), *again, *run(3)) is None


async def test_a_release_whose_verification_has_not_passed_is_not_good() -> None:
    started = verification().model_copy(update={"job_id": uid(102)})
    ids = {name: getattr(started, name) for name in (*JOB_IDS, "verification_id")}
    assert await last_good(*run(1), *run(2), started, *run(3)) == 1
    passed = verifier.VerificationPassed(**ids, finished_at=AT)
    assert await last_good(*run(1), *run(2), started, passed, *run(3)) == 2


async def test_nobody_goes_back_to_a_version_that_is_marked_or_rejected() -> None:
    back = rolled_back(uid(201))
    assert await last_good(*run(1), *run(2, version_id=V2), back) is None
    assert await last_good(*run(1), *run(2, version_id=V2), *run(3)) == 2
    rejected = planner.VersionUpdated.model_validate(second("rejected").model_dump())
    assert await last_good(*run(1), *run(2, version_id=V2), *run(3), rejected) == 1


async def test_a_release_goes_with_what_it_is_of() -> None:
    facts = (*WORLD[:5], release())
    assert REL in await Views(await project(*facts), WORKSPACE).releases([REL])
    for gone in (
        inventory.ResourceDeleted(resource_id=R, identifier="i"),
        planner.EnvironmentDeleted(environment_id=E),
        planner.DeploymentDeleted(deployment_id=D),
    ):
        assert await Views(await project(*facts, gone), WORKSPACE).releases([REL]) == {}
    assert JOB in {one["id"] for one in (await (await project(*WORLD)).find(WORKSPACE, "job")).items}
