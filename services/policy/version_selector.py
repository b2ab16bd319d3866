"""versionSelector: does the rule's expression pick the version, for this target?"""

from __future__ import annotations

from contracts.documents import stamp
from contracts.shapes import Json, VersionSelector
from libs.cel import CelProblems, Program, contexts
from services.policy.dependency import version_document
from services.policy.finding import Finding
from services.policy.state import Version

_MENDS = "a person who mends the rule's selector"


def compiled(body: VersionSelector) -> Program | str:
    """The rule's expression; a text says why there is none."""
    if not body.selector.strip():
        return "it is empty"
    try:
        return contexts.TARGET.compile(body.selector)
    except CelProblems as problems:
        return str(problems)


def reads_resource(body: VersionSelector) -> bool:
    """Whether the answer may differ from target to target."""
    program = compiled(body)
    return not isinstance(program, str) and "resource" in program.roots


def judge_version_selector(body: VersionSelector, version: Version, documents: Json) -> Finding:
    """Ask the expression.

    Args:
        documents: `version`, `environment`, `deployment`, and `resource` where the expression reads it.
    """
    program = compiled(body)
    if isinstance(program, str):
        return Finding("blocked", f"The rule's version selector can not be asked: {program}.", ended_by=_MENDS)
    verdict = program.strict_verdict(**documents)
    if verdict.is_error:
        said = verdict.message or "it has no answer"
        return Finding("blocked", f"The version selector `{body.selector}` has no answer: {said}", ended_by=_MENDS)
    if verdict.is_match:
        return Finding("allowed", f"{version.tag} is one of the versions that the selector picks.")
    rule = body.description.strip() if body.description and body.description.strip() else f"`{body.selector}`"
    return Finding(
        "blocked",
        f"{version.tag} is not one of the versions that may go here: {rule.rstrip('.')}.",
        ended_by="a version that the selector picks, or a person who changes it",
    )


def full_document(version: Version) -> Json:
    """A version as the rule's expression sees it."""
    return {
        **version_document(version),
        "config": version.config,
        "jobAgentConfig": version.job_agent_config,
        "createdAt": stamp(version.created_at),
        "dependencies": dict(version.dependencies),
    }
