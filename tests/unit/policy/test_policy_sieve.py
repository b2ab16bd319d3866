"""Selectors that are not asked: leaving them out never changes which policies a target has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from contracts.documents import environment_document, resource_document
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import EnvironmentSaved
from contracts.facts.policy import PolicySaved
from libs.cel import contexts
from services.policy import selector as selectors
from services.policy.selector import Match, PairMatches
from services.policy.sieve import sieve_of
from services.policy.state import Pair, Policy, State

AT = datetime(2026, 1, 1, tzinfo=UTC)
ENVIRONMENT = EnvironmentSaved(environment_id="e", name="production", metadata={"tier": "gold"}, created_at=AT)

fields = st.sampled_from(
    (
        'resource.metadata["team"]',
        "resource.metadata.zone",
        "resource.name",
        "resource.kind",
        "resource.config.size",
        "resource.config.team",
        'resource.config["team"]["name"]',
        "resource.providerId",
        "environment.name",
        'environment.metadata["tier"]',
        "deployment.name",
        "version.tag",
    )
)
texts = st.sampled_from(("a", "ab", "b", "production", "gold", "true", "2026-01-01T00:00:00Z"))
constants = st.one_of(texts.map(lambda text: f'"{text}"'), st.sampled_from(("1", "1.0", "true", "null", "2u")))
parts = st.one_of(
    st.builds("{} {} {}".format, fields, st.sampled_from(("==", "!=", "<")), constants),
    st.builds("{1} == {0}".format, fields, constants),
    st.builds("{} in [{}]".format, fields, st.lists(constants, min_size=1, max_size=3).map(", ".join)),
    st.builds('{}.{}("{}")'.format, fields, st.sampled_from(("startsWith", "endsWith", "contains", "matches")), texts),
    st.sampled_from(
        ("has(resource.metadata.team)", '"team" in resource.metadata', "true", "false", "resource.metadata.team", "1 / 0 == 1")
    ),
)
sources = st.recursive(
    parts,
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=5,
)
values = st.one_of(texts, st.sampled_from((1, 1.0, True, None, ["a"], {"name": "a"}, {})))
resources = st.one_of(
    st.none(),
    st.builds(
        lambda name, metadata, config, provider: ResourceSaved(
            resource_id="r", identifier="r", name=name, kind="a", version="v1", metadata=metadata, config=config, provider_id=provider,
            created_at=AT, updated_at=AT,
        ),
        texts,
        st.dictionaries(st.sampled_from(("team", "zone")), texts),
        st.dictionaries(st.sampled_from(("size", "team")), values),
        st.one_of(st.none(), texts),
    ),
)  # fmt: skip


def workspace(wanted: Sequence[str]) -> State:
    """A policy for each selector, the first of them with the highest priority."""
    saved = [
        PolicySaved(policy_id=f"p{n:03}", name="p", selector=source, priority=-n, created_at=AT)
        for n, source in enumerate(wanted)
    ]
    policies = Map({one.policy_id: Policy(one, 1) for one in saved})
    return State("w", policies=policies, environments=Map({"e": ENVIRONMENT}))


def asked_each(state: State, resource: ResourceSaved | None) -> tuple[Match, ...]:
    """The policies of a target where every selector is asked."""
    documents: dict[str, Any] = {"deployment": {}, "environment": environment_document("w", ENVIRONMENT)}
    documents["resource"] = resource_document("w", resource) if resource is not None else {}
    found = []
    for policy_id in sorted(state.policies):
        verdict = contexts.TARGET.compile(state.policies[policy_id].saved.selector).verdict(**documents)
        if verdict.is_match:
            found.append(Match(policy_id))
        elif verdict.is_error:
            found.append(Match(policy_id, verdict.message or "it has no answer"))
    return tuple(found)


@given(st.lists(sources, min_size=1, max_size=8), resources)
def test_a_target_has_the_policies_that_it_has_when_every_selector_is_asked(
    wanted: list[str], resource: ResourceSaved | None
) -> None:
    state = workspace([source for source in wanted if not any(one.severity == "error" for one in contexts.TARGET.check(source))])
    known = Map({"r": resource}) if resource is not None else Map()
    assert PairMatches(state, Pair("d", "e")).of("r", known) == asked_each(state, resource)


@pytest.mark.parametrize(
    "selector, resource_metadata",
    [
        ('resource.metadata["team"] == "t{n}"', {"team": "t7"}),
        ('environment.name == "production" && resource.metadata.team in ["t{n}", "u{n}"]', {"team": "u7"}),
        ('resource.metadata.team.startsWith("t{n}-") && resource.kind == "a"', {"team": "t7-x"}),
        ('resource.kind == "a" && resource.metadata.team == "t{n}" && resource.config.size > 3', {"team": "t7"}),
        ('environment.name == "env-{n}" && resource.config.size > 3', {}),
        ('resource.metadata.team == "t{n}" || resource.metadata.team == "u{n}"', {"team": "u7"}),
        ('resource.metadata.team == "t{n}"', {}),
    ],
)
def test_of_hundreds_of_policies_only_those_that_may_match_are_asked(selector: str, resource_metadata: dict[str, str]) -> None:
    state = workspace([selector.replace("{n}", str(n)) for n in range(200)])
    resource = ResourceSaved(
        resource_id="r",
        identifier="r",
        name="r",
        kind="a",
        version="v1",
        metadata=resource_metadata,
        created_at=AT,
        updated_at=AT,
    )
    matches = PairMatches(state, Pair("d", "e"))
    with patch.object(selectors, "_ask", wraps=selectors._ask) as ask:
        matches.of("r", Map({"r": resource}))
    assert ask.call_count <= 1


def test_a_field_that_tells_selectors_apart_is_chosen_over_one_that_all_share() -> None:
    sieve = sieve_of('resource.kind == "Cluster" && resource.metadata.team == "a"')
    assert [one.path for one in sieve.guards] == [("resource", "kind"), ("resource", "metadata", "team")]


def test_a_selector_is_asked_where_a_part_before_the_comparison_may_be_too_much_work() -> None:
    assert not sieve_of('resource.metadata.all(k, k != "x") && resource.metadata.team == "a"').guards
