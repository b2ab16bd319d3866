"""`http-pull`: jobs wait in a queue until their agent claims them and tells how they ended."""

from __future__ import annotations

from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, PlanAnswer, PlanRequest


class HttpPull:
    """Queues the job; everything else comes in by commands."""

    async def dispatch(self, request: AgentRequest) -> AgentAnswer:
        """Queue the job."""
        return AgentAnswer(status="queued")

    async def observe(self, request: AgentRequest) -> AgentAnswer:
        """Nobody can be asked: the job is where its agent left it, which is still the queue."""
        return AgentAnswer(status="queued")

    async def cancel(self, request: AgentRequest) -> CancelAnswer:
        """Nobody can be called: the agent sees how its job stands when it asks, or extends its lease."""
        return CancelAnswer(stopped=True)

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        """Nobody can be asked."""
        return PlanAnswer(status="unsupported", message="Pull agents make no dry runs.")
