"""The tags of every fact: what a conditional append may ask "is there anything newer about this?".

Listed in one place because a tag is a promise between services: a decider names tags, whoever appends a fact that bears on it must
carry them (see the protocol's clearance and withdrawal).
"""

from __future__ import annotations

from contracts.fact import Fact
from contracts.facts.policy import ClearanceWithdrawn, FreezeSaved, PolicyDeleted, PolicySaved, SkipDeleted


def clearance(deployment_id: str, environment_id: str) -> str:
    """Carried by what ends clearances of a deployment in an environment."""
    return f"clearance:{deployment_id}:{environment_id}"


GATE = "gate"
"""Carried by what may close the whole workspace: policies, freezes, the end of a skip. The log is per workspace, so is the tag."""


def tags_of(fact: Fact) -> tuple[str, ...]:
    """The tags under which a fact is recorded."""
    match fact:
        case ClearanceWithdrawn():
            return (clearance(fact.deployment_id, fact.environment_id),)
        case PolicySaved() | PolicyDeleted() | FreezeSaved() | SkipDeleted():
            return (GATE,)
        case _:
            return ()
