"""One verdict: what it rests on, what ends it and who can."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Ender = Literal["time", "approvers", "users", "anyone", "admin", "publisher", "agent", "upstream", "rules"]
"""Who, or what, ends a wait.

time: nobody needs to act, it ends at an instant. approvers: people who approve. users: the very people who are named. anyone: whoever
may act in the workspace (redeploys, lifts a mark, thaws, releases a pin). admin: who keeps the policy or the selector that is wrong.
publisher: who posts versions and sets their status, CI mostly. agent: a job agent. upstream: what must run, or end, elsewhere first.
rules: other rules of the same version, which say themselves who ends them.
"""


class MissingApprovals(BaseModel):
    """So many people must still approve. `selector`: whom it must pick; None: whoever may approve at all."""

    model_config = ConfigDict(frozen=True)
    missing: int
    selector: str | None = None


class WhoEnds(BaseModel):
    """One way in which what a rule holds comes to its end; of several, one is enough. Where ids are named, all of them are meant.

    Attributes:
        message: the same as a sentence.
        at: of `time`, when.
        approvals: of `approvers`, what is missing, all of it. selector: whom the rule lets approve at all; None: anybody.
        not_user_ids: of `approvers`, who can not: the authors, and those who approved already.
        user_ids: of `users`, who they are; else whose decision it was, where it was somebody's.
        policy_id: of `admin`, which policy; None where it is not about one.
        agent_id: of `agent`, which one; None: any that matches.
        deployment_ids, environment_ids, resource_ids: of `upstream`, where something must happen; else what it is about.
        rule_ids: of `rules`, which.
    """

    model_config = ConfigDict(frozen=True)
    kind: Ender
    message: str
    at: datetime | None = None
    approvals: tuple[MissingApprovals, ...] = ()
    selector: str | None = None
    not_user_ids: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()
    policy_id: str | None = None
    agent_id: str | None = None
    deployment_ids: tuple[str, ...] = ()
    environment_ids: tuple[str, ...] = ()
    resource_ids: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()


class Reason(BaseModel):
    """One rule's verdict on a version for a target, with what it rests on, what ends it and who can.

    Not only rules have a say: `versionPin` is a person's choice, and `job` what a job waits for, or came to.

    Attributes:
        ended_by: what or who ends it, in words; empty when allowed. who_ends: the same for programs.
        since: since when the verdict is what it is, where that is known.
        skip_id: the skip that let the version pass the rule, if one did.
        satisfied_at: since when an allowed rule is satisfied.
        look_again_at: when time alone may change the verdict.
        facts: positions of the events that it rests on, ascending; the policy's own among them.
    """

    model_config = ConfigDict(frozen=True)
    rule_type: str
    rule_id: str = ""
    policy_id: str = ""
    policy_name: str = ""
    verdict: Literal["allowed", "waiting", "blocked"]
    message: str
    ended_by: str = ""
    who_ends: tuple[WhoEnds, ...] = ()
    since: datetime | None = None
    skip_id: str | None = None
    satisfied_at: datetime | None = None
    look_again_at: datetime | None = None
    facts: tuple[int, ...] = ()
