"""What a version passes on its way through the environments."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from contracts.command import Query, wish


@wish
class DeploymentGates(Query):
    """What a version of a deployment passes on its way: answers `Gates`. Of a deployment without targets there are none."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "deployment_gates"
    deployment_id: str


class Upstream(BaseModel):
    """The environments in which a version must succeed first, says a rule of a policy."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    rule_id: str
    environment_ids: tuple[str, ...]


class Gate(BaseModel):
    """A policy that applies to some targets of an environment."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    policy_id: str
    targets: int
    upstream: tuple[Upstream, ...] = ()


class GatedEnvironment(BaseModel):
    """An environment of a deployment, how many targets it has there, and the policies that apply, in their order."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    environment_id: str
    targets: int
    gates: tuple[Gate, ...]


class Gates(BaseModel):
    """Every environment in which a deployment has targets, by its id."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    items: tuple[GatedEnvironment, ...]
