"""How long policy's long answers take, and how long they keep its loop from all else: `python -m tests.bench.policy_answers [N]`.

The service as a process hosts it, over a log in memory, with N release targets. While it is asked, the loop is to wake up every
millisecond: *late* is by how much it did so later, which every decision and every other answer waits as well. *New*: nothing is remembered.
*Again*: the same question. *After a fact*: something else happened that moves none of the answers.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from contracts.command import Request, Wish
from contracts.commands.policy.explanations import ExplainRollout, ExplainTarget, ExplainVersion
from contracts.commands.policy.forecasts import ForecastRollout
from contracts.commands.policy.freezes import FreezeEffect
from contracts.commands.policy.gates import DeploymentGates
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.commands.policy.reach import PolicyReach, PolicyTargets, PreviewPolicy
from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts.planner import SystemSaved
from contracts.shapes import EnvironmentProgression
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import Checkpoint
from libs.runtime.feed import Feed
from libs.runtime.host import Host
from libs.simulation.world import WORKSPACE
from services.policy.app import service
from services.policy.state import State
from tests.bench.policy import APPROVAL, COLLECTOR, GOLD, PRODUCTION, ROLLBACK, SELECTOR, WINDOW, rollout
from tests.bench.policy_world import Yard, furnish, told, uid
from tests.bench.running import machine

TICK_S = 0.001
STAGING = 'environment.name == "staging"'
BY_RESOURCE = (
    'resource.metadata["team"] == "t{n}"',
    'resource.metadata["zone"] == "z{n}" && resource.metadata["region"] != "r{n}"',
    'resource.name.startsWith("cluster-{n}")',
    'resource.metadata["owner"] in ["o{n}", "o1{n}", "o2{n}"] || resource.identifier.endsWith("{n}")',
    'resource.config["server"].contains("{n}") && environment.metadata["stage"] != "none"',
)


@dataclass
class Written(Yard):
    """A workspace whose facts are kept, for a log."""

    facts: list[Recorded] = field(default_factory=list)

    def _recorded(self, position: int, fact: Fact, id_: str) -> Recorded:
        recorded = super()._recorded(position, fact, id_)
        self.facts.append(recorded)
        return recorded


def estate(count: int, in_staging: int) -> Written:
    """A deployment in staging and production, where v0 runs."""
    yard = Written()
    furnish(yard, count, in_staging=in_staging)
    return yard


class Asking:
    """The service over what was written, its answers and what they cost the loop."""

    def __init__(self, yard: Written) -> None:
        self._yard = yard
        self._log = MemoryLog(lambda: yard.now)
        workspace = self._log.workspace(WORKSPACE)
        for one in yard.facts:
            self._log.put(workspace, one)
        workspace.checkpoints[service.name] = Checkpoint(len(yard.facts), 1)
        self._host: Host[State] = Host(service, self._log, Feed(self._log), clock=lambda: yard.now)
        self._late: list[float] = []
        self._asked = 0

    async def start(self) -> None:
        """Load."""
        self._host.start()
        queue = self._host.queue(WORKSPACE)
        assert queue is not None
        await queue.reach(len(self._yard.facts))
        gc.collect()
        gc.freeze()

    async def stop(self) -> None:
        """End."""
        await self._host.stop()
        gc.unfreeze()

    async def happens(self, n: int) -> None:
        """A fact that has nothing to do with any answer."""
        self._yard.tell(SystemSaved(system_id=uid("other"), name=f"other {n}", created_at=self._yard.now))
        self._log.put(self._log.workspace(WORKSPACE), self._yard.facts[-1])
        queue = self._host.queue(WORKSPACE)
        assert queue is not None
        await queue.reach(len(self._yard.facts))

    async def ask(self, what: str, wish: Wish) -> Any:
        """Ask, and print a line about it."""
        self._late.clear()
        self._asked += 1
        ticking = asyncio.create_task(self._tick())
        await asyncio.sleep(0.02)
        began, cpu = time.perf_counter(), time.process_time()
        answer = await self._host.answer(
            wish, Request(id=uid(f"asked {self._asked}"), workspace_id=WORKSPACE, auth_id="user:ana")
        )
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        await asyncio.sleep(0.02)
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
        assert answer.result is not None, answer
        late = sorted(self._late)
        p99 = late[max(0, len(late) * 99 // 100 - 1)]
        print(f"| {what} | {told(took)} | {told(cpu)} | {told(p99)} | {told(late[-1])} |", flush=True)
        return answer.result

    async def _tick(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self._late.append(time.perf_counter() - began - TICK_S)


async def reach(count: int) -> None:
    """Whom policies reach, of thirty of which some read resources, and five are off."""
    yard = estate(count, 1)
    yard.policy("five", PRODUCTION, APPROVAL, WINDOW, SELECTOR, rollout(1))
    for n in range(29):
        selector = BY_RESOURCE[n % 5].replace("{n}", str(n % 7))
        yard.do(SavePolicy(name=f"policy {n}", selector=selector, enabled=n % 6 != 0, rules=(WINDOW,)))
    one = yard.version("api", "v1")
    yard.settle()
    wide = next(policy_id for policy_id, policy in yard.state.policies.items() if policy.saved.name == "five")
    narrow = next(policy_id for policy_id, policy in yard.state.policies.items() if policy.saved.name == "policy 3")
    changed = SavePolicy(policy_id=wide, name="five", selector=GOLD, rules=(APPROVAL, APPROVAL, WINDOW))
    new = SavePolicy(name="new", selector=BY_RESOURCE[3].replace("{n}", "8"), rules=(APPROVAL,))
    asking = Asking(yard)
    await asking.start()
    for what, wish in (
        ("reach of 30 policies", PolicyReach()),
        ("targets of a policy", PolicyTargets(policy_id=wide)),
        ("targets of a policy by resource", PolicyTargets(policy_id=narrow)),
        ("preview of a change", PreviewPolicy(policy=changed)),
        ("preview of a new one by resource", PreviewPolicy(policy=new)),
        ("gates of a deployment", DeploymentGates(deployment_id=uid("api"))),
        ("what a freeze would hold", FreezeEffect()),
        ("what a freeze with a selector would hold", FreezeEffect(selector=GOLD)),
        ("explanation of a rollout", ExplainRollout(version_id=one, environment_id=uid("production"))),
        ("explanation of a version", ExplainVersion(version_id=one)),
        (
            "explanation of a target",
            ExplainTarget(resource_id=uid("resource 7"), environment_id=uid("production"), deployment_id=uid("api")),
        ),
    ):
        await asking.ask(f"{what}: new", wish)
        await asking.ask("… again", wish)
        await asking.happens(1)
        await asking.ask("… after a fact", wish)
    await asking.stop()


async def forecasts(count: int) -> None:
    """When targets go, of a rollout and of one behind it."""
    behind = EnvironmentProgression(depends_on_environment_selector=STAGING, minimum_success_percentage=100.0)
    for what, in_staging, upstream, own in (
        ("by the clock", 0, (), (rollout(1),)),
        ("one after the other", 0, (), (rollout(1), ROLLBACK)),
        ("behind one of as many, both by the clock", count, (rollout(1),), (rollout(1),)),
        ("behind one of as many, that one after the other", count, (rollout(1), ROLLBACK), (rollout(1),)),
        ("behind one of as many, both one after the other", count, (rollout(1), ROLLBACK), (rollout(1), ROLLBACK)),
    ):
        yard = estate(count, in_staging)
        rules: Sequence[RuleInput] = own
        if upstream:
            yard.policy("upstream", STAGING, *upstream)
            rules = (RuleInput(environment_progression=behind), *own)
        yard.policy("own", PRODUCTION, *rules)
        one = yard.version("api", "v1")
        yard.settle()
        asking = Asking(yard)
        await asking.start()
        wish = ForecastRollout(version_id=one, environment_id=uid("production"))
        found = await asking.ask(f"forecast of a rollout, {what}: new", wish)
        assert sum(target["at"] is not None for target in found["targets"]) == count
        await asking.ask("… again", wish)
        await asking.stop()


SUBJECTS = (reach, forecasts)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.policy_answers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("targets", nargs="?", type=int, default=10_000)
    parser.add_argument("--only", nargs="*", default=[], choices=[one.__name__ for one in SUBJECTS])
    asked = parser.parse_args()
    gc.set_threshold(*COLLECTOR)
    print(f"{machine()}; {asked.targets:,} targets\n")
    print("| what | answered in | processor | late, p99 | late, at most |\n|---|---|---|---|---|", flush=True)
    for subject in SUBJECTS:
        if not asked.only or subject.__name__ in asked.only:
            asyncio.run(subject(asked.targets))


if __name__ == "__main__":
    main()
