"""Whom policies reach: how many targets, which ones, and what saving one would change."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from contracts.command import Query, wish
from contracts.commands.policy.policies import SavePolicy


@wish
class PolicyReach(Query):
    """How many targets each policy applies to, and how many it holds now: answers `PolicyReaches`."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "policy_reach"


class Reach(BaseModel):
    """How far a policy reaches.

    Attributes:
        targets: release targets that its selector picks; of a policy that is not enabled, those that it would apply to.
        held: of these, on how many one of its rules does not allow a version now.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    policy_id: str
    targets: int
    held: int


class PolicyReaches(BaseModel):
    """Every policy of the workspace, by its id."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    items: tuple[Reach, ...]


@wish
class PolicyTargets(Query):
    """Which targets a policy applies to, or would if it were enabled: answers a `PolicyTargetPage`; refused with not_found."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "policy_targets"
    policy_id: str
    limit: int = 50
    offset: int = 0


class PolicyTarget(BaseModel):
    """A target that a policy applies to. `held`: one of its rules does not allow a version there now. `error`: the selector has no answer
    for this target, so that the policy blocks it; else empty."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    resource_id: str
    environment_id: str
    deployment_id: str
    held: bool = False
    error: str = ""


class PolicyTargetPage(BaseModel):
    """A part of the targets of a policy, by the names of deployment, environment and resource; `total` and `held` count all of them."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    items: tuple[PolicyTarget, ...]
    total: int
    held: int


@wish
class PreviewPolicy(Query):
    """What saving a policy would do: answers a `PolicyPreview`; refused as saving it would be."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "preview_policy"
    policy: SavePolicy
    limit: int = 50
    offset: int = 0


class PolicyWarning(BaseModel):
    """Something that may be saved and most likely does not do what it looks like."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    path: str
    message: str


class PolicyPreview(PolicyTargetPage):
    """What a policy would apply to and hold at this moment, if it were saved.

    Attributes:
        total_before, held_before: the same of the policy as it is now; 0 when it is new.
        added, removed: targets that it would apply to and does not now, and the other way round.
        withdrawn: targets that a version may go to now, and on its way nowhere yet, which it would not be any more.
    """

    total_before: int
    held_before: int
    added: int
    removed: int
    withdrawn: int
    warnings: tuple[PolicyWarning, ...] = ()
