"""What the dashboard costs whoever looks at it: `python -m tests.bench dashboard [--targets 10000] [--rate 200] [--seconds 20]`.

In this machine's Chromium, without a window, on loopback, once the system is at rest. First useful paint: from the navigation to the
frame after the first row of data is in the page, and no sooner than the browser says that it has shown anything; the median of
nine new browser profiles (nothing cached), each in a window that has finished opening. Event to screen: from when a fact was recorded to the frame after the page shows a state that has it,
one clock for both, while jobs of 40 × 6 cells change so many times a second. Scrolling: how long frames take while a list moves
by half a screen in each, and how many rows it keeps; beside it an empty box of the same height, moved the same way. JavaScript:
compressed, before the first screen and all.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from infra.ui.__main__ import main as make_files
from tests.bench.running import PATIENCE_S, ROOT, Running, machine, running
from tests.bench.stream import jobs_in_cells, write
from tests.browser.program import launch

TIMES: Final = 9
_OPEN_MS: Final = 500
"""So long a new window is left to itself: it has a process of its own, which is no part of the page."""

_FIRST: Final = """
(selector) => {
  const tell = (rows) => {
    const [painted] = performance.getEntriesByName('first-contentful-paint')
    if (painted) console.debug(`painted at ${Math.max(rows, painted.startTime)}`)
    else setTimeout(tell, 20, rows)
  }
  const look = () => {
    if (document.querySelector(selector)) requestAnimationFrame(() => tell(performance.now()))
    else requestAnimationFrame(look)
  }
  look()
}
"""
"""The page tells by itself: to be asked, the browser would first compile what asks, in the very moment that is measured."""

_HEADS: Final = """
() => {
  window.heads = []
  const mark = document.querySelector('.fresh')
  const note = () => requestAnimationFrame(() => {
    const found = /event (\\d+)/.exec(mark.title)
    if (found) window.heads.push([Number(found[1]), performance.timeOrigin + performance.now()])
  })
  new MutationObserver(note).observe(mark, { attributes: true, attributeFilter: ['title'] })
}
"""
_SCROLL: Final = """
async () => {
  const box = [...document.querySelectorAll('main, main *')].filter((one) => one.scrollHeight > one.clientHeight + 100)
    .sort((a, b) => b.scrollHeight - a.scrollHeight)[0]
  const frame = () => new Promise(requestAnimationFrame)
  const took = []
  let before = await frame()
  for (let n = 0; n < 300; n++) {
    box.scrollTop += box.clientHeight / 2
    const now = await frame()
    took.push(now - before)
    before = now
  }
  return { took, height: box.scrollHeight, rows: box.querySelectorAll('[role=row]').length }
}
"""


_EMPTY: Final = """
(height) => {
  document.body.innerHTML = `<main style="height: 800px; overflow: auto"><div style="height: ${height}px"></div></main>`
}
"""


def frames_of(scrolled: dict[str, Any]) -> str:
    """How long frames took."""
    took = sorted(scrolled["took"])
    return f"frames p50 {took[len(took) // 2]:.1f} ms, p95 {took[int(len(took) * 0.95)]:.1f} ms"


def sizes() -> tuple[int, int]:
    """Compressed bytes of JavaScript before the first screen, and of all."""
    made = ROOT / "services/gateway/static"
    manifest: dict[str, dict[str, Any]] = json.loads((made / ".vite/manifest.json").read_text("utf-8"))
    first: set[str] = set()

    def follow(key: str) -> None:
        if manifest[key]["file"] not in first:
            first.add(manifest[key]["file"])
            for other in manifest[key].get("imports", ()):
                follow(other)

    for key, chunk in manifest.items():
        if chunk.get("isEntry"):
            follow(key)
    zipped = {str(file.relative_to(made)).removesuffix(".gz"): file.stat().st_size for file in made.rglob("*.js.gz")}
    return sum(zipped.get(name, (made / name).stat().st_size) for name in first), sum(zipped.values())


async def profile(browser: Browser, here: Running) -> tuple[BrowserContext, str]:
    """A new profile, signed in; and the address of the workspace."""
    url = f"{here.client.base_url.scheme}://{here.client.base_url.host}:{here.client.base_url.port}"
    made = await browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
    made.set_default_timeout(1000 * PATIENCE_S)
    answer = await made.request.post("/api/session", data={"apiKey": here.client.headers["X-API-Key"]})
    assert answer.ok, await answer.text()
    slug = next(one["slug"] for one in (await answer.json())["workspaces"] if one["id"] == here.workspace_id)
    return made, f"/w/{slug}"


async def paint(browser: Browser, here: Running, path: str, selector: str) -> float:
    """Milliseconds to the first useful paint of a page, the median."""
    found = []
    for _ in range(TIMES):
        context, base = await profile(browser, here)
        page = await context.new_page()
        await page.add_init_script(f"({_FIRST})({json.dumps(selector)})")
        await page.wait_for_timeout(_OPEN_MS)
        async with page.expect_console_message(lambda message: message.text.startswith("painted at ")) as told:
            await page.goto(base + path, wait_until="commit")
        found.append(float((await told.value).text.removeprefix("painted at ")))
        await context.close()
    return statistics.median(found)


async def late(page: Page, here: Running, jobs: Sequence[str], rate: int, seconds: float) -> list[float]:
    """Milliseconds from the record to the screen, ordered."""
    # The first change of each job is none to its cell, of which the page would hear with the next beat only; after the second
    # all of them are as they are not in the next round.
    await write(here, jobs, rate, 2 * len(jobs) / rate)
    start = here.post("GET", "/board")["position"]
    await page.evaluate(_HEADS)
    await write(here, jobs, rate, seconds)
    end = here.post("GET", "/board")["position"]
    await page.wait_for_function("(end) => window.heads.some(([position]) => position >= end)", arg=end)
    heads: list[tuple[int, float]] = await page.evaluate("() => window.heads")
    found, at = [], start
    while at < end:
        page_of = here.post("GET", f"/events?after={at}&limit=1000&order=asc")
        items = page_of["items"]
        if not items:
            break
        for one in items:
            seen = next((when for position, when in heads if position >= one["position"]), None)
            if seen is not None:
                found.append(seen - 1000 * datetime.fromisoformat(one["recordedtime"]).timestamp())
        at = items[-1]["position"]
    return sorted(found)


def many_targets(here: Running, count: int) -> tuple[str, str]:
    """One deployment in one environment with so many targets; their ids."""
    agent = str(uuid.uuid4())
    here.post("PUT", f"/job-agents/{agent}", {"name": "many", "type": "test-runner", "config": {}})
    provider = here.post("PUT", "/resource-providers", {"id": "", "name": "many"})["id"]
    made = "2026-01-01T00:00:00Z"
    some = [
        {
            "identifier": f"m/{n}",
            "name": f"m{n}",
            "kind": "Node",
            "version": "v1",
            "config": {},
            "metadata": {},
            "createdAt": made,
        }
        for n in range(count)
    ]
    here.post("PUT", f"/resource-providers/{provider}/set", {"resources": some})
    system = here.post("POST", "/systems", {"name": "many"})["id"]
    environment = here.post("POST", "/environments", {"name": "many", "resourceSelector": 'resource.kind == "Node"'})["id"]
    here.post("PUT", f"/systems/{system}/environments/{environment}")
    body = {"name": "many", "slug": "many", "resourceSelector": "true", "jobAgentSelector": f'jobAgent.id == "{agent}"'}
    deployment = here.post("POST", "/deployments", body)["id"]
    here.post("PUT", f"/systems/{system}/deployments/{deployment}")
    here.post("POST", f"/deployments/{deployment}/versions", {"tag": "v1", "name": "v1", "status": "ready"})
    end = time.monotonic() + PATIENCE_S
    while (shown := here.post("GET", f"/board/rollouts/{deployment}/{environment}?limit=1")["cell"])["done"] < count:
        assert time.monotonic() < end, f"only {shown['done']} of {count} targets are done"
        time.sleep(0.5)
    return str(deployment), str(environment)


async def _matrix(here: Running, rate: int, seconds: float) -> None:
    jobs = await asyncio.to_thread(jobs_in_cells, here)
    await asyncio.to_thread(here.at_rest)
    async with async_playwright() as playwright:
        browser = await launch(playwright, Path(tempfile.mkdtemp(prefix="signalbox-chromium-")))
        took = await paint(browser, here, "", ".mx .cell[data-st]")
        print(f"first useful paint with 40 × 6 cells: {took:.0f} ms (median of {TIMES})", flush=True)
        context, base = await profile(browser, here)
        page = await context.new_page()
        await page.goto(base)
        await page.locator(".fresh[data-state=live]").wait_for()
        ordered = await late(page, here, jobs, rate, seconds)
        p50, p95 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.95))
        print(f"event to screen at {rate} changes/s, {len(ordered)} facts: p50 {p50:.0f} ms, p95 {p95:.0f} ms", flush=True)
        await browser.close()


async def _targets(here: Running, targets: int) -> None:
    deployment, environment = await asyncio.to_thread(many_targets, here, targets)
    await asyncio.to_thread(here.at_rest)
    async with async_playwright() as playwright:
        browser = await launch(playwright, Path(tempfile.mkdtemp(prefix="signalbox-chromium-")))
        took = await paint(browser, here, "", ".mx .cell[data-st]")
        print(f"first useful paint of the overview of {targets} targets: {took:.0f} ms", flush=True)
        took = await paint(browser, here, f"/d/{deployment}/e/{environment}", 'main a[href*="/t/"]')
        print(f"first useful paint of a rollout of {targets} targets: {took:.0f} ms", flush=True)
        context, base = await profile(browser, here)
        page = await context.new_page()
        await page.goto(f"{base}/resources")
        await page.locator('main [role="row"]').nth(10).wait_for()
        scrolled = await page.evaluate(_SCROLL)
        print(f"scrolling a list of {targets} rows: {frames_of(scrolled)}; {scrolled['rows']} rows in the page", flush=True)
        await page.goto("about:blank")
        await page.evaluate(_EMPTY, scrolled["height"])
        print(f"scrolling an empty box of that height: {frames_of(await page.evaluate(_SCROLL))}", flush=True)
        await browser.close()


def measure(targets: int, rate: int, seconds: float, options: Sequence[str]) -> None:
    """Print the figures."""
    print(machine(*options))
    assert make_files([]) == 0
    first, every = sizes()
    print(f"JavaScript, gzip: {first / 1000:.1f} kB before the first screen, {every / 1000:.1f} kB in all", flush=True)
    with running(*options) as here:
        asyncio.run(_matrix(here, rate, seconds))
    # In a system of its own: every resource would be a target of each of the 240 cells.
    with running(*options) as here:
        asyncio.run(_targets(here, targets))
