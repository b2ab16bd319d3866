"""Does what a version depends on run on the same resource? An implicit rule: no policy names it, and nobody can skip it.

A version may name other deployments, each with a selector of their version. Of every one of them, the current version of a release target
on the same resource, in whichever environment, must match.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from contracts.documents import stamp
from contracts.shapes import Json
from libs.cel import CelProblems, Verdict, contexts
from services.policy.finding import Finding, positions
from services.policy.state import Pair, State, Version

Answers = dict[tuple[str, str], "Verdict | str"]
"""What selectors say about versions, by selector and version id; a text for a selector that can not be asked. Under the id `""`: what is
wrong with the selector itself, or an empty text."""


class _Edge(NamedTuple):
    """One dependency: whether it holds; if not, why, what ends it, and whether somebody must act."""

    holds: bool
    blocks: bool
    message: str
    detail: str
    ended_by: str
    facts: tuple[int, ...]


def judge_dependencies(state: State, version: Version, resource_id: str, answers: Answers, *, wordy: bool) -> Finding:
    """Look at every dependency of a version for a target on a resource.

    Args:
        answers: what was asked before in this decision; it is added to.
        wordy: also build the sentence of the moment, which names the resource and what runs there.
    """
    edges = [_judge(state, version, *edge, resource_id, answers, wordy=wordy) for edge in version.dependencies]
    failing = [edge for edge in edges if not edge.holds]
    facts = positions((version.position,), *(edge.facts for edge in edges))
    if not failing:
        return Finding("allowed", f"What {version.tag} depends on runs on the same resource.", facts=facts)
    return Finding(
        "blocked" if any(edge.blocks for edge in failing) else "waiting",
        " ".join(edge.message for edge in failing),
        detail=" ".join(edge.detail or edge.message for edge in failing) if wordy else "",
        ended_by="; ".join(edge.ended_by for edge in failing),
        facts=facts,
    )


def targets_of(state: State, deployment_id: str, resource_id: str) -> Iterator[Pair]:
    """The pairs in which a deployment has a target on a resource, by environment."""
    for key in sorted(state.places.get(deployment_id, ())):
        pair = state.pairs.get(key)
        if pair is not None and pair.deployment_id == deployment_id and resource_id in pair.targets:
            yield pair


def version_document(version: Version) -> Json:
    """A version as dependency selectors see it."""
    document: Json = {
        "id": version.version_id,
        "name": version.name,
        "tag": version.tag,
        "deploymentId": version.deployment_id,
        "status": version.status,
        "createdAt": stamp(version.created_at),
        "metadata": version.metadata,
    }
    if version.message is not None:
        document["message"] = version.message
    return document


def _judge(
    state: State, version: Version, upstream_id: str, selector: str, resource_id: str, answers: Answers, *, wordy: bool
) -> _Edge:
    tag = version.tag
    if upstream_id not in state.deployments:
        said = f"{tag} depends on deployment {upstream_id}, which does not exist."
        return _Edge(False, True, said, "", f"a person who takes the dependency from {tag}", ())
    name = state.deployment_name(upstream_id)
    runs: list[str] = []
    facts: list[int] = []
    problem = ""
    here = False
    for pair in targets_of(state, upstream_id, resource_id):
        here = True
        current = pair.standings[resource_id].current if resource_id in pair.standings else None
        upstream = state.versions.get(current.version_id) if current is not None else None
        if upstream is None:
            continue
        facts.append(upstream.position)
        answer = _ask(selector, upstream, answers)
        if isinstance(answer, Verdict) and answer.is_match:
            return _Edge(True, False, "", "", "", (upstream.position,))
        if isinstance(answer, str):
            problem = answer
        elif answer.is_error:
            problem = answer.message or "it has no answer"
        runs.append(upstream.tag)
    problem = problem or _unreadable(selector, answers)
    needs = f"{tag} needs {name} on the same resource in a version for which `{selector}` is true"
    if problem:
        said = f"{needs}, and that has no answer: {problem}"
        return _Edge(False, True, said, "", f"a person who mends the dependency of {tag} on {name}", tuple(facts))
    detail = ""
    if wordy:
        where = state.resource_name(resource_id)
        found = f"{' and '.join(dict.fromkeys(runs))} runs there" if runs else f"nothing of {name} has succeeded there yet"
        found = found if here else f"{name} is not deployed there"
        detail = f"{tag} needs {name} on {where} in a version for which `{selector}` is true; {found}."
    ends = f"{name} deployed on the same resource in a version for which `{selector}` is true"
    return _Edge(False, False, f"{needs}.", detail, ends, tuple(facts))


def _ask(selector: str, upstream: Version, answers: Answers) -> Verdict | str:
    key = (selector, upstream.version_id)
    answer = answers.get(key)
    if answer is None:
        try:
            answer = contexts.DEPENDENCY.compile(selector).strict_verdict(version=version_document(upstream))
        except CelProblems as problems:
            answer = str(problems)
        answers[key] = answer
    return answer


def _unreadable(selector: str, answers: Answers) -> str:
    """What is wrong with a selector, whatever runs; empty when it can be asked."""
    answer = answers.get((selector, ""))
    if answer is None:
        try:
            contexts.DEPENDENCY.compile(selector)
            answer = ""
        except CelProblems as problems:
            answer = str(problems)
        answers[selector, ""] = answer
    return answer if isinstance(answer, str) else ""
