"""Work beside the loop: everybody has their turn, in the thread that knows them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from libs.runtime.turns import Piece, Turns

LIMIT_S = 20.0


class Held:
    """Work that goes on until it is let go; `order` is who had a turn."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.order: list[str] = []
        self.threads: dict[str, list[str]] = {}
        self._began: asyncio.Queue[str] = asyncio.Queue()
        self._go_on: dict[str, threading.Event] = {}

    def add(self, name: str) -> Piece[str]:
        """By the owner that the name begins with."""
        event = self._go_on[name] = threading.Event()
        loop = asyncio.get_running_loop()

        def work() -> str:
            self.order.append(name)
            self.threads.setdefault(name[0], []).append(threading.current_thread().name)
            loop.call_soon_threadsafe(self._began.put_nowait, name)
            assert event.wait(LIMIT_S), "nobody let it go"
            return name

        return self.turns.add(name[0], work)

    async def began(self) -> str:
        """The next one that has begun."""
        async with asyncio.timeout(LIMIT_S):
            return await self._began.get()

    def let_go(self, name: str) -> None:
        self._go_on[name].set()


async def test_the_one_goes_first_whose_last_turn_is_longest_ago() -> None:
    held = Held(Turns("t", most=1))
    pieces = [held.add(one) for one in ("a1", "a2", "a3", "b1", "b2", "c1")]
    for _ in pieces:
        held.let_go(await held.began())
    async with asyncio.timeout(LIMIT_S):
        assert [await one.found for one in pieces] == ["a1", "a2", "a3", "b1", "b2", "c1"]
    assert held.order == ["a1", "b1", "c1", "a2", "b2", "a3"]
    late = [held.add("a4"), held.add("d1"), held.add("a5")]
    for _ in late:
        held.let_go(await held.began())
    assert held.order[6:] == ["a4", "d1", "a5"]
    held.turns.stop()


async def test_an_owner_has_one_at_a_time_and_others_have_the_threads_that_are_left() -> None:
    held = Held(Turns("t", most=2))
    pieces = [held.add(one) for one in ("a1", "a2", "b1", "c1")]
    assert {await held.began(), await held.began()} == {"a1", "b1"}
    held.let_go("b1")
    assert await held.began() == "c1"
    held.let_go("a1")
    assert await held.began() == "a2"
    held.let_go("a2")
    held.let_go("c1")
    async with asyncio.timeout(LIMIT_S):
        assert [await one.found for one in pieces] == ["a1", "a2", "b1", "c1"]
    held.turns.stop()


async def test_an_owner_comes_back_to_the_thread_that_it_had() -> None:
    held = Held(Turns("t", most=2))
    for name in ("a1", "b1"):
        held.add(name)
    assert {await held.began(), await held.began()} == {"a1", "b1"}
    held.let_go("a1")
    held.let_go("b1")
    last = None
    for name in ("b2", "a2", "a3", "b3"):
        last = held.add(name)
        assert await held.began() == name
        held.let_go(name)
        async with asyncio.timeout(LIMIT_S):
            await last.found
    assert [len(set(held.threads[one])) for one in "ab"] == [1, 1]
    assert held.threads["a"][0] != held.threads["b"][0]
    held.turns.stop()


async def test_what_is_dropped_before_its_turn_is_not_begun_and_what_was_begun_goes_on() -> None:
    held = Held(Turns("t", most=1))
    first, second, third = held.add("a1"), held.add("a2"), held.add("b1")
    assert await held.began() == "a1"
    assert held.turns.drop(second)
    assert second.found.cancelled()
    assert held.turns.drop(third)
    assert not held.turns.drop(first)
    held.let_go("a1")
    async with asyncio.timeout(LIMIT_S):
        assert await first.found == "a1"
    assert held.order == ["a1"]
    held.turns.stop()


async def test_a_fault_is_told_and_the_next_one_has_its_turn() -> None:
    turns = Turns("t", most=1)

    def faulty() -> int:
        raise ZeroDivisionError

    one, two = turns.add("a", faulty), turns.add("a", lambda: 2)
    with pytest.raises(ZeroDivisionError):
        await one.found
    async with asyncio.timeout(LIMIT_S):
        assert await two.found == 2
    turns.stop()


async def test_threads_end_when_nothing_is_to_be_done_any_more() -> None:
    turns, threads = Turns("t"), list[threading.Thread]()
    await turns.add("a", lambda: threads.append(threading.current_thread())).found
    turns.stop()
    await asyncio.to_thread(threads[0].join, LIMIT_S)
    assert not threads[0].is_alive()
    assert await turns.add("a", lambda: 3).found == 3


def test_a_process_ends_without_waiting_for_what_is_being_found() -> None:
    program = """
import asyncio, threading
from libs.runtime.turns import Turns

async def main():
    began, loop = asyncio.Event(), asyncio.get_running_loop()
    def work():
        loop.call_soon_threadsafe(began.set)
        threading.Event().wait()
    turns = Turns("t")
    turns.add("a", work)
    await began.wait()
    turns.stop()

asyncio.run(main())
print("ended")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.returncode) == ("ended\n", 0), ended.stderr
