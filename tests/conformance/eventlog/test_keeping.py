"""What is kept beside the log: snapshots, parked facts, staged payloads."""

from __future__ import annotations

from libs.eventlog.port import EventLog, Snapshot
from tests.conformance.eventlog.builders import workspace


async def test_the_newest_snapshot_of_a_state_version_is_loaded(log: EventLog) -> None:
    at = workspace()
    assert await log.load_snapshot("policy", at, 1) is None
    await log.save_snapshot("policy", at, Snapshot(10, 1, b"ten"))
    await log.save_snapshot("policy", at, Snapshot(30, 1, b"thirty"))
    await log.save_snapshot("policy", at, Snapshot(20, 1, b"\x00 twenty \xff"))
    assert await log.load_snapshot("policy", at, 1) == Snapshot(30, 1, b"thirty")
    assert await log.load_snapshot("policy", at, 1, at_most=29) == Snapshot(20, 1, b"\x00 twenty \xff")
    assert await log.load_snapshot("policy", at, 1, at_most=10) == Snapshot(10, 1, b"ten")
    assert await log.load_snapshot("policy", at, 1, at_most=9) is None
    assert await log.load_snapshot("policy", at, 2) is None
    assert await log.load_snapshot("planner", at, 1) is None
    assert await log.load_snapshot("policy", workspace(), 1) is None


async def test_the_newest_three_snapshots_are_kept_and_five_older_ones_that_lie_apart(log: EventLog) -> None:
    at = workspace()
    for position in range(10, 400, 10):
        await log.save_snapshot("policy", at, Snapshot(position, 1, b"%d" % position))
    await log.save_snapshot("planner", at, Snapshot(1, 1, b"planner"))
    kept, below = [], 400
    while (found := await log.load_snapshot("policy", at, 1, at_most=below - 1)) is not None:
        assert found.state == b"%d" % found.position
        kept.append(below := found.position)
    assert (len(kept), kept[:3]) == (8, [390, 380, 370])
    gaps = [newer - older for newer, older in zip(kept[2:], [*kept[3:], 0], strict=True)]
    assert gaps == sorted(gaps), "the longer ago, the farther apart"
    assert await log.load_snapshot("planner", at, 1) == Snapshot(1, 1, b"planner")


async def test_a_snapshot_of_long_ago_is_there_once_it_was_saved(log: EventLog) -> None:
    at = workspace()
    for position in [*range(100, 2_000, 100), 50]:
        await log.save_snapshot("policy", at, Snapshot(position, 1, b"%d" % position))
    assert await log.load_snapshot("policy", at, 1, at_most=99) == Snapshot(50, 1, b"50")


async def test_a_snapshot_saved_again_replaces_the_first(log: EventLog) -> None:
    at = workspace()
    await log.save_snapshot("policy", at, Snapshot(7, 1, b"x" * 9_000_000))
    await log.save_snapshot("policy", at, Snapshot(7, 1, b"short"))
    await log.save_snapshot("policy", at, Snapshot(7, 2, b"other version"))
    assert await log.load_snapshot("policy", at, 1) == Snapshot(7, 1, b"short")
    assert await log.load_snapshot("policy", at, 2) == Snapshot(7, 2, b"other version")


async def test_a_large_snapshot_comes_back_whole(log: EventLog) -> None:
    at = workspace()
    state = bytes(range(256)) * 80_000
    await log.save_snapshot("policy", at, Snapshot(1, 1, state))
    await log.save_snapshot("policy", at, Snapshot(2, 1, b""))
    loaded = await log.load_snapshot("policy", at, 1, at_most=1)
    assert loaded is not None
    assert loaded.state == state
    assert await log.load_snapshot("policy", at, 1) == Snapshot(2, 1, b"")


async def test_parked_facts_wait_in_order(log: EventLog) -> None:
    at = workspace()
    assert await log.parked("policy", at) == []
    await log.park("policy", at, 9, "could not be read")
    await log.park("policy", at, 4, "first try")
    await log.park("policy", at, 4, "second try")
    await log.park("planner", at, 1, "elsewhere")
    assert await log.parked("policy", at) == [(4, "second try"), (9, "could not be read")]
    assert await log.parked("policy", workspace()) == []


async def test_a_fact_is_parked_whatever_the_error_says(log: EventLog) -> None:
    at = workspace()
    await log.park("policy", at, 1, "ValueError: a\x00b, \ud800 and ✓")
    assert await log.parked("policy", at) == [(1, "ValueError: a\ufffdb, \ufffd and ✓")]


async def test_a_staged_payload_is_kept_as_it_was_first(log: EventLog) -> None:
    staged_id = workspace()
    assert await log.staged(staged_id) is None
    await log.stage(staged_id, b"\x00first" * 100_000)
    await log.stage(staged_id, b"second")
    assert await log.staged(staged_id) == b"\x00first" * 100_000


async def test_a_staged_payload_that_was_dropped_is_gone_and_may_come_again(log: EventLog) -> None:
    staged_id = workspace()
    await log.stage(staged_id, b"first")
    await log.unstage(staged_id)
    await log.unstage(staged_id)
    assert await log.staged(staged_id) is None
    await log.stage(staged_id, b"again")
    assert await log.staged(staged_id) == b"again"
