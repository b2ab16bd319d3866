"""How fast expressions and their indexes are: `python -m tests.bench.expressions [documents] [selectors]`.

One selector over many documents, with and without an index; one document against many selectors; one document under one relation; and
the memory of each. Prints tables of medians. Times are processor time of this process, which does nothing else and waits for nothing.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from libs.cel import DocumentIndex, ExpressionIndex, JoinIndex, Program, contexts

ROUNDS = 7
KINDS = ("Kubernetes", "VM", "Lambda", "Bucket", "Database", "Queue", "Cache", "Function", "Network", "Secret")
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-south-1", "us-central1")
STAGES = ("production", "staging", "dev", "qa")

SELECTORS = {
    "one resource": 'resource.identifier == "res/4242"',
    "three equalities": 'resource.kind == "VM" && resource.metadata["env"] == "production" && resource.metadata.team == "team-7"',
    "either of three": 'resource.metadata.team == "team-7" || resource.metadata.owner in ["user-1", "user-2"]',
    "one label": 'resource.metadata["env"] == "production"',
    "kind and prefix": 'resource.kind == "Kubernetes" && resource.name.startsWith("us-")',
    "five conjuncts": 'resource.kind == "Kubernetes" && (resource.metadata["env"] == "production" || resource.metadata["tier"] == "1") && '
    '!resource.name.endsWith("-test") && has(resource.metadata.team) && resource.config.replicas >= 2',
    "list of two": 'resource.config.region in ["us-east-1", "eu-west-1"]',
    "number": "resource.config.cpu < 0.01",
    "regex, few values": r'resource.version.matches("^v[12]\\.[0-9]+\\.[0-4]$")',
    "regex, all different": r'resource.name.matches("^[a-z]+-[a-z]+-?[0-9]-(vm|lambda)-0+[1-9]+[0-9]*7")',
    "regex, unanchored": r'resource.name.matches("(bucket|queue)-[0-9]+[05]$")',
    "regex, no literal": r'resource.name.matches("[0-9a-f]{3}[13579]$")',
}


def documents(count: int, metadata: int = 20, seed: int = 7) -> list[dict[str, Any]]:
    """Resources as selectors see them; the texts that repeat are one object each, as in a service that decodes them."""
    rng = random.Random(seed)
    made = []
    for n in range(count):
        region, kind = rng.choice(REGIONS), rng.choice(KINDS)
        labels = {f"label-{j}": f"value-{rng.randrange(50)}" for j in range(metadata - 5)}
        if rng.random() < 0.7:
            labels["env"] = rng.choice(STAGES)
        if rng.random() < 0.5:
            labels["tier"] = str(rng.randrange(4))
        labels |= {"team": f"team-{rng.randrange(200)}", "region": region, "owner": f"user-{rng.randrange(1000)}"}
        made.append(
            {
                "id": f"{rng.getrandbits(128):032x}",
                "workspaceId": "0" * 32,
                "name": f"{region}-{kind.lower()}-{n:06d}",
                "identifier": f"res/{n}",
                "kind": kind,
                "version": f"v{rng.randrange(1, 4)}.{rng.randrange(20)}.{rng.randrange(9)}",
                "createdAt": "2026-01-01T00:00:00Z",
                "config": {"region": region, "replicas": rng.randrange(1, 9), "cpu": rng.random() * 8, "cluster": f"c{n // 20}"},
                "metadata": labels,
            }
        )
    return made


def selectors(count: int, *, regexes: bool, seed: int = 3) -> list[str]:
    """Selectors as people write them: equalities, lists and prefixes; a sixth real regular expressions if asked for."""
    rng = random.Random(seed)
    forms: list[Callable[[], str]] = [
        lambda: f'resource.metadata["team"] == "team-{rng.randrange(200)}" && resource.kind == "{rng.choice(KINDS)}"',
        lambda: f'resource.metadata.owner in ["user-{rng.randrange(1000)}", "user-{rng.randrange(1000)}"]',
        lambda: f'resource.name.startsWith("{rng.choice(REGIONS)}-{rng.choice(KINDS).lower()}-{rng.randrange(1000):03d}")',
        lambda: f'resource.identifier == "res/{rng.randrange(100_000)}"',
        lambda: (
            f'resource.metadata["env"] == "{rng.choice(STAGES)}" && resource.metadata["label-{rng.randrange(15)}"] == '
            f'"value-{rng.randrange(50)}" && resource.config.replicas >= {rng.randrange(9)}'
        ),
    ]
    if regexes:
        forms.append(lambda: rf'resource.name.matches("[a-z]+-{rng.choice(KINDS).lower()}-[0-9]*{rng.randrange(10_000)}$")')
    return [forms[n % len(forms)]() for n in range(count)]


def milliseconds(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median processor time of a call."""
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        run()
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)


def resident_mb() -> float:
    """Memory of this process that is in use now, in MB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def over_documents(rows: list[dict[str, Any]]) -> None:
    before = resident_mb()
    index = DocumentIndex()
    began = time.process_time()
    for row in rows:
        index.put(row["id"], row)
    assert len(list(index)) == len(rows)
    filled_s, base_mb = time.process_time() - began, resident_mb() - before
    print(f"\nOne selector over {len(rows):,} documents (filled in {filled_s:.2f} s)\n")
    print("| selector | matches | scan | first with index | again |")
    print("|---|---|---|---|---|")
    for name, source in SELECTORS.items():
        program = contexts.SELECTOR.compile(source)
        scan = milliseconds(partial(program.filter, rows))
        began = time.process_time()
        found = index.select(program)
        first = (time.process_time() - began) * 1000
        again = milliseconds(partial(index.select, program))
        print(f"| {name} | {len(found):,} | {scan:.0f} ms | {first:.0f} ms | {again:.2f} ms |", flush=True)
    columns = sum(index.columns.values()) / 2**20
    print(
        f"\nmemory besides the documents: {base_mb:.0f} MB, and {len(index.columns)} columns of {columns:.0f} MB (estimated; ",
        end="",
    )
    print(f"{resident_mb() - before - base_mb:.0f} MB by the process)")


def over_selectors(rows: list[dict[str, Any]], count: int) -> None:
    print(f"\nOne document against {count:,} selectors\n")
    print("| selectors | matches | each asked | with index | filing | memory of a program | of the index |")
    print("|---|---|---|---|---|---|---|")
    for name, regexes in (("equalities, lists, prefixes", False), ("a sixth regular expressions", True)):
        before = resident_mb()
        programs = [contexts.SELECTOR.compile(source) for source in selectors(count, regexes=regexes)]
        compiled = resident_mb()
        index = ExpressionIndex()
        began = time.process_time()
        for n, program in enumerate(programs):
            index.put(f"{n:08}", program)
        index.matching(rows[0])
        filing_s, filed = time.process_time() - began, resident_mb()
        asked = rows[:: max(len(rows) // 50, 1)]
        matches = statistics.mean(len(index.matching(row)) for row in asked)
        taken = statistics.median(milliseconds(partial(index.matching, row), 3) for row in asked)
        scan = milliseconds(partial(ask_each, programs, rows[1]))
        print(
            f"| {name} | {matches:.0f} | {scan:.1f} ms | {taken:.2f} ms | {filing_s:.2f} s | {(compiled - before) * 1024 / count:.1f} KiB | "
            f"{filed - compiled:.1f} MB |",
            flush=True,
        )


def ask_each(programs: list[Program], row: dict[str, Any]) -> int:
    """How many of the selectors are true of a document."""
    return sum(program.matches(resource=row) for program in programs)


def over_pairs(rows: list[dict[str, Any]]) -> None:
    print(f"\nOne of {len(rows):,} documents under a relation\n")
    print("| relation | filling | compared | related | memory |")
    print("|---|---|---|---|---|")
    relations = {
        "equal values": 'from.kind == "Kubernetes" && to.kind == "VM" && from.config.cluster == to.config.cluster',
        "value in a list": 'to.kind == "VM" && from.metadata.team in [to.metadata.team, to.metadata.owner]',
    }
    for name, source in relations.items():
        program: Program = contexts.RELATION.compile(source)
        before = resident_mb()
        began = time.process_time()
        index = JoinIndex(program)
        for row in rows:
            index.put(row["id"], row)
        filled_s, used_mb = time.process_time() - began, resident_mb() - before
        asked = [row["id"] for row in rows[:: max(len(rows) // 200, 1)]]
        compared = statistics.mean(map(index.comparisons, asked))
        taken = statistics.median(milliseconds(partial(index.related, key), 1) for key in asked)
        print(f"| {name} | {filled_s:.1f} s | {compared:.1f} pairs | {taken:.2f} ms | {used_mb:.0f} MB |", flush=True)


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    listed = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in listed if line.startswith("model name")), platform.machine())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.expressions", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("documents", nargs="?", type=int, default=100_000)
    parser.add_argument("selectors", nargs="?", type=int, default=10_000)
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    print(
        f"{processor()}, {len(os.sched_getaffinity(0))} cores, load {load:.1f}, Python {platform.python_version()}; medians of {ROUNDS}"
    )
    over_selectors(documents(1000), asked.selectors)
    rows = documents(asked.documents)
    over_documents(rows)
    over_pairs(rows)


if __name__ == "__main__":
    main()
