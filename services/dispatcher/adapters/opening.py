"""What an agent is asked with: its merged configuration, opened and checked."""

from __future__ import annotations

from typing import Final

from contracts.agents import config_problems
from contracts.shapes import Json
from libs.runtime.outside import Outside
from libs.secrets.problem import SecretProblem
from libs.secrets.redaction import Redacted

LOOK_AGAIN_S: Final = 5.0
"""Before an agent is asked again that could not be asked, or was not ready with its answer."""


class Unusable(Exception):
    """A configuration that no agent can be asked with. Its message is for people and holds no secret."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


async def opened(outside: Outside | None, workspace_id: str, kind: str, config: Json) -> tuple[Json, Redacted]:
    """A configuration in clear, and what takes its secrets out of whatever is said.

    Args:
        outside: opens the secrets; None for an agent that needs none.
        kind: of the agent.
        config: as it is recorded, merged.

    Raises: Unusable.
    """
    redacted = Redacted()
    if outside is not None:
        try:
            found = await outside.vault.opened(workspace_id, config)
        except SecretProblem as problem:
            raise Unusable(f"The configuration names a secret that can not be opened: {problem}.") from None
        config, redacted = found.config, found.redacted
    if problems := config_problems(kind, config, whole=True):
        said = "; ".join(f"{one['path']}: {one['message']}" for one in problems)
        why = f"The merged configuration of agent, deployment and version can not be used by {kind}: {said}."
        raise Unusable(redacted.text(why))
    return config, redacted
