"""What tests of agents share: the job, what an answer has to be, and processes that crash before they wrote it down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from services.dispatcher.adapters.port import Agent, AgentAnswer, AgentRequest, CancelAnswer, Delayed, PlanAnswer
from tests.fakes.serving import Clock

JOB = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"


def answered(answer: AgentAnswer | Delayed) -> AgentAnswer:
    assert isinstance(answer, AgentAnswer), answer
    return answer


def delayed(answer: AgentAnswer | CancelAnswer | PlanAnswer | Delayed) -> Delayed:
    assert isinstance(answer, Delayed), answer
    return answer


def planned(answer: PlanAnswer | Delayed) -> PlanAnswer:
    assert isinstance(answer, PlanAnswer), answer
    return answer


def cancelled(answer: CancelAnswer | Delayed) -> CancelAnswer:
    assert isinstance(answer, CancelAnswer), answer
    return answer


def following(request: AgentRequest, answer: AgentAnswer) -> AgentRequest:
    """The job after an answer."""
    metadata = {**request.metadata, **answer.metadata}
    return replace(request, external_id=answer.external_id or request.external_id, metadata=metadata, again=False)


class Home(Protocol):
    """A far side, and an agent that knows it."""

    @property
    def clock(self) -> Clock: ...

    @property
    def agent(self) -> Agent: ...

    def restarted(self) -> Agent:
        """The agent in another process."""
        ...


async def dispatched_through(home: Home, asking: Callable[[bool], AgentRequest], crashes: Iterable[bool]) -> AgentAnswer:
    """Dispatch until an answer is written down.

    Args:
        asking: the request, told whether an earlier process may have called before.
        crashes: per call, whether the process dies before it wrote down what was answered; none after the last.
    """
    agent, again, ahead = home.agent, False, iter(crashes)
    for _ in range(20):
        answer = await agent.dispatch(asking(again))
        if next(ahead, False):
            agent, again = home.restarted(), True
        elif isinstance(answer, AgentAnswer):
            return answer
        else:
            again = False
            home.clock.forward(answer.retry_after_s or 1)
    raise AssertionError("nothing but delays")
