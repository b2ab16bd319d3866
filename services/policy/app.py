"""The wiring of policy: its fold, its deciders, its commands and its queries. It has no effects on the outside."""

from __future__ import annotations

from contracts.commands.policy import (
    CreateSkip,
    DeletePolicy,
    DeleteSkip,
    DeploymentGates,
    EligibleVersions,
    EvaluateTarget,
    ExplainRollout,
    ExplainTarget,
    ExplainVersion,
    ForecastRollout,
    FreezeEffect,
    OverrideFreeze,
    PolicyReach,
    PolicyTargets,
    PreviewPolicy,
    RecordApproval,
    SaveFreeze,
    SavePolicy,
    ThawFreeze,
)
from libs.runtime.service import Command, QueryHandler, Service
from services.policy.approval_commands import record_approval
from services.policy.commands import delete_policy, save_policy
from services.policy.eligible import eligible_versions
from services.policy.evaluations import evaluate_target
from services.policy.explanation import explain_target
from services.policy.fold import evolve, reads
from services.policy.forecast import forecast_rollout
from services.policy.freeze_commands import override_freeze, save_freeze, thaw_freeze
from services.policy.freeze_effect import freeze_effect
from services.policy.gates import deployment_gates
from services.policy.reach import policy_reach, policy_targets, preview_policy
from services.policy.reaction import react
from services.policy.rollout_explanation import explain_rollout
from services.policy.skip_commands import create_skip, delete_skip
from services.policy.state import State
from services.policy.timers import PolicyTimers
from services.policy.version_explanation import explain_version

service: Service[State] = Service(
    name="policy",
    state_version=7,
    reads=reads(),
    initial=State,
    evolve=evolve,
    react=react,
    commands={
        SavePolicy.NAME: Command(SavePolicy, save_policy),
        DeletePolicy.NAME: Command(DeletePolicy, delete_policy),
        RecordApproval.NAME: Command(RecordApproval, record_approval),
        CreateSkip.NAME: Command(CreateSkip, create_skip),
        DeleteSkip.NAME: Command(DeleteSkip, delete_skip),
        SaveFreeze.NAME: Command(SaveFreeze, save_freeze),
        ThawFreeze.NAME: Command(ThawFreeze, thaw_freeze),
        OverrideFreeze.NAME: Command(OverrideFreeze, override_freeze),
    },
    queries={
        ExplainTarget.NAME: QueryHandler(ExplainTarget, explain_target),
        EligibleVersions.NAME: QueryHandler(EligibleVersions, eligible_versions),
        EvaluateTarget.NAME: QueryHandler(EvaluateTarget, evaluate_target),
        ExplainRollout.NAME: QueryHandler(ExplainRollout, explain_rollout),
        ExplainVersion.NAME: QueryHandler(ExplainVersion, explain_version),
        ForecastRollout.NAME: QueryHandler(ForecastRollout, forecast_rollout),
        FreezeEffect.NAME: QueryHandler(FreezeEffect, freeze_effect),
        DeploymentGates.NAME: QueryHandler(DeploymentGates, deployment_gates),
        PolicyReach.NAME: QueryHandler(PolicyReach, policy_reach),
        PolicyTargets.NAME: QueryHandler(PolicyTargets, policy_targets),
        PreviewPolicy.NAME: QueryHandler(PreviewPolicy, preview_policy),
    },
    timers=PolicyTimers(),
)
