"""The colleague who approves versions for production, after a look at how they do in staging."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.demo.api import Api

TAKES_S = 15
"""Newcomers may be faster."""


class Colleague:
    """Approves what waits for nothing but a person, a moment after it came to that."""

    def __init__(self, api: Api, deployment_id: str, environment_id: str) -> None:
        self._api = api
        self._deployment_id = deployment_id
        self._environment_id = environment_id
        self._seen_at: dict[str, float] = {}

    def look(self, now: float) -> None:
        """Read what holds production back, and approve what has waited long enough.

        Args:
            now: seconds on a clock that only goes forward.
        """
        pair = {"deploymentId": self._deployment_id, "environmentId": self._environment_id}
        targets = self._api("POST", "/release-targets/state?limit=1", pair)["items"]
        if not targets:
            return
        key = f"{targets[0]['releaseTarget']['resourceId']}-{self._environment_id}-{self._deployment_id}"
        ripe = waiting_for_a_person(self._api("GET", f"/release-targets/{key}/explanation"))
        self._seen_at = {version_id: self._seen_at.get(version_id, now) for version_id in ripe}
        for version_id, since in self._seen_at.items():
            if now - since >= TAKES_S:
                approval = {"status": "approved", "environmentIds": [self._environment_id], "reason": "Healthy in staging."}
                self._api("PUT", f"/deployment-versions/{version_id}/user-approval-records", approval)


def waiting_for_a_person(explanation: Mapping[str, Any]) -> list[str]:
    """Pick the newest version of an explanation that lacks an approval and nothing that an approval should follow.

    The rollout is no reason to wait with an approval: it starts with it. A version that did not make it through staging never
    comes to that, and the one before it has its turn.
    """
    for version in explanation["versions"]:
        open_rules = {reason["ruleType"] for reason in version["reasons"] if reason["verdict"] != "allowed"}
        if "anyApproval" in open_rules and open_rules <= {"anyApproval", "gradualRollout"}:
            return [str(version["versionId"])]
    return []
