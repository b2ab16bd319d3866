"""What each fact does to the read tables, and that it does not matter how facts are split into rounds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import hypothesis
from hypothesis import strategies as st

from contracts.fact import FACTS, Fact
from contracts.facts import dispatcher, inventory, planner, policy, verifier
from contracts.shapes import AnyApproval, Rule, Verification
from services.gateway.adapters.memory import MemoryRows
from services.gateway.readmodel import PROJECTED, pair_key, patches_of
from services.gateway.rows import Change, Patch, compact
from services.gateway.views import Views
from tests.conformance.gateway.row_patches import PATCHES
from tests.unit.gateway.readmodel_scenes import (
    AT,
    JOB,
    REL,
    RULE,
    SET,
    SKIP,
    STAMP,
    TARGET,
    V2,
    VALUE,
    VARIABLE,
    VERIFIED,
    WORKSPACE,
    WORLD,
    A,
    D,
    E,
    R,
    S,
    V,
    agent,
    depending,
    deployment,
    environment,
    failed,
    freeze,
    job,
    lifted,
    measured,
    moved,
    overridden,
    passed,
    pinned,
    project,
    recorded,
    redeployed,
    relationship_rule,
    release,
    resource,
    resource_variables,
    rolled_back,
    skip,
    system,
    targets,
    thawed,
    uid,
    unpinned,
    value,
    variable,
    variable_set,
    verification,
    version,
)  # fmt: skip


async def test_times_are_utc_with_milliseconds() -> None:
    rows = await project(resource())
    row = await rows.get(WORKSPACE, "resource", R)
    assert row is not None
    assert (row["createdAt"], row["updatedAt"]) == (STAMP, STAMP)


async def test_a_selector_of_false_is_shown_for_deployments_and_left_out_for_environments() -> None:
    rows = await project(deployment(), environment())
    assert (await rows.get(WORKSPACE, "deployment", D) or {})["resourceSelector"] == "false"
    assert "resourceSelector" not in (await rows.get(WORKSPACE, "environment", E) or {})
    rows = await project(environment("true"))
    assert (await rows.get(WORKSPACE, "environment", E) or {})["resourceSelector"] == "true"


async def test_deleting_either_side_of_a_link_deletes_the_link() -> None:
    linked = (
        system(),
        planner.DeploymentLinked(system_id=S, deployment_id=D),
        planner.EnvironmentLinked(system_id=S, environment_id=E),
    )
    for gone, left in (
        (planner.SystemDeleted(system_id=S), []),
        (planner.DeploymentDeleted(deployment_id=D), [E]),
        (planner.EnvironmentDeleted(environment_id=E), [D]),
    ):
        rows = await project(*linked, gone)
        assert [row["$entity"] for row in await rows.among(WORKSPACE, "link", "systemId", [S])] == left


async def test_a_target_that_vanished_keeps_its_desired_release_and_comes_back_with_it() -> None:
    rows = await project(targets(added=[R]), release(), targets(removed=[R]))
    gone = await rows.get(WORKSPACE, "target", TARGET.key) or {}
    assert (gone["$gone"], gone["$desired"], gone["$pair"]) == (True, REL, pair_key(D, E))
    rows = await project(targets(added=[R]), release(), targets(removed=[R]), targets(added=[R]))
    back = await rows.get(WORKSPACE, "target", TARGET.key) or {}
    assert (back["$gone"], back["$desired"]) == (False, REL)


async def test_a_release_that_is_desired_again_keeps_its_first_time() -> None:
    rows = await project(version(), release(), release(AT + timedelta(days=1), uid(30)), release(AT + timedelta(days=2)))
    assert (await rows.get(WORKSPACE, "release", REL) or {})["createdAt"] == STAMP
    assert (await rows.get(WORKSPACE, "target", TARGET.key) or {})["$desired"] == REL


async def test_a_rollback_moves_the_desired_release_unless_there_is_none_to_go_back_to() -> None:
    ids = {
        "deployment_id": D,
        "environment_id": E,
        "resource_id": R,
        "version_id": V,
        "job_id": JOB,
        "policy_id": "",
        "rule_id": "",
    }
    back = planner.RollbackStarted(**ids, release_id=uid(30), to_version_id=V, reason="bad", started_at=AT)
    rows = await project(release(), back)
    assert (await rows.get(WORKSPACE, "target", TARGET.key) or {})["$desired"] == uid(30)
    rows = await project(release(), back.model_copy(update={"release_id": None}))
    assert (await rows.get(WORKSPACE, "target", TARGET.key) or {})["$desired"] == REL


async def test_a_job_is_shown_as_its_last_change_tells() -> None:
    done = moved("failure", AT, message="no", external_id="7", metadata={"a": "b"}, started_at=AT)
    views = Views(await project(*WORLD, done), WORKSPACE)
    (shown,) = await views.jobs((await views._store.find(WORKSPACE, "job")).items, with_context=False)
    assert (shown["status"], shown["message"], shown["externalId"], shown["metadata"]) == ("failure", "no", "7", {"a": "b"})
    assert (shown["startedAt"], shown["completedAt"]) == (STAMP, STAMP)
    views = Views(await project(*WORLD, done, moved("inProgress")), WORKSPACE)
    (shown,) = await views.jobs((await views._store.find(WORKSPACE, "job")).items, with_context=False)
    assert (shown["status"], "completedAt" in shown, "message" in shown) == ("inProgress", False, False)


async def test_a_job_without_an_agent_is_complete_from_the_start() -> None:
    rows = await project(*WORLD[:-1], job("invalidJobAgent"))
    assert (await rows.get(WORKSPACE, "job", JOB) or {})["completedAt"] == STAMP


async def test_a_job_shows_what_it_was_made_from_whatever_came_later() -> None:
    later = (resource("renamed"), planner.DeploymentDeleted(deployment_id=D), dispatcher.JobAgentDeleted(agent_id=A))
    views = Views(await project(*WORLD, *later), WORKSPACE)
    (shown,) = await views.jobs((await views._store.find(WORKSPACE, "job")).items)
    context = shown["dispatchContext"]
    assert (context["resource"]["name"], context["resource"]["metadata"]) == ("r", {"$x": "y"})
    assert (context["deployment"]["name"], context["jobAgent"]["name"], shown["jobAgentId"]) == ("api", "runner", "")
    assert (context["release"]["variables"], context["release"]["version"]["tag"]) == ({"k": 1}, "v1")


async def test_the_current_release_is_that_of_the_success_that_completed_last() -> None:
    def of(number: int, completed: int | None, status: Any = "successful") -> list[Fact]:
        ids = {"job_id": uid(50 + number), "release_id": uid(70 + number)}
        made = job().model_copy(update={**ids, "created_at": AT + timedelta(minutes=number)})
        if completed is None:
            return [release(release_id=ids["release_id"]), made]
        done = moved(status, AT + timedelta(minutes=completed)).model_copy(update=ids)
        return [release(release_id=ids["release_id"]), made, done]

    facts = [*WORLD[:5], *of(1, 9), *of(2, 8), *of(3, 10, "failure"), *of(4, None)]
    views = Views(await project(*facts), WORKSPACE)
    state = (await views.states([TARGET.key]))[TARGET.key]
    assert state["currentRelease"]["id"] == uid(71)
    assert state["desiredRelease"]["id"] == uid(74)
    assert state["latestJob"]["id"] == uid(54)


async def test_policy_rules_are_shown_as_they_were_sent() -> None:
    rules = (
        Rule(id=uid(21), created_at=STAMP, any_approval=AnyApproval(min_approvals=0)),
        Rule(id=uid(22), created_at=STAMP, verification=Verification(metrics=verification().metrics)),
    )
    saved = policy.PolicySaved(policy_id=uid(20), name="p", rules=rules, created_at=AT)
    row = await (await project(saved)).get(WORKSPACE, "policy", uid(20)) or {}
    assert row["rules"][0] == {"id": uid(21), "policyId": uid(20), "createdAt": STAMP, "anyApproval": {"minApprovals": 0}}
    assert set(row["rules"][1]["verification"]) == {"metrics"}


def test_a_fact_that_no_table_shows_is_not_even_decoded() -> None:
    fact = inventory.MatchesChanged(entity="deployment", entity_id=D)

    def refuse(_type: str, _data: bytes) -> Fact:
        raise AssertionError("decoded")

    one = recorded(1, fact)
    one._decode = refuse
    assert patches_of(one) == ()


def test_facts_that_make_rows_are_all_known() -> None:
    """A new fact of a service is either projected or listed here: none is forgotten."""
    quiet = {
        "dispatcher.job_dispatched.v1", "inventory.matches_changed.v1", "inventory.relations_changed.v1", "planner.plan_targets_resolved.v1",
        "policy.approval_recorded.v1", "policy.clearance_withdrawn.v1", "policy.rollback_required.v1",
        "policy.rule_evaluated.v1", "policy.targets_cleared.v1", "policy.verification_required.v1",
        "policy.version_superseded.v1",
    }  # fmt: skip
    others = {name for name in FACTS if not name.startswith(("gateway.", "test."))} - PROJECTED
    assert {name for name in others if name.split(".")[0] in OWNERS} == quiet


OWNERS = {"dispatcher", "inventory", "planner", "policy", "verifier"}


# --- rounds ----------------------------------------------------------------------------------------------------------------------------

FACT_POOL: tuple[Fact, ...] = (
    system(), system("store"), planner.SystemDeleted(system_id=S), planner.DeploymentLinked(system_id=S, deployment_id=D),
    planner.DeploymentUnlinked(system_id=S, deployment_id=D), deployment(), deployment("true"), planner.DeploymentDeleted(deployment_id=D),
    environment(), planner.EnvironmentDeleted(environment_id=E), version(), targets(added=[R]), targets(removed=[R]), release(),
    release(AT + timedelta(days=1)), resource(), resource("other"), inventory.ResourceDeleted(resource_id=R, identifier="i"), agent(),
    dispatcher.JobAgentDeleted(agent_id=A), job(), moved("inProgress"), moved("successful", AT), moved("failure", AT, message="m"),
    verification(), measured(1), measured(2), variable(), variable("other"), value(), value(1, uid(47)),
    planner.DeploymentVariableDeleted(deployment_id=D, variable_id=VARIABLE),
    planner.DeploymentVariableValueDeleted(deployment_id=D, variable_id=VARIABLE, value_id=VALUE), resource_variables(a=1),
    resource_variables(), variable_set(), inventory.VariableSetDeleted(set_id=SET), relationship_rule(),
    inventory.RelationshipRuleSuspended(rule_id=RULE, reason="too many"), inventory.RelationshipRuleDeleted(rule_id=RULE), depending(D),
    depending(uid(48), updated=True), pinned(), pinned(R, V2), unpinned(), unpinned(R), rolled_back(), rolled_back(also=[V]), redeployed(),
    freeze(), freeze("later"), overridden(), thawed(), skip(), skip(E), policy.SkipDeleted(skip_id=SKIP), lifted(), passed(watched_until=AT), failed(),
    verifier.WatchEnded(**VERIFIED, finished_at=AT), verifier.VerificationCancelled(**VERIFIED, reason="gone", finished_at=AT),
)  # fmt: skip


def apply_steps(rows: dict[tuple[str, str], tuple[int, dict[str, Any]]], changes: Sequence[Change]) -> None:
    """What a set-based writer does with the steps, in the plainest words."""
    for step in compact(changes):
        if step.where is not None:
            where = step.where
            for key in [key for key, (_, doc) in rows.items() if key[0] == where.table and doc.get(where.field) == where.value]:
                del rows[key]
        for table, ids in step.deletes.items():
            for row_id in ids:
                rows.pop((table, row_id), None)
        for table, puts in step.puts.items():
            for row_id, (since, doc) in puts.items():
                rows[table, row_id] = (rows[table, row_id][0] if (table, row_id) in rows else since, doc)
        for table, merges in step.merges.items():
            for row_id, (since, first, doc) in merges.items():
                known = rows.get((table, row_id), (since, {}))
                rows[table, row_id] = (known[0], {**first, **known[1], **doc})


@hypothesis.given(patches=st.lists(PATCHES, max_size=12), cuts=st.lists(st.integers(0, 12), max_size=4))
async def test_any_changes_in_any_rounds_come_to_the_same_rows(patches: list[Patch], cuts: list[int]) -> None:
    naive = MemoryRows()
    changes = [Change(number, patch) for number, patch in enumerate(patches, 1)]
    await naive.apply(WORKSPACE, 0, 1, changes)
    rows: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    edges = [0, *sorted(cuts), len(changes)]
    for begin, end in itertools.pairwise(edges):
        apply_steps(rows, changes[begin:end])
    assert rows == naive.dump(WORKSPACE)


@hypothesis.given(
    indexes=st.lists(st.integers(0, len(FACT_POOL) - 1), max_size=25), cuts=st.lists(st.integers(0, 25), max_size=5)
)
async def test_any_split_of_the_log_projects_to_the_same_rows(indexes: list[int], cuts: list[int]) -> None:
    facts = [FACT_POOL[index] for index in indexes]
    whole = await project(*facts)
    rows: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    edges = [0, *sorted(min(cut, len(facts)) for cut in cuts), len(facts)]
    for begin, end in itertools.pairwise(edges):
        part = [recorded(number + 1, facts[number]) for number in range(begin, end)]
        apply_steps(rows, [Change(one.position, patch) for one in part for patch in patches_of(one)])
    assert rows == whole.dump(WORKSPACE)
