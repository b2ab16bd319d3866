"""Rules that every target answers for itself: by its resource, by what runs on it, or by how often its job failed.

Targets with the same answers share them, so that they are grouped by identity, and what answers have in common is asked once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from contracts.documents import deployment_document, environment_document, resource_document
from contracts.shapes import DeploymentDependency, Json, Retry, Rule, VersionCooldown, VersionSelector
from services.policy.cooldown import judge_cooldown, reference_of
from services.policy.deployment_dependency import Asked, judge_dependency
from services.policy.finding import Finding, RuleKey, positions
from services.policy.retry import failed_attempts, judge_retry, statuses_of
from services.policy.state import NOWHERE, Pair, State, Version
from services.policy.version_selector import full_document, judge_version_selector, reads_resource

COOLDOWN = "versionCooldown"
SELECTOR = "versionSelector"
DEPENDENCY = "deploymentDependency"
RETRY = "retry"

Own = tuple[tuple[RuleKey, Finding], ...]
"""What a target's own rules say; the same object for targets that they say the same of."""
Body = VersionCooldown | VersionSelector | DeploymentDependency | Retry


class OwnRule(NamedTuple):
    """A rule that is asked target by target, and where its policy was recorded."""

    key: RuleKey
    body: Body
    position: int


def own_rules(rule: Rule, policy_id: str, position: int) -> list[OwnRule]:
    """The bodies of a rule that every target answers for itself, in the order in which they are asked. Retries are the last."""
    found: list[OwnRule] = []
    if rule.version_selector is not None and reads_resource(rule.version_selector):
        found.append(OwnRule(RuleKey(policy_id, rule.id, SELECTOR), rule.version_selector, position))
    if rule.version_cooldown is not None:
        found.append(OwnRule(RuleKey(policy_id, rule.id, COOLDOWN), rule.version_cooldown, position))
    if rule.deployment_dependency is not None:
        found.append(OwnRule(RuleKey(policy_id, rule.id, DEPENDENCY), rule.deployment_dependency, position))
    if rule.retry is not None:
        found.append(OwnRule(RuleKey(policy_id, rule.id, RETRY), rule.retry, position))
    return found


class OwnAnswers:
    """What targets answered in one decision."""

    def __init__(self, state: State, now: datetime, *, wordy: bool) -> None:
        self._state = state
        self._now = now
        self._wordy = wordy
        self._asked: Asked = {}
        self._documents: dict[tuple[str, str], Json] = {}
        self._shared: dict[Finding, Finding] = {}
        self._together: dict[tuple[tuple[RuleKey, int], ...], Own] = {}
        self._cooled: dict[tuple[RuleKey, str, tuple[str, bool] | None], Finding] = {}

    def of(self, rules: tuple[OwnRule, ...], pair: Pair, version: Version, resource_id: str) -> Own:
        """What the rules say about a version on a target; retries are not asked."""
        asked = [(one, self._judge(one, pair, version, resource_id)) for one in rules if not isinstance(one.body, Retry)]
        return self._joined(asked)

    def retries(
        self, rules: tuple[OwnRule, ...], pair: Pair, version: Version, resource_id: str, undone_on: frozenset[str]
    ) -> Own | None:
        """What the rules say about trying a release once more; None where it does not need to, or no rule retries such an end.

        Args:
            undone_on: ends of a job because of which the target returns to its last good release when no retry follows.
        """
        retries = [(one, one.body) for one in rules if isinstance(one.body, Retry)]
        if not retries or not (attempts := failed_attempts(pair, resource_id, version.version_id)):
            return None
        failed = attempts[0].statuses - {"successful"}
        if not any(failed <= statuses_of(body) for _, body in retries):
            return None
        returns = bool(attempts[0].statuses & undone_on)
        returning = version.version_id in pair.standings.get(resource_id, NOWHERE).asked
        judged = [judge_retry(body, version, attempts, self._now, returns=returns, returning=returning) for _, body in retries]
        return self._joined([(one, finding) for (one, _), finding in zip(retries, judged, strict=True)])

    def documents(self, pair: Pair, version: Version) -> Json:
        """What a version selector may read of all targets of a pair alike."""
        key = (pair.key, version.version_id)
        known = self._documents.get(key)
        if known is None:
            deployment = self._state.deployments.get(pair.deployment_id)
            environment = self._state.environments.get(pair.environment_id)
            known = self._documents[key] = {
                "version": full_document(version),
                "deployment": deployment_document(deployment) if deployment is not None else {},
                "environment": environment_document(self._state.workspace_id, environment) if environment is not None else {},
            }
        return known

    def _judge(self, one: OwnRule, pair: Pair, version: Version, resource_id: str) -> Finding:
        match one.body:
            case VersionSelector() as body:
                return judge_version_selector(body, version, {**self.documents(pair, version), **self._resource(resource_id)})
            case DeploymentDependency() as body:
                return judge_dependency(self._state, pair, resource_id, version, body, self._asked, wordy=self._wordy)
            case VersionCooldown() as body:
                reference = reference_of(pair, resource_id, self._state.versions)
                seen = (reference.version.version_id, reference.on_its_way) if reference is not None else None
                known = (one.key, version.version_id, seen)
                finding = self._cooled.get(known)
                if finding is None:
                    finding = self._cooled[known] = judge_cooldown(body, version, reference, self._now)
                return finding
            case Retry():
                raise AssertionError("retries are asked apart")

    def _resource(self, resource_id: str) -> Mapping[str, Json]:
        resource = self._state.resources.get(resource_id)
        return {"resource": resource_document(self._state.workspace_id, resource) if resource is not None else {}}

    def _joined(self, asked: list[tuple[OwnRule, Finding]]) -> Own:
        if self._wordy:  # a sentence of the moment is a target's own
            return tuple((one.key, _resting_on(finding, one.position)) for one, finding in asked)
        # Every finding that a key names by identity is kept, so that nothing else can take its place.
        shared = [(one, self._shared.setdefault(finding, finding)) for one, finding in asked]
        key = tuple((one.key, id(finding)) for one, finding in shared)
        known = self._together.get(key)
        if known is None:
            known = self._together[key] = tuple((one.key, _resting_on(finding, one.position)) for one, finding in shared)
        return known


def _resting_on(finding: Finding, position: int) -> Finding:
    return replace(finding, facts=positions(finding.facts, (position,)))
