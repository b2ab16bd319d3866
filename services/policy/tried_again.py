"""A rollout that stopped at a target which is to be tried again does not need anybody yet: it waits for that retry.

What is recorded stays "blocked", since the retry may fail as well; whoever asks is told what happens next.
"""

from __future__ import annotations

from dataclasses import replace

from services.policy.evaluation import Findings
from services.policy.finding import ROLLOUT, Finding
from services.policy.gate import Judge
from services.policy.outcome import outcome_of
from services.policy.state import Job, Pair, Version
from services.policy.turn_findings import failure_of


def with_retries(judge: Judge, pair: Pair, version: Version, verdicts: dict[str, Findings]) -> dict[str, Findings]:
    """The verdicts on a version, by target, where those of rollouts that stopped at a target to be tried again are put so."""
    known: dict[int, Findings] = {}
    failed: list[tuple[str, Job]] | None = None
    told: dict[str, Findings] = {}
    for one, findings in verdicts.items():
        if not any(key.rule_type == ROLLOUT and finding.verdict == "blocked" for key, finding in findings):
            told[one] = findings
            continue
        if failed is None:
            failed = _failed(pair, version)
        if id(findings) not in known:
            known[id(findings)] = tuple(
                (key, _put(judge, pair, version, finding, failed) if key.rule_type == ROLLOUT else finding)
                for key, finding in findings
            )
        told[one] = known[id(findings)]
    return told


def _failed(pair: Pair, version: Version) -> list[tuple[str, Job]]:
    """The targets on which a version failed, with the job."""
    failed = []
    for one in sorted(pair.jobs.get(version.version_id, ())):
        came_to = outcome_of(pair, one, version.version_id) if one in pair.targets else None
        if came_to is not None and came_to[0] == "failed":
            failed.append((one, came_to[1]))
    return failed


def _put(judge: Judge, pair: Pair, version: Version, finding: Finding, failed: list[tuple[str, Job]]) -> Finding:
    """What a stopped rollout says, if it stopped at a target that is tried again."""
    if finding.verdict != "blocked":
        return finding
    for one, job in failed:
        if job.position not in finding.facts:
            continue
        gate = judge.retry(pair, version, one)
        retries = [found for key, found in gate.findings if key.rule_type == "retry"] if gate is not None else []
        if not retries or any(found.verdict == "blocked" for found in retries):
            return finding
        name = judge.state.resource_name(one)
        return replace(
            finding,
            verdict="waiting",
            detail=f"The rollout of {version.tag} waits for {name}: {failure_of(job)}, and it is tried again. "
            f"{' '.join(found.sentence for found in retries if not found.allows)}".rstrip(),
            ended_by=f"the retry on {name}, once {version.tag} is deployed and verified there, or a newer version",
        )
    return finding
