"""What is kept from one answer to the next."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from libs.runtime.kept import Kept


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    kept: Kept[str, int] = Kept(2)
    kept.keep("a", 1)
    kept.keep("b", 2)
    assert kept.get("a") == 1
    assert kept.keep("c", 3) == 3
    assert (kept.get("a"), kept.get("b"), kept.get("c"), len(kept)) == (1, None, 3, 2)
    kept.keep("a", 4)
    kept.keep("d", 5)
    assert (kept.get("a"), kept.get("c")) == (4, None)
    kept.clear()
    assert (kept.get("a"), len(kept)) == (None, 0)


def test_each_thread_keeps_its_own() -> None:
    kept: Kept[str, int] = Kept(1)
    kept.keep("a", 1)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(kept.get, "a").result() is None
        thread.submit(kept.keep, "b", 2).result()
        thread.submit(kept.keep, "c", 3).result()
        assert thread.submit(len, kept).result() == 1
    assert kept.get("a") == 1
