"""Release targets, and what people choose for them by hand."""

from __future__ import annotations

from typing import ClassVar

from services.gateway.http.bodies.form import Body, Uuid


class PairBody(Body):
    """A deployment in an environment."""

    deployment_id: str
    environment_id: str


class EligibleBody(Body):
    """Which versions to look at, and which rules to pass over."""

    MAY_BE_ABSENT: ClassVar[bool] = True

    filter: str | None = None
    exclude_rule_ids: tuple[Uuid, ...] = ()


class PinBody(Body):
    """The version that stays until the pin is released."""

    CLOSED: ClassVar[frozenset[str]] = frozenset()

    version_id: Uuid
    reason: str = ""


class RedeployBody(Body):
    """Why what is desired is dispatched once more."""

    MAY_BE_ABSENT: ClassVar[bool] = True
    CLOSED: ClassVar[frozenset[str]] = frozenset()

    reason: str = ""


class RollbackBody(Body):
    """The version to go back to, the last good one when it is left out."""

    MAY_BE_ABSENT: ClassVar[bool] = True
    CLOSED: ClassVar[frozenset[str]] = frozenset()

    version_id: Uuid | None = None
    reason: str = ""


class PairRollbackBody(RollbackBody):
    """With `fromVersionId` only those targets go back on which that version is desired: the whole of one rollout."""

    from_version_id: Uuid | None = None


class EnvironmentRollbackBody(Body):
    """Why everything in an environment goes back."""

    MAY_BE_ABSENT: ClassVar[bool] = True
    CLOSED: ClassVar[frozenset[str]] = frozenset()

    reason: str = ""
