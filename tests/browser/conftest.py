"""The whole system as a user starts it, and a browser that goes to it: Debian's Chromium, driven by Playwright.

All of these tests share one system and one browser; each gets a workspace and a browser profile of its own. At the end of each test nothing
may have been complained about on the console, and nothing asked of another host.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from infra.ui.__main__ import ROOT, main
from infra.ui.building import Tools, node_beside
from infra.ui.sources import Dashboard
from tests.browser.arranging import Workspace, new_workspace
from tests.browser.looking import Axe, Camera
from tests.browser.program import launch
from tests.browser.watching import Watch
from tests.story.house import House, house

HERE = Path(__file__).parent
LIMIT_MS = 40_000
"""How long something may take to come about in the page. Hardly anything takes a tenth of it, but other tests run beside this one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all of them, in which the browser lives."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            if pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def dashboard() -> Dashboard:
    """Its files, made where they have to be, and the packages that its tests need."""
    assert main([]) == 0
    made = Dashboard(ROOT)
    Tools(made.sources, node_beside(Path(sys.prefix), made.node_lock)).install()
    return made


@pytest.fixture(scope="session")
def system(dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Postgres, nats-server and all services in one process, behind HTTP, with the dashboard that was made."""
    assert (dashboard.made / "index.html").is_file()
    with house(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """Chromium, without a window."""
    expect.set_options(timeout=LIMIT_MS)
    async with async_playwright() as playwright:
        running = await launch(playwright, tmp_path_factory.mktemp("chromium"))
        yield running
        await running.close()


@pytest.fixture
def workspace(system: House) -> Iterator[Workspace]:
    """An empty workspace, and a client that arranges things in it with the administrator's key."""
    with new_workspace(system) as made:
        yield made


@pytest.fixture
def watch(system: House) -> Watch:
    """What the pages of this test complain about, and whom they ask."""
    return Watch(system.url)


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, system: House, watch: Watch) -> AsyncIterator[BrowserContext]:
    """A browser profile of its own; its pages are watched, and what was seen is judged at the end of the test."""
    made = await browser.new_context(
        base_url=system.url,
        viewport={"width": 1440, "height": 900},
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    made.set_default_timeout(LIMIT_MS)
    watch.follow(made)
    yield made
    await made.close()
    watch.judge()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    """An empty tab; nobody is signed in."""
    return await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def signed_in(context: BrowserContext, page: Page, system: House) -> Page:
    """An empty tab; the administrator is signed in."""
    answer = await context.request.post("/api/session", data={"apiKey": system.api_key})
    assert answer.status == 200, await answer.text()
    return page


@pytest.fixture
def axe(dashboard: Dashboard) -> Axe:
    """Checks a page for what people who can not see it, or hardly, would stumble over."""
    return Axe(dashboard)


@pytest.fixture
def camera() -> Camera:
    """Takes pictures of a page, in both themes, wide and narrow."""
    return Camera(HERE / "screenshots")
