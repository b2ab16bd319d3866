"""What policy can be asked, one module per subject. Importing this package registers it all."""

from contracts.commands.policy import (
    approvals,
    evaluations,
    explanations,
    forecasts,
    freezes,
    gates,
    policies,
    reach,
    reasons,
    skips,
)

__all__ = ["approvals", "evaluations", "explanations", "forecasts", "freezes", "gates", "policies", "reach", "reasons", "skips"]
