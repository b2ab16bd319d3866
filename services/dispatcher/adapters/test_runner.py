"""`test-runner`: lets each job succeed or fail by itself after a delay, without anything outside."""

from __future__ import annotations

from contracts.agents import TestRunnerConfig
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, PlanAnswer, PlanRequest


class TestRunner:
    """Keeps nothing in memory: the delay is told to the caller, who asks again when it is over, also after a restart."""

    __test__ = False  # its name makes pytest look at it

    async def dispatch(self, request: AgentRequest) -> AgentAnswer:
        """Start the job; without a delay it has ended at once."""
        config = TestRunnerConfig.model_validate(request.config)
        if config.delay_seconds == 0:
            return _ended(config)
        return AgentAnswer(status="inProgress", look_again_s=config.delay_seconds)

    async def observe(self, request: AgentRequest) -> AgentAnswer:
        """The delay is over: the job has ended."""
        return _ended(TestRunnerConfig.model_validate(request.config))

    async def cancel(self, request: AgentRequest) -> CancelAnswer:
        """Nothing runs."""
        return CancelAnswer(stopped=True)

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        """Say what the configuration says."""
        config = TestRunnerConfig.model_validate(request.config)
        return PlanAnswer(status="completed", has_changes=config.has_changes, content_hash="test-runner")


def _ended(config: TestRunnerConfig) -> AgentAnswer:
    note = f"resolved by test-runner after {go_duration(config.delay_seconds)}"
    return AgentAnswer(
        status="failure" if config.status == "failure" else "successful",
        message=f"{config.message}\n{note}" if config.message else note,
    )


def go_duration(seconds: float) -> str:
    """Write a duration as Go does: `0s`, `500ms`, `5s`, `1m30s`, `1h0m0s`.

    Args:
        seconds: 0 or more; rounded to milliseconds.
    """
    millis = round(seconds * 1000)
    if millis == 0:
        return "0s"
    if millis < 1000:
        return f"{millis}ms"
    whole, rest = divmod(millis, 1000)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{secs}.{rest:03d}".rstrip("0") + "s" if rest else f"{secs}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
