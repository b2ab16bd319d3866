"""Facts that only dispatcher appends."""

from contracts.facts.dispatcher.jobs import (
    DispatchHeld,
    DispatchSnapshot,
    HeldItem,
    JobAgentDeleted,
    JobAgentSaved,
    JobCancelAnswered,
    JobCreated,
    JobDelayed,
    JobDispatched,
    JobLeased,
    JobStatusChanged,
)
from contracts.facts.dispatcher.plans import (
    PlannedVersion,
    PlanReported,
    PlanRequested,
    PlanResultItem,
    PlanResultRecorded,
    PlanResultsStarted,
    PlanValidation,
)
from contracts.facts.dispatcher.workflows import (
    WorkflowDeleted,
    WorkflowJobCreated,
    WorkflowJobStatusChanged,
    WorkflowRunEnded,
    WorkflowRunStarted,
    WorkflowSaved,
)

__all__ = [
    "DispatchHeld",
    "DispatchSnapshot",
    "HeldItem",
    "JobAgentDeleted",
    "JobAgentSaved",
    "JobCancelAnswered",
    "JobCreated",
    "JobDelayed",
    "JobDispatched",
    "JobLeased",
    "JobStatusChanged",
    "PlanReported",
    "PlanRequested",
    "PlanResultItem",
    "PlanResultRecorded",
    "PlanResultsStarted",
    "PlanValidation",
    "PlannedVersion",
    "WorkflowDeleted",
    "WorkflowJobCreated",
    "WorkflowJobStatusChanged",
    "WorkflowRunEnded",
    "WorkflowRunStarted",
    "WorkflowSaved",
]
