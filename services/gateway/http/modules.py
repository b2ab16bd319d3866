"""Compiles the modules of a policy before it is sent to be decided: native code, in a process of its own, is nothing for a decision."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from libs.rego import RegoInvalid, RegoUnavailable, check, in_turn
from libs.rego.saving import refused
from services.gateway.http.bodies.policies import RuleBody
from services.gateway.http.problem import unavailable

WAIT_S = 60.0
"""For all modules of one request. One is compiled in a few milliseconds; what takes longer is those of others."""


async def check_modules(rules: Sequence[RuleBody]) -> None:
    """Make sure that every module can be used.

    Raises:
        Refused: the first that can not, with path, line and column; or that none can on this machine.
        Problem: 503 when too many others are being compiled.
    """
    try:
        async with asyncio.timeout(WAIT_S):
            for index, rule in enumerate(rules):
                if rule.plan_validation_opa is not None:
                    try:
                        await in_turn(partial(check, rule.plan_validation_opa.rego))
                    except (RegoInvalid, RegoUnavailable) as error:
                        raise refused(error, path=f"/body/rules/{index}/planValidationOpa/rego") from error
    except TimeoutError:
        raise unavailable("too many modules are being compiled now; send the same request again") from None
