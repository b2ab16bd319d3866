"""The story through the deciders alone, in many interleavings, with everything that must stay true checked on the way."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.facts.dispatcher import JobCreated
from contracts.facts.verifier import VerificationPassed
from tests.simulation.shop import INTERVAL_S, Shop

ROOT = Path(__file__).parents[2]


def told(seed: int | None = None) -> Shop:
    """The whole story."""
    shop = Shop(seed=seed)
    shop.policies()

    first = shop.post("v1")
    shop.advance(30)
    assert shop.running("staging") == {"v1"}
    assert shop.running("production") == {None}
    shop.approve(first)
    shop.advance(4 * INTERVAL_S)
    assert shop.running("production") == {"v1"}

    shop.bad("v2", "staging")
    second = shop.post("v2")
    shop.approve(second)
    shop.advance(60)
    assert shop.running("staging") == {"v1"}
    assert shop.tried(second) == {"stg-1": 1, "stg-2": 1}
    assert "v2 failed on 2 of 2 targets in staging and was rolled back there" in shop.explain("prd-1").message
    assert shop.explain("prd-1").message.endswith("What ends it: a newer version, or a person who lifts the mark.")

    shop.bad("v3", "production")
    third = shop.post("v3")
    shop.approve(third)
    shop.advance(120)
    assert shop.running("staging") == {"v3"}
    assert shop.running("production") == {"v1"}
    in_production = {name: count for name, count in shop.tried(third).items() if name.startswith("prd")}
    assert list(in_production.values()) == [1]

    shop.approve(shop.post("v4"))
    shop.advance(120)
    assert shop.running("staging") == shop.running("production") == {"v4"}
    shop.grow("prd-4", "production")
    shop.advance(120)
    assert shop.running("production") == {"v4"}
    assert {name: count for name, count in shop.tried(third).items() if name.startswith("prd")} == in_production
    shop.check()
    return shop


@pytest.mark.parametrize("seed", [None, *range(12)])
def test_the_story_in_any_interleaving(seed: int | None) -> None:
    told(seed)


def test_clusters_follow_one_another_each_after_the_one_before_has_passed() -> None:
    shop = told()
    version = shop.facts(JobCreated)[-1].version_id
    production = [
        job for job in shop.facts(JobCreated) if job.version_id == version and job.environment_id == shop.stages["production"]
    ]
    passed = {fact.job_id: fact.finished_at for fact in shop.facts(VerificationPassed)}
    for before, after in itertools.pairwise(production):
        assert (after.created_at - before.created_at).total_seconds() >= INTERVAL_S
        assert passed[before.job_id] <= after.created_at


def test_a_withdrawn_approval_is_never_missed() -> None:
    """Approved and withdrawn before the rollout's first job: nothing may go, whatever the order in which services hear of it."""
    for seed in range(8):
        shop = Shop(seed=seed)
        shop.policies()
        version = shop.post("v1")
        shop.approve(version)
        shop.approve(version, "rejected")
        shop.advance(120)
        assert shop.running("staging") == {"v1"}
        assert {name for name in shop.tried(version) if name.startswith("prd")} == set()
        shop.check()


def test_the_same_story_gives_the_same_facts_whatever_the_hash_seed() -> None:
    """Set order or hash order in a decision would show as another log."""
    program = "from tests.simulation.test_story_in_virtual_time import told\nprint([(one.id, one.data) for one in told(3).log])"
    logs = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(logs) == 1
