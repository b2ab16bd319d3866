"""Rules about plans: their modules are looked at when a policy is saved. They gate nothing; whoever makes a plan asks them about it."""

from __future__ import annotations

from contracts.commands.policy.policies import SavePolicy
from libs.rego.module import read_module
from libs.rego.problems import RegoInvalid
from libs.rego.saving import refused


def check_modules(wish: SavePolicy) -> None:
    """Check what the text of each module shows. Compiling it is no pure matter, and is done before the wish is sent.

    Raises:
        Refused: `invalid` with code INVALID_REGO, with path, line and column.
    """
    for index, rule in enumerate(wish.rules):
        if rule.plan_validation_opa is not None:
            try:
                read_module(rule.plan_validation_opa.rego)
            except RegoInvalid as error:
                raise refused(error, path=f"/body/rules/{index}/planValidationOpa/rego") from error
