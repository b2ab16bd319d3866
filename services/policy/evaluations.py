"""What does every rule say about one version for one target now, whatever runs there? By policy, for whoever looks at rules rather than at targets."""

from __future__ import annotations

from contracts.command import Asked, Refused
from contracts.commands.policy.evaluations import EvaluateTarget, PolicyVerdicts, TargetEvaluation
from contracts.commands.policy.reasons import Reason
from services.policy.candidates import is_fit, marked, unfit
from services.policy.evaluation import Findings, walk
from services.policy.explanation import pair_with, reasons_of
from services.policy.finding import BAD_MARK, DEPLOYABLE, blocks
from services.policy.gate import Judge
from services.policy.rollout import Candidates
from services.policy.state import NOWHERE, Pair, State, Version
from services.policy.tried_again import with_retries
from services.policy.turns import judge_rollouts


def evaluate_target(wish: EvaluateTarget, state: State, asked: Asked, position: int) -> TargetEvaluation:
    """Ask every rule about a version for a target.

    Raises:
        Refused: `not_found`, for what is no release target, for a version that its deployment has not, and where it has none.
    """
    pair = pair_with(state, wish.deployment_id, wish.environment_id, wish.resource_id)
    version = _version(state, wish)
    judge = Judge(state, asked.now, wordy=True)
    findings = _asked(judge, pair, version, wish.resource_id)
    reasons = reasons_of(judge, pair, version, wish.resource_id, findings)
    grouped: dict[str, list[Reason]] = {match.policy_id: [] for match in judge.matched(pair, wish.resource_id)}
    for one in reasons:
        grouped.setdefault(one.policy_id, []).append(one)
    implicit = grouped.pop("", [])
    policies = [_of_policy(state, policy_id, results) for policy_id, results in grouped.items()]
    if implicit:
        policies.append(
            PolicyVerdicts(policy_id=None, summary=_summary("What no policy says", implicit), results=tuple(implicit))
        )
    instants = [one.look_again_at for one in reasons if one.look_again_at is not None]
    return TargetEvaluation(
        version_id=version.version_id, position=position, policies=tuple(policies), next_at=min(instants, default=None)
    )  # fmt: skip


def _version(state: State, wish: EvaluateTarget) -> Version:
    name = state.deployment_name(wish.deployment_id)
    if wish.version_id is None:
        newest = state.newest.get(wish.deployment_id, ())
        if not newest:
            raise Refused("not_found", f"{name} has no version yet.")
        return state.versions[newest[0]]
    version = state.versions.get(wish.version_id)
    if version is None or version.deployment_id != wish.deployment_id:
        raise Refused("not_found", f"There is no version {wish.version_id} of {name}.")
    return version


def _asked(judge: Judge, pair: Pair, version: Version, one: str) -> Findings:
    """The verdicts: as the target's walk finds them where it comes by the version, else of all rules for it alone."""
    found = walk(judge, pair, (one,)).findings.get(version.version_id, {}).get(one)
    if found:
        return with_retries(judge, pair, version, {one: found})[one]
    if version.version_id in pair.standings.get(one, NOWHERE).bad:
        return ((BAD_MARK, marked(pair, one, version)),)
    if not is_fit(pair, one, version):
        return ((DEPLOYABLE, unfit(version)),)
    gate = judge.gate(pair, version, one)
    if not gate.rollouts:
        return gate.findings
    group = Candidates(gate.rollouts, gate.start, gate.covered, gate.allows, (one,))
    return (*gate.findings, *judge_rollouts((group,), judge.question(pair, version))[one])


def _of_policy(state: State, policy_id: str, results: list[Reason]) -> PolicyVerdicts:
    name = state.policies[policy_id].saved.name
    return PolicyVerdicts(policy_id=policy_id, summary=_summary(f"Policy '{name}'", results), results=tuple(results))


def _summary(who: str, results: list[Reason]) -> str:
    """What a policy says, in the words of the rule that says most against it."""
    if not results:
        return f"{who} has no rule that decides whether the version may go."
    against = [one for one in results if one.verdict != "allowed"]
    if not against:
        return f"{who} allows it."
    worst = min(against, key=lambda one: (one.verdict != "blocked", not blocks(one.rule_type, one.verdict)))
    return f"{who} {'blocks' if blocks(worst.rule_type, worst.verdict) else 'waits'}: {worst.message}"
