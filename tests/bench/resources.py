"""How fast many resources come in, are matched and can be read: `python -m tests.bench inventory [--processes] [--resources 100000]`.

A workspace with 200 environments and 200 deployments in one system, then: all resources set by one provider in one request; the same
set again; one resource changed many times; a selector edit that moves many targets; a restart. What is to be matched is computed
here as well, in plain Python, so that a figure of something wrong is never told.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.bench.running import PATIENCE_S, Running, machine, running

ENTITIES = 200
STAGES = ("dev", "test", "staging", "canary", "production")
REGIONS = 40
SERVICES = 1_000
CHANGES = 60
LOOK_S = 0.05

Fields = Mapping[str, Any]
Test = Callable[[Fields], bool]


@dataclass(frozen=True)
class Entity:
    """An environment or a deployment to be: its selector, and the same in Python over a resource's metadata and identifier."""

    name: str
    selector: str
    test: Test


def resource(number: int) -> dict[str, Any]:
    """A resource as a syncer tells of it, with 20 metadata keys."""
    service = number % SERVICES
    # A service runs in four regions of each stage.
    region = (service * 7 + number // SERVICES % 4) % REGIONS
    metadata = {
        "service": f"svc-{service}",
        "region": f"region-{region:02d}",
        "stage": STAGES[number // (SERVICES * 4) % len(STAGES)],
        "tier": "gold" if number // SERVICES % 2 else "silver",
        "managed": "yes" if service < ENTITIES else "no",
        "team": f"team-{service % 37}",
        "owner": f"owner-{service % 53}@example.com",
        "zone": f"region-{region:02d}{'abc'[number % 3]}",
        "cloud": ("aws", "gcp", "azure")[region % 3],
        "account": f"{100000000000 + service * 7919}",
        "cluster/name": f"cluster-{number}",
        "kubernetes/version": f"1.{28 + number % 5}.{number % 9}",
        "kubernetes/nodes": f"{3 + number % 60}",
        "network/vpc": f"vpc-{region:04x}{service:06x}",
        "network/subnet": f"subnet-{number:010x}",
        "cost-center": f"cc-{service % 97}",
        "compliance": ("none", "soc2", "pci")[service % 3],
        "created-by": "terraform",
        "backup": "daily" if number % 4 else "hourly",
        "maintenance-window": ("sun", "mon", "tue")[number % 3] + " 02:00-04:00",
    }
    return {
        "identifier": f"cluster/{metadata['cloud']}/{number:06d}",
        "name": f"cluster-{number}",
        "kind": "KubernetesCluster",
        "version": "bench/v1",
        "config": {"server": f"https://cluster-{number}.example.com", "port": 6443, "labels": {"n": number}},
        "metadata": metadata,
        "createdAt": "2026-01-01T00:00:00Z",
    }


def environments() -> list[Entity]:
    """One per stage and region: equality, `in`, prefixes and a few regexes, in conjunctions."""
    found = []
    for number in range(ENTITIES):
        stage, region = STAGES[number % len(STAGES)], f"region-{number // len(STAGES):02d}"
        is_stage = f'resource.metadata["stage"] == "{stage}"'
        forms = (
            f'{is_stage} && resource.metadata["region"] == "{region}"',
            f'{is_stage} && resource.metadata["region"] in ["{region}", "region-99"]',
            f'{is_stage} && resource.metadata["zone"].startsWith("{region}")',
            f'resource.kind == "KubernetesCluster" && {is_stage} && resource.metadata["region"] == "{region}"',
        )
        form = (
            forms[number % len(forms)] if number % 40 else f'{is_stage} && resource.metadata["zone"].matches("^{region}[abc]$")'
        )
        found.append(Entity(f"{stage}-{region}", form, _at(stage, region)))
    return found


def _at(stage: str, region: str) -> Test:
    return lambda one: one["metadata"]["stage"] == stage and one["metadata"]["region"] == region


def deployments() -> list[Entity]:
    """One per service."""
    found = []
    for number in range(ENTITIES):
        service = f"svc-{number}"
        forms = (
            f'resource.metadata["service"] == "{service}"',
            f'resource.metadata["service"] in ["{service}", "{service}-next"]',
            f'resource.kind == "KubernetesCluster" && resource.metadata["service"] == "{service}"',
            f'has(resource.metadata["service"]) && resource.metadata["service"] == "{service}" && resource.metadata["managed"] == "yes"',
        )
        form = forms[number % len(forms)] if number % 50 else f'resource.metadata["service"].matches("^{service}$")'
        found.append(Entity(service, form, _of(service)))
    return found


def _of(service: str) -> Test:
    return lambda one: one["metadata"]["service"] == service


MOVED = Entity(
    "moved",
    'resource.metadata["managed"] == "yes" && resource.metadata["tier"] == "gold"',
    lambda one: one["metadata"]["managed"] == "yes" and one["metadata"]["tier"] == "gold",
)
"""What an environment that matched nothing is edited to: half of the resources that have a deployment."""


@dataclass(frozen=True)
class World:
    """Ids of what was made."""

    provider: str
    environment: str


def world(here: Running) -> World:
    """Make the entities, before there are resources."""
    system = here.post("POST", "/systems", {"name": "bench"})["id"]
    for one in environments():
        made = here.post("POST", "/environments", {"name": one.name, "resourceSelector": one.selector})["id"]
        here.post("PUT", f"/systems/{system}/environments/{made}")
    for one in deployments():
        made = here.post("POST", "/deployments", {"name": one.name, "slug": one.name, "resourceSelector": one.selector})["id"]
        here.post("PUT", f"/systems/{system}/deployments/{made}")
    moved = here.post("POST", "/environments", {"name": MOVED.name, "resourceSelector": "false"})["id"]
    here.post("PUT", f"/systems/{system}/environments/{moved}")
    return World(here.post("PUT", "/resource-providers", {"id": "", "name": "bench"})["id"], moved)


def matched(resources: Sequence[Fields]) -> tuple[int, int]:
    """How many matches and how many targets there must be."""
    by_stage = {one.name for one in environments()}
    by_service = {one.name for one in deployments()}
    matches = targets = 0
    for one in resources:
        metadata = one["metadata"]
        in_environment = f"{metadata['stage']}-{metadata['region']}" in by_stage
        in_deployment = metadata["service"] in by_service
        matches += in_environment + in_deployment
        targets += in_environment and in_deployment
    return matches, targets


ADDED = """SELECT coalesce(sum(jsonb_array_length(data->'added')), 0)::int, coalesce(extract(epoch FROM max(recorded_at)), 0)::float8
           FROM es.event WHERE workspace_id = %s AND position > %s AND type = %s"""


def until_added(here: Running, kind: str, after: int, count: int) -> float:
    """When the last of so many ids was recorded as added in facts of a type (seconds since the epoch)."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found, at = here.query(ADDED, here.workspace_id, after, kind)
        if found == count:
            return float(at)
        assert found < count, f"{found:,} ids in {kind}, at most {count:,} are right"
        assert time.monotonic() < end, f"{found:,} of {count:,} ids in {kind} after {PATIENCE_S} s"
        time.sleep(LOOK_S)


MATCHES, TARGETS = "inventory.matches_changed.v1", "planner.targets_changed.v1"


@contextmanager
def neighbour(here: Running) -> Iterator[list[float]]:
    """Somebody else who reads a little thing all the time: how long each answer took, in seconds."""
    taken: list[float] = []
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=here.client.base_url, headers=here.client.headers, timeout=PATIENCE_S) as client:
            while not over.is_set():
                began = time.monotonic()
                client.get("/systems").raise_for_status()
                taken.append(time.monotonic() - began)
                over.wait(LOOK_S)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join()


def tell(what: str, value: str) -> None:
    """A line of the table."""
    print(f"| {what} | {value} |", flush=True)


def measure(count: int, options: Sequence[str]) -> None:
    """Print the figures for so many resources."""
    print(f"{machine(*options)}; {count:,} resources, {ENTITIES} environments, {ENTITIES} deployments\n")
    print("| what | measured |\n|---|---|")
    resources = [resource(number) for number in range(count)]
    matches, targets = matched(resources)
    with running(*options) as here:
        began = time.monotonic()
        made = world(here)
        tell("the world without resources", f"{time.monotonic() - began:.1f} s")
        first_set(here, made, resources, matches, targets)
        second_set(here, made, resources)
        one_change(here, resources)
        selector_edit(here, made, resources)
        tell("peak memory", ", ".join(f"{name} {peak} MB" for name, peak in here.peaks_mb().items()))
        restart(here)


def first_set(here: Running, made: World, resources: Sequence[Fields], matches: int, targets: int) -> None:
    """Everything set in one request, matched, and visible."""
    before, used = here.head(), here.cpu_s()
    with neighbour(here) as asked:
        began = time.time()
        body = here.client.build_request("PUT", f"/resource-providers/{made.provider}/set", json={"resources": resources})
        sent = time.time()
        response = here.client.send(body)
        assert response.status_code == 202, response.text
        answered = time.time()
        matched_at = until_added(here, MATCHES, before, matches)
        targets_at = until_added(here, TARGETS, before, targets)
        here.until_read(here.head())
        seen = time.time()
    size_mb = len(body.content) / 1e6
    tell(
        f"set in one request of {size_mb:.0f} MB: answered",
        f"{answered - sent:.1f} s (the client took {sent - began:.1f} s before)",
    )
    tell(f"… {matches:,} matches recorded", f"{matched_at - sent:.1f} s")
    tell(f"… {targets:,} targets recorded", f"{targets_at - sent:.1f} s")
    tell("… everything visible in reads", f"{seen - sent:.1f} s")
    tell("… meanwhile a small read took", f"p50 {statistics.median(asked) * 1000:.0f} ms, longest {max(asked):.1f} s")
    tell("… processor time since the request", ", ".join(f"{name} {at - used[name]:.0f} s" for name, at in here.cpu_s().items()))
    total = here.client.get("/resources", params={"limit": 1}).json()["total"]
    assert total == len(resources), f"{total:,} of {len(resources):,} resources can be read"


def second_set(here: Running, made: World, resources: Sequence[Fields]) -> None:
    """The same again."""
    before = here.head()
    began = time.time()
    here.post("PUT", f"/resource-providers/{made.provider}/set", {"resources": resources})
    tell("the same set again: answered", f"{time.time() - began:.1f} s")
    assert here.head() == before, "an identical set must append nothing"


def one_change(here: Running, resources: Sequence[Fields]) -> None:
    """One resource after the other moves to another deployment: until its targets are recorded, and until it was answered."""
    sql = """SELECT count(*), coalesce(extract(epoch FROM max(recorded_at)), 0)::float8 FROM es.event
             WHERE workspace_id = %s AND position > %s AND type = %s"""
    recorded, answered = [], []
    for number in range(CHANGES):
        one = resources[number * SERVICES % len(resources) + number % ENTITIES]
        service = f"svc-{(number + 1 + int(one['metadata']['service'][4:])) % ENTITIES}"
        body = {key: one[key] for key in ("name", "kind", "version", "config")}
        body["metadata"] = {**one["metadata"], "service": service}
        before = here.head()
        began = time.time()
        here.client.put(f"/resources/identifier/{one['identifier'].replace('/', '%2F')}", json=body).raise_for_status()
        answered.append(time.time() - began)
        end = time.monotonic() + PATIENCE_S
        while (found := here.query(sql, here.workspace_id, before, TARGETS))[0] < 1:
            assert time.monotonic() < end, "the targets of a changed resource did not change"
            time.sleep(0.002)
        recorded.append(found[1] - began)
        here.until_read(here.head())
    tell(f"one changed resource: its targets recorded ({CHANGES} changes)", _spread(recorded))
    tell("… its PUT answered", _spread(answered))


def _spread(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    return f"p50 {statistics.median(ordered) * 1000:.0f} ms, p95 {ordered[int(len(ordered) * 0.95)] * 1000:.0f} ms"


def selector_edit(here: Running, made: World, resources: Sequence[Fields]) -> None:
    """An environment that matched nothing comes to match half of what is deployed."""
    # What was changed one by one still has a deployment, and its other fields are what they were.
    moving = sum(1 for one in resources if MOVED.test(one))
    before = here.head()
    began = time.time()
    here.post("PUT", f"/environments/{made.environment}", {"name": MOVED.name, "resourceSelector": MOVED.selector})
    answered = time.time()
    targets_at = until_added(here, TARGETS, before, moving)
    here.until_read(here.head())
    seen = time.time()
    tell(f"a selector edit that moves {moving:,} targets: answered", f"{answered - began:.2f} s")
    tell("… targets recorded", f"{targets_at - began:.2f} s")
    tell("… visible in reads", f"{seen - began:.2f} s")
    rounds = here.query(
        "SELECT count(*) FROM es.decision WHERE workspace_id = %s AND consumer = 'planner' AND first_pos > %s",
        here.workspace_id,
        before,
    )
    tell("… in so many rounds of planner", str(rounds[0]))


def restart(here: Running) -> None:
    """Stop everything and start it again."""
    tell("stopped", f"{here.stop():.1f} s")
    tell("started again from snapshots, first answer", f"{here.start():.1f} s")
    tell("peak memory after the restart", ", ".join(f"{name} {peak} MB" for name, peak in here.peaks_mb().items()))
