"""What every rule says at this moment, whatever runs there."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from contracts.command import Query, wish
from contracts.commands.policy.reasons import Reason


@wish
class EvaluateTarget(Query):
    """What every rule says about a version (None: the newest) for a target now, whatever runs there.

    Answers a `TargetEvaluation`; refused with not_found.
    """

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "evaluate_target"
    resource_id: str
    environment_id: str
    deployment_id: str
    version_id: str | None = None


class PolicyVerdicts(BaseModel):
    """What the rules of one policy say; of none (`policy_id` None): what holds whatever policies there are. `summary` is a sentence."""

    model_config = ConfigDict(frozen=True)
    policy_id: str | None
    summary: str
    results: tuple[Reason, ...]


class TargetEvaluation(BaseModel):
    """Every rule on one version for one target, by policy: those of a higher priority first, what belongs to none last.

    `next_at` is the earliest instant at which time alone may change any verdict.
    """

    model_config = ConfigDict(frozen=True)
    version_id: str
    position: int
    policies: tuple[PolicyVerdicts, ...]
    next_at: datetime | None = None


@wish
class EligibleVersions(Query):
    """Which of these versions would every rule let go to the target now? Answers `{version_ids}`, newest first.

    Args:
        version_ids: the versions to look at; None for all of the deployment.
        exclude_rule_ids: rules that are passed over.

    Refused with not_found for what is no target.
    """

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "eligible_versions"
    resource_id: str
    environment_id: str
    deployment_id: str
    version_ids: tuple[str, ...] | None = None
    exclude_rule_ids: tuple[str, ...] = ()
