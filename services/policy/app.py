"""The wiring of policy: its fold, its deciders, its commands and its queries. It has no effects on the outside."""

from __future__ import annotations

from contracts.commands.policy.approvals import RecordApproval
from contracts.commands.policy.evaluations import EligibleVersions, EvaluateTarget
from contracts.commands.policy.explanations import ExplainRollout, ExplainTarget, ExplainVersion
from contracts.commands.policy.forecasts import ForecastRollout
from contracts.commands.policy.freezes import FreezeEffect, OverrideFreeze, SaveFreeze, ThawFreeze
from contracts.commands.policy.gates import DeploymentGates
from contracts.commands.policy.policies import DeletePolicy, SavePolicy
from contracts.commands.policy.reach import PolicyReach, PolicyTargets, PreviewPolicy
from contracts.commands.policy.skips import CreateSkip, DeleteSkip
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
        EligibleVersions.NAME: QueryHandler(EligibleVersions, eligible_versions, long=True),
        EvaluateTarget.NAME: QueryHandler(EvaluateTarget, evaluate_target),
        ExplainRollout.NAME: QueryHandler(ExplainRollout, explain_rollout, long=True),
        ExplainVersion.NAME: QueryHandler(ExplainVersion, explain_version, long=True),
        ForecastRollout.NAME: QueryHandler(ForecastRollout, forecast_rollout, long=True),
        FreezeEffect.NAME: QueryHandler(FreezeEffect, freeze_effect, long=True),
        DeploymentGates.NAME: QueryHandler(DeploymentGates, deployment_gates, long=True),
        PolicyReach.NAME: QueryHandler(PolicyReach, policy_reach, long=True),
        PolicyTargets.NAME: QueryHandler(PolicyTargets, policy_targets, long=True),
        PreviewPolicy.NAME: QueryHandler(PreviewPolicy, preview_policy, long=True),
    },
    timers=PolicyTimers(),
)
