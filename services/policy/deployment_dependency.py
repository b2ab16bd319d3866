"""deploymentDependency: some other release target of the same resource must run what the rule's expression picks.

In whichever environment and system; one is enough. Where all of several are needed, there are several rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from contracts.documents import deployment_document
from contracts.shapes import DeploymentDependency
from libs.cel import CelProblems, Verdict, contexts
from services.policy.dependency import version_document
from services.policy.finding import Finding, positions
from services.policy.state import Pair, State, Version

Asked = dict[tuple[str, str, str], "Verdict | str"]
"""What expressions say, by expression, deployment and version; a text for one that can not be asked."""


def judge_dependency(
    state: State, own: Pair, resource_id: str, version: Version, body: DeploymentDependency, asked: Asked, *, wordy: bool
) -> Finding:
    """Look at what runs on the resource beside this target.

    Args:
        asked: what was asked before in this decision; it is added to.
        wordy: also build the sentence of the moment, which names the resource and what runs there.
    """
    if problem := _unreadable(body.depends_on):
        return Finding(
            "blocked", f"What the rule depends on can not be asked: {problem}.", ended_by="a person who mends the rule"
        )
    runs: list[str] = []
    facts: list[int] = []
    problem = ""
    for pair, upstream in beside(state, own, resource_id):
        answer = _ask(state, body.depends_on, pair, upstream, asked)
        if isinstance(answer, Verdict) and answer.is_match:
            said = f"{state.deployment_name(pair.deployment_id)} {upstream.tag} runs on the same resource."
            return Finding("allowed", said, facts=positions((upstream.position,)))
        facts.append(upstream.position)
        runs.append(f"{state.deployment_name(pair.deployment_id)} {upstream.tag}")
        if isinstance(answer, Verdict) and answer.is_error:
            problem = problem or answer.message or "it has no answer"
    needs = f"{version.tag} needs something on the same resource for which `{body.depends_on}` is true"
    if problem:
        said = f"{needs}, and that has no answer: {problem}"
        return Finding("blocked", said, ended_by="a person who mends the rule", facts=positions(tuple(facts)))
    detail = ""
    if wordy:
        found = f"{' and '.join(dict.fromkeys(runs))} run there" if runs else "nothing else runs there yet"
        detail = f"{needs}; that is {state.resource_name(resource_id)}, and {found}."
    ends = f"a deployment to the same resource for which `{body.depends_on}` is true"
    return Finding("waiting", f"{needs}.", detail=detail, ended_by=ends, facts=positions(tuple(facts)))


def beside(state: State, own: Pair, resource_id: str) -> Iterator[tuple[Pair, Version]]:
    """What runs on a resource's other release targets, in a fixed order."""
    for key in sorted(state.places.get(resource_id, ())):
        pair = state.pairs.get(key)
        if pair is None or pair.key == own.key or resource_id not in pair.targets or resource_id not in pair.standings:
            continue
        current = pair.standings[resource_id].current
        upstream = state.versions.get(current.version_id) if current is not None else None
        if upstream is not None:
            yield pair, upstream


def _ask(state: State, depends_on: str, pair: Pair, upstream: Version, asked: Asked) -> Verdict | str:
    key = (depends_on, pair.deployment_id, upstream.version_id)
    answer = asked.get(key)
    if answer is None:
        deployment = state.deployments.get(pair.deployment_id)
        answer = asked[key] = contexts.DEPENDENCY.compile(depends_on).strict_verdict(
            deployment=deployment_document(deployment) if deployment is not None else {}, version=version_document(upstream)
        )
    return answer


def _unreadable(depends_on: str) -> str:
    """What is wrong with an expression, whatever runs; empty when it can be asked."""
    if not depends_on.strip():
        return "it is empty"
    try:
        contexts.DEPENDENCY.compile(depends_on)
    except CelProblems as problems:
        return str(problems)
    return ""
