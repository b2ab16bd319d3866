"""How fast many targets go back: `python -m tests.bench rollback [--processes] [--targets 1000]`.

So many targets run a good version and then another one. Once a person rolls the environment back; once the verification of the other
version fails on every target. The log is then asked whether each target is on the very release that was good, by one rollback and one
job; the figures are of that log too: the start of the request here and the times of recording, one clock for both.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from tests.bench.releases import DONE, post_version, until, until_targets, world
from tests.bench.running import PATIENCE_S, Running, machine, running

QUIET_S: Final = 3.0
"""So long nothing is recorded once it is over: what is deployed twice would come within it."""

TOLD: Final = """
    WITH fact AS (
        SELECT type, data, extract(epoch FROM recorded_at)::float8 AS at FROM es.event WHERE workspace_id = %s
    ), good AS (
        SELECT data->>'resource_id' AS target, data->>'release_id' AS release FROM fact
        WHERE type = 'dispatcher.job_created.v1' AND data->>'version_id' = %s AND NOT (data->>'rollback')::bool
    ), back AS (
        SELECT data->>'resource_id' AS target, data->>'release_id' AS release, data->>'job_id' AS job, at FROM fact
        WHERE type = 'dispatcher.job_created.v1' AND (data->>'rollback')::bool
    ), started AS (
        SELECT data->>'resource_id' AS target, data->>'release_id' AS release, at FROM fact WHERE type = 'planner.rollback_started.v1'
    ), ended AS (
        SELECT data->>'job_id' AS job, at FROM fact
        WHERE type = 'dispatcher.job_status_changed.v1' AND data->>'status' = 'successful'
    ), failed AS (
        SELECT data->>'resource_id' AS target, min(at) AS at FROM fact WHERE type = 'verifier.verification_failed.v1' GROUP BY 1
    )
    SELECT (SELECT count(*) FROM fact WHERE type = 'dispatcher.job_created.v1'),
           (SELECT count(*) FROM started), (SELECT count(*) FROM started JOIN good USING (target, release)),
           (SELECT count(*) FROM back), (SELECT count(*) FROM back JOIN good USING (target, release) JOIN ended USING (job)),
           (SELECT min(at) FROM failed), (SELECT max(at) FROM started), (SELECT max(at) FROM back),
           (SELECT max(ended.at) FROM back JOIN ended USING (job)),
           (SELECT percentile_cont(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY (back.at - failed.at) * 1000)
            FROM back JOIN failed USING (target))"""


def by_hand(targets: int, *options: str) -> None:
    """A person rolls the environment back."""
    with running(*options) as here:
        good = _good_and_other(here, targets)
        (environment,) = here.post("GET", "/environments")["items"]
        here.until_read(here.head())
        used, began = here.cpu_s(), time.time()
        answer = here.post("POST", f"/environments/{environment['id']}/rollback", {"reason": "customers complain"})
        answered = time.time()
        assert answer["targets"] == targets, answer
        told = _told(here, targets, good)
        print(
            f"by hand, {targets:,} targets: answered after {answered - began:.2f} s, all rollbacks recorded after "
            f"{told['started'] - began:.2f} s, all jobs created after {told['created'] - began:.2f} s, all targets back after "
            f"{told['ended'] - began:.2f} s; {_used(here, used, targets)}",
            flush=True,
        )


def by_verification(targets: int, *options: str) -> None:
    """The verification of the other version fails on every target."""
    with running(*options) as here:
        good = _good_and_other(here, targets, verified=True)
        used = here.cpu_s()
        told = _told(here, targets, good)
        p50, p99, most = told["each"]
        print(
            f"by verification, {targets:,} targets: from the first failed verification to the last rollback "
            f"{told['started'] - told['failed']:.2f} s, the last job created {told['created'] - told['failed']:.2f} s, all targets back "
            f"{told['ended'] - told['failed']:.2f} s; of one target, failed to job created: p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
            f"most {most:.0f} ms; from all jobs of the other version on: {_used(here, used, targets)}",
            flush=True,
        )


def _good_and_other(here: Running, targets: int, *, verified: bool = False) -> str:
    """A good version everywhere, and then another one; the good one's id."""
    deployment = world(here, targets)
    until_targets(here, targets)
    good, _ = post_version(here, deployment)
    until(here, "dispatcher.job_status_changed.v1", good, targets, DONE)
    if verified:
        # Made for the version that follows: the good one counts as it stands.
        here.post("POST", "/policies", _policy(here.post("GET", f"/deployments/{deployment}/versions")["items"][0]["tag"]))
    other, _ = post_version(here, deployment)
    until(here, "dispatcher.job_status_changed.v1", other, targets, DONE)
    return good


def _policy(good_tag: str) -> dict[str, Any]:
    """Every version but the good one is unhealthy, and goes back."""
    metric = {
        "name": "errors",
        "intervalSeconds": 1,
        "count": 1,
        "provider": {"type": "sleep", "durationSeconds": 1},
        "successCondition": '"{{.version.tag}}" == "' + good_tag + '"',
    }
    rules = [{"verification": {"metrics": [metric]}}, {"rollback": {"onVerificationFailure": True}}]
    return {"name": "healthy", "selector": "true", "rules": rules}


def _told(here: Running, targets: int, good: str) -> dict[str, Any]:
    """What the log tells once every target went back and nothing follows. Raises: AssertionError: it is not as it must be."""
    end = time.monotonic() + PATIENCE_S
    while True:
        jobs, started, right, back, done, *times = here.query(TOLD, here.workspace_id, good)
        if done >= targets:
            break
        assert time.monotonic() < end, f"{done} of {targets} targets are back after {PATIENCE_S} s"
        time.sleep(0.5)
    head, quiet = here.head(), time.monotonic()
    while time.monotonic() < quiet + QUIET_S:
        time.sleep(0.2)
        if (now := here.head()) != head:
            head, quiet = now, time.monotonic()
        assert time.monotonic() < end, "it does not come to rest"
    jobs, started, right, back, done, *times = here.query(TOLD, here.workspace_id, good)
    assert (started, right, back, done) == (targets,) * 4, (
        f"{started} rollbacks, {right} right, {back} jobs, {done} right and done"
    )
    assert jobs == 3 * targets, f"{jobs} jobs: something was deployed twice"
    return dict(zip(("failed", "started", "created", "ended", "each"), times, strict=True))


def _used(here: Running, before: dict[str, float], targets: int) -> str:
    used = {name: now - before[name] for name, now in here.cpu_s().items()}
    each = sum(used.values()) / targets * 1000
    return f"processor time {', '.join(f'{name} {one:.1f} s' for name, one in used.items())}; {each:.1f} ms a target"


def measure(targets: int, options: Sequence[str]) -> None:
    """Print all figures."""
    print(f"{machine(*options)}\n")
    by_hand(targets, *options)
    by_verification(targets, *options)
