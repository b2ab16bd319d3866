"""How long inventory's decisions over many resources take, and planner's on them, without servers: `python -m tests.bench.inventory`.

Decisions are synchronous: for as long as one takes, nothing else of the process has its turn. So each is timed by itself, as the room makes
it, with what it records beside its facts, in seconds of the processor: others who share the machine do not count. What is found is compared with the same selectors in plain Python, so that a figure of something
wrong is never told. Memory and the start from a snapshot are taken in a process of their own.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import NAMESPACE_OID, uuid5

from contracts.command import Asked, Wish
from contracts.commands.inventory import ResourceInput, SaveProvider, SaveResource, SetProviderResources
from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts.inventory import MatchesChanged
from contracts.facts.planner import (
    DeploymentLinked,
    DeploymentSaved,
    EnvironmentLinked,
    EnvironmentSaved,
    SystemSaved,
    TargetsChanged,
)
from libs.cel import DocumentIndex, contexts
from libs.runtime import codec
from libs.runtime.room import Room, Round
from libs.simulation.world import WORKSPACE, decode
from services.inventory.app import service as inventory
from services.inventory.state import InventoryState
from services.planner.app import service as planner
from tests.bench.resources import ENTITIES, MOVED, Entity, deployments, environments, resource
from tests.bench.running import machine

T = TypeVar("T")

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COLLECTOR = (100_000, 20, 20)
"""As the services set it (`services/__main__.py`)."""
CHANGES = 200
BROAD = 20
"""Every so many-th environment is one of a whole cloud or tier, in no system."""


def uid(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


def tell(what: str, value: str) -> None:
    """A line of the table."""
    print(f"| {what} | {value} |", flush=True)


@contextmanager
def timed(what: str, more: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Time a block, and tell."""
    began = time.thread_time()
    yield
    tell(what, f"{time.thread_time() - began:.2f} s{more()}")


@dataclass
class House:
    """Inventory and planner over one log, driven by hand."""

    log: list[Recorded] = field(default_factory=list)
    inventory: Room[Any] = field(default_factory=lambda: Room(inventory, WORKSPACE))
    planner: Room[Any] = field(default_factory=lambda: Room(planner, WORKSPACE))
    asked: int = 0

    def __post_init__(self) -> None:
        self.fold(self.inventory)
        self.fold(self.planner)

    def command(self, wish: Wish) -> Round:
        """What inventory decides on a command."""
        self.asked += 1
        return self.inventory.command(wish, Asked(id=uid(f"{self.asked}"), workspace_id=WORKSPACE, auth_id="user:ana", now=NOW))

    def append(self, room: Room[Any], round_: Round | None) -> int:
        """Append a round; how many facts it has."""
        if round_ is None:
            return 0
        for new in round_.append.facts:
            self.record(new.fact, new.id)
        room.appended(round_)
        return len(round_.append.facts)

    def record(self, fact: Fact, id_: str = "") -> None:
        """Append a fact."""
        position = len(self.log) + 1
        self.log.append(
            Recorded(
                workspace_id=WORKSPACE, position=position, id=id_ or uid(f"fact {position}"), type=type(fact).TYPE, stream=fact.stream,
                time=NOW, recorded_time=NOW, correlation_id="", causation_id="", auth_id="", traceparent="", data=b"", decode=decode,
                fact=fact,
            )
        )  # fmt: skip

    def fold(self, room: Room[Any]) -> None:
        """Let a service fold what is new."""
        room.fold(self.log[room.position :])

    def act(self, room: Room[Any]) -> None:
        """Let a service fold, decide and append until it is quiet."""
        self.fold(room)
        while self.append(room, room.react(NOW)):
            self.fold(room)


def entities() -> tuple[list[Entity], list[Entity]]:
    """Environments, of which a few are broad, and deployments."""
    some = environments()
    broad = (
        Entity("aws", 'resource.metadata["cloud"] == "aws"', lambda one: one["metadata"]["cloud"] == "aws"),
        Entity("gold", 'resource.metadata.tier != "silver"', lambda one: one["metadata"]["tier"] == "gold"),
    )
    for number in range(0, ENTITIES, BROAD):
        some[number] = broad[number // BROAD % 2]
    return some, deployments()


def describe(house: House) -> None:
    """What planner and inventory know before there are resources."""
    house.record(SystemSaved(system_id=uid("system"), name="bench", created_at=NOW))
    all_environments, all_deployments = entities()
    for number, one in enumerate([*all_environments, Entity("moved", "false", lambda _: False)]):
        key = uid(f"environment {number}")
        house.record(
            EnvironmentSaved(environment_id=key, name=f"{one.name} {number}", resource_selector=one.selector, created_at=NOW)
        )
        if number % BROAD or number == ENTITIES:
            house.record(EnvironmentLinked(system_id=uid("system"), environment_id=key))
    for number, one in enumerate(all_deployments):
        key = uid(f"deployment {number}")
        house.record(
            DeploymentSaved(deployment_id=key, name=f"{one.name} {number}", resource_selector=one.selector, created_at=NOW)
        )
        house.record(DeploymentLinked(system_id=uid("system"), deployment_id=key))


def measure(count: int) -> None:
    """Print the figures for so many resources."""
    print(f"{machine()}; {count:,} resources of 20 metadata keys, {ENTITIES} environments, {ENTITIES} deployments\n")
    print("| what | measured |\n|---|---|")
    gc.set_threshold(*COLLECTOR)
    house = House()
    describe(house)
    house.act(house.inventory)
    house.act(house.planner)
    resources = [resource(number) for number in range(count)]
    first_set(house, resources)
    gc.collect()
    one_change(house, resources)
    selector_edit(house, resources)
    one_selector(house, count)
    snapshot(house, count)


def first_set(house: House, resources: Sequence[dict[str, Any]]) -> None:
    """Everything set by one provider, and the same again."""
    house.append(house.inventory, house.command(SaveProvider(name="bench")))
    house.act(house.inventory)
    (provider,) = house.inventory.state.providers
    body = json.dumps({"provider_id": provider, "resources": resources}).encode()
    with timed(f"a set of {len(body) / 1e6:.0f} MB read"):
        wish = SetProviderResources.model_validate_json(body)
    asked = Asked(id=uid("x"), workspace_id=WORKSPACE, auth_id="user:ana", now=NOW)
    with timed("… decided: the rule alone"):
        inventory.commands[wish.NAME].decide(wish, house.inventory.state, asked)
    with timed("… as a round, with ids and the record of the decision"):
        round_ = house.command(wish)
    assert house.append(house.inventory, round_) == len(resources)
    with timed("… folded"):
        house.fold(house.inventory)
    facts: list[Fact] = []
    with timed("… matched", lambda: f", {len(facts)} facts"):
        matched = house.inventory.react(NOW)
        facts += [one.fact for one in matched.append.facts] if matched is not None else []
    found = sum(len(one.added) for one in facts if isinstance(one, MatchesChanged))
    expected = sum(one.test(fields) for some in entities() for one in some for fields in resources)
    assert found == expected, f"{found:,} matches, {expected:,} are right"
    house.append(house.inventory, matched)
    with timed(f"… {found:,} matches folded"):
        house.fold(house.inventory)
    with timed("… all this folded by planner"):
        house.fold(house.planner)
    targets: list[Fact] = []
    with timed("… targets decided by planner", lambda: f", {len(targets)} facts"):
        told = house.planner.react(NOW)
        targets += [one.fact for one in told.append.facts] if told is not None else []
    house.append(house.planner, told)
    with timed("… targets folded by planner"):
        house.fold(house.planner)
    house.act(house.planner)
    house.act(house.inventory)
    with timed("the same set again: the rule"):
        again = inventory.commands[wish.NAME].decide(wish, house.inventory.state, asked)
    assert not again.drafts, "an identical set must append nothing"
    with timed("… as a round"):
        house.command(wish)


def one_change(house: House, resources: Sequence[dict[str, Any]]) -> None:
    """One resource after the other moves to another deployment."""
    decided: list[float] = []
    matched: list[float] = []
    planned: list[float] = []
    for number in range(CHANGES):
        one = resources[number * 499 % len(resources)]
        metadata = {**one["metadata"], "service": f"svc-{(number * 7 + 1) % ENTITIES}"}
        wish = SaveResource(resource=ResourceInput.model_validate({**one, "metadata": metadata}))
        began = time.thread_time()
        house.append(house.inventory, house.command(wish))
        house.fold(house.inventory)
        decided.append(time.thread_time() - began)
        house.append(house.inventory, _lap(matched, partial(house.inventory.react, NOW)))
        house.act(house.inventory)
        house.fold(house.planner)
        house.append(house.planner, _lap(planned, partial(house.planner.react, NOW)))
        house.act(house.planner)
    told = f"decided and folded {_spread(decided)}; matched {_spread(matched)}; targets decided by planner {_spread(planned)}"
    tell(f"one changed resource ({CHANGES} changes)", told)


def _lap(taken: list[float], do: Callable[[], T]) -> T:
    began = time.thread_time()
    done = do()
    taken.append(time.thread_time() - began)
    return done


def _spread(seconds: Sequence[float]) -> str:
    return f"p50 {statistics.median(seconds) * 1000:.2f} ms, longest {max(seconds) * 1000:.0f} ms"


def selector_edit(house: House, resources: Sequence[dict[str, Any]]) -> None:
    """An environment that matched nothing comes to match half of what is deployed."""
    key = uid(f"environment {ENTITIES}")
    for what, selector in (("a selector edit that", MOVED.selector), ("the edit back", "false")):
        house.record(EnvironmentSaved(environment_id=key, name="moved", resource_selector=selector, created_at=NOW))
        house.fold(house.inventory)
        began = time.thread_time()
        matched = house.inventory.react(NOW)
        decided = time.thread_time()
        assert matched is not None
        house.append(house.inventory, matched)
        house.fold(house.inventory)
        folded = time.thread_time()
        house.fold(house.planner)
        planner_folded = time.thread_time()
        told = house.planner.react(NOW)
        planned = time.thread_time()
        assert told is not None
        facts = [one.fact for one in told.append.facts if isinstance(one.fact, TargetsChanged)]
        moved = sum(len(one.added) + len(one.removed) for one in facts)
        house.append(house.planner, told)
        house.act(house.planner)
        done = time.thread_time()
        house.act(house.inventory)
        tell(
            f"{what} moves {moved:,} targets, one round of {len(facts)} facts",
            f"{done - began:.2f} s: matched {decided - began:.2f}, folded {folded - decided:.2f}, "
            f"planner folded {planner_folded - folded:.2f}, decided {planned - planner_folded:.2f}, folded {done - planned:.2f}",
        )


def one_selector(house: House, count: int) -> None:
    """One selector over all resources, by a scan and by an index."""
    documents = house.inventory.state.resources
    rows = list(documents.values())
    index = DocumentIndex()
    with timed("an index of all resources made"):
        for key, document in documents.items():
            index.put(key, document)
        index.select(contexts.SELECTOR.compile("true"))
    for what, source in (
        ("one of 1,000 services", 'resource.metadata["service"] == "svc-17"'),
        (
            "a stage in a region",
            'resource.metadata["stage"] == "production" && resource.metadata["zone"].startsWith("region-07")',
        ),
        ("an identifier", 'resource.identifier == "cluster/aws/000003"'),
        ("a tenth, by two fields", MOVED.selector),
        ("no index for it", 'resource.metadata["cluster/name"].endsWith("77")'),
    ):
        program = contexts.SELECTOR.compile(source)
        scans: list[float] = []
        first: list[float] = []
        looks: list[float] = []
        selected = _lap(first, partial(index.select, program))
        for _ in range(7):
            scanned = _lap(scans, partial(program.filter, rows))
            assert _lap(looks, partial(index.select, program)) == selected
            assert sorted(rows[one]["id"] for one in scanned) == selected, "an index tells what a scan tells"
        tell(
            f"one selector over {count:,}, {what} ({len(selected):,} match)",
            f"scan {statistics.median(scans) * 1000:.0f} ms, index {statistics.median(looks) * 1000:.2f} ms "
            f"(the first time {first[0] * 1000:.0f} ms)",
        )


def snapshot(house: House, count: int) -> None:
    """The state stored, and a start from it in a new process."""
    state = house.inventory.state
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder:
        file = Path(folder) / "state"
        began = time.thread_time()
        stored = codec.encode(InventoryState, state)
        tell("snapshot: state to bytes", f"{time.thread_time() - began:.2f} s, {len(stored) / 1e6:.0f} MB")
        file.write_bytes(stored)
        command = [sys.executable, "-m", "tests.bench.inventory", "--start-from", str(file)]
        told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert told["resources"] == count
    tell("a start from it: bytes to state", f"{told['decode_s']:.2f} s")
    tell(
        "… memory of that process", f"{told['rss_mb']:.0f} MB (peak {told['peak_mb']:.0f} MB; {told['before_mb']:.0f} MB before)"
    )
    tell("… first changed resource", f"{told['change_s'] * 1000:.1f} ms")
    tell("… first selector edit", f"{told['edit_s'] * 1000:.0f} ms")
    tell("… memory with indexes", f"{told['indexed_mb']:.0f} MB")


def start_from(file: Path) -> None:
    """The other process: load a state, decide on it, print figures as JSON."""
    gc.set_threshold(*COLLECTOR)
    before_mb = rss_mb()
    stored = file.read_bytes()
    began = time.thread_time()
    state = codec.decode(InventoryState, stored)
    decode_s = time.thread_time() - began
    del stored
    figures = {"before_mb": before_mb, "decode_s": decode_s, "resources": len(state.resources), "rss_mb": rss_mb()}
    figures["peak_mb"] = int(_status("VmHWM")) / 1024
    house = House()
    house.inventory.state = state
    one = next(iter(state.resources.values()))
    item = ResourceInput(**{key: one[key] for key in ("identifier", "name", "kind", "version", "config")}, metadata={"a": "b"})
    house.append(house.inventory, house.command(SaveResource(resource=item)))
    house.fold(house.inventory)
    began = time.thread_time()
    house.inventory.react(NOW)
    figures["change_s"] = time.thread_time() - began
    house.act(house.inventory)
    selector = 'resource.metadata["service"] == "svc-3" && resource.metadata["stage"] == "production"'
    house.record(EnvironmentSaved(environment_id=uid("environment 1"), name="x", resource_selector=selector, created_at=NOW))
    house.fold(house.inventory)
    began = time.thread_time()
    house.inventory.react(NOW)
    figures["edit_s"] = time.thread_time() - began
    figures["indexed_mb"] = rss_mb()
    print(json.dumps(figures))


def rss_mb() -> float:
    """Resident memory of this process."""
    return int(_status("VmRSS")) / 1024


def _status(name: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(name))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.inventory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("resources", nargs="?", type=int, default=100_000)
    parser.add_argument("--start-from", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.start_from is not None:
        start_from(asked.start_from)
    else:
        measure(asked.resources)


if __name__ == "__main__":
    main()
