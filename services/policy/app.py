"""The wiring of policy: its fold, its deciders, its commands and its queries. It has no effects on the outside."""

from __future__ import annotations

from contracts.commands.policy import DeletePolicy, EligibleVersions, ExplainTarget, RecordApproval, SavePolicy
from libs.runtime.service import Command, QueryHandler, Service
from services.policy.commands import delete_policy, record_approval, save_policy
from services.policy.eligible import eligible_versions
from services.policy.explanation import explain_target
from services.policy.fold import evolve, reads
from services.policy.reaction import react
from services.policy.state import State
from services.policy.timers import PolicyTimers

service: Service[State] = Service(
    name="policy",
    state_version=2,
    reads=reads(),
    initial=State,
    evolve=evolve,
    react=react,
    commands={
        SavePolicy.NAME: Command(SavePolicy, save_policy),
        DeletePolicy.NAME: Command(DeletePolicy, delete_policy),
        RecordApproval.NAME: Command(RecordApproval, record_approval),
    },
    queries={
        ExplainTarget.NAME: QueryHandler(ExplainTarget, explain_target),
        EligibleVersions.NAME: QueryHandler(EligibleVersions, eligible_versions),
    },
    timers=PolicyTimers(),
)
