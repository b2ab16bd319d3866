"""The network goes and comes back; and many tabs share one connection."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import is_live
from tests.browser.journeys.shop import STAGING, Shop, until
from tests.browser.journeys.wire import Wire, wire_to
from tests.browser.watching import Watch
from tests.story.house import House

TABS: Final = 12


@pytest_asyncio.fixture(loop_scope="session")
async def wire(system: House) -> AsyncIterator[Wire]:
    async with wire_to(system.url) as made:
        yield made


@pytest.fixture
def watch(wire: Wire) -> Watch:
    """The pages of these tests are those of the wire."""
    return Watch(wire.url)


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, wire: Wire, system: House, watch: Watch) -> AsyncIterator[BrowserContext]:
    """A browser profile behind the wire, the administrator signed in."""
    made = await browser.new_context(base_url=wire.url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    watch.follow(made)
    answer = await made.request.post("/api/session", data={"apiKey": system.api_key})
    assert answer.status == 200, await answer.text()
    yield made
    await made.close()
    watch.judge()


async def test_what_happened_during_a_cut_is_caught_up_with(
    context: BrowserContext, wire: Wire, workspace: Workspace, watch: Watch
) -> None:
    watch.expect("ERR_")
    page, shop = await context.new_page(), Shop(workspace)
    await page.goto(workspace.url())
    staging = page.locator(shop.cell("staging"))
    await is_live(page)
    shop.version("v1")
    await expect(staging).to_have_attribute("data-st", "progressing")
    await wire.cut()
    await expect(page.locator(".fresh")).to_have_attribute("data-state", "cut")
    await shop.carry_out("v1", *STAGING)
    shop.version("v2")
    await shop.carry_out("v2", *STAGING)
    newest = workspace.call("GET", "/board")["position"]
    # Nothing is told that is not known, and nothing is hidden.
    await expect(staging).to_contain_text("v1")
    await wire.mend()
    await is_live(page)
    await expect(page.get_by_text(re.compile(r"Caught up with \d+ events"))).to_be_visible()
    await expect(staging).to_contain_text("v2")
    await expect(staging).to_have_attribute("data-st", "healthy")
    await expect(page.locator(".fresh")).to_have_attribute("title", re.compile(rf"As of event {newest}\b"))
    # And it goes on.
    shop.version("v3")
    await expect(staging).to_contain_text("v3")


async def test_twelve_tabs_share_one_stream(context: BrowserContext, wire: Wire, workspace: Workspace) -> None:
    shop = Shop(workspace)
    tabs = [await context.new_page() for _ in range(TABS)]
    await asyncio.gather(*(tab.goto(workspace.url()) for tab in tabs))
    for tab in tabs:
        await is_live(tab)
    assert await until(lambda: wire.streams == 1, "one stream for all tabs")
    shop.version("v1")
    for tab in tabs:
        await expect(tab.locator(shop.cell("staging"))).to_contain_text("v1")
    assert wire.streams == 1
