"""`manual`: a person does what is to be done, and completes the job."""

from __future__ import annotations

from typing import Final

from contracts.agents import ManualConfig
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, PlanAnswer, PlanRequest
from services.dispatcher.adapters.rendering import Unrenderable, rendered

NAME: Final = "manual/name"
DESCRIPTION: Final = "manual/description"
ASSIGNEES: Final = "manual/assignees"
"""Metadata: who is asked, separated by commas."""
EVIDENCE: Final = "manual/require-evidence"

MAX_NAME: Final = 200
MAX_DESCRIPTION: Final = 4_000
"""Characters; both are in the job's message and in its metadata."""
MAX_ASSIGNEES: Final = 100


class Manual:
    """Asks people. Nobody outside is called: the job's deadline ends it when no one answers."""

    async def dispatch(self, request: AgentRequest) -> AgentAnswer:
        """Say what is to be done and by whom."""
        config = ManualConfig.model_validate(request.config)
        try:
            name = rendered("name", config.name or "Manual action", request.context, longest=MAX_NAME, brackets=True).strip()
            description = rendered(
                "description", config.description or "", request.context, longest=MAX_DESCRIPTION, brackets=True
            ).strip()
        except Unrenderable as why:
            return AgentAnswer(status="failure", message=why.message)
        people = [one.strip() for one in config.assignees if one.strip()]
        if len(people) > MAX_ASSIGNEES:
            said = f"The configuration names {len(people)} assignees; at most {MAX_ASSIGNEES} can be asked."
            return AgentAnswer(status="failure", message=said)
        asked = {NAME: name, DESCRIPTION: description, ASSIGNEES: ", ".join(people)}
        metadata = {key: text for key, text in asked.items() if text}
        if config.require_evidence:
            metadata[EVIDENCE] = "true"
        return AgentAnswer(status="actionRequired", message=_said(name, description, people, config), metadata=metadata)

    async def observe(self, request: AgentRequest) -> AgentAnswer:
        """Nobody can be asked: the job waits until somebody completes it."""
        return AgentAnswer(status="actionRequired")

    async def cancel(self, request: AgentRequest) -> CancelAnswer:
        """Nothing runs."""
        return CancelAnswer(stopped=True)

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        """What a person would change, nobody can say."""
        return PlanAnswer(status="unsupported", message="What a person does has no dry run.")


def _said(name: str, description: str, people: list[str], config: ManualConfig) -> str:
    whom = f"waits for {', '.join(people)}" if people else "waits for a person"
    how = " with evidence" if config.require_evidence else ""
    return f"{name}: {whom} to complete it{how}.{f'{chr(10)}{description}' if description else ''}"
