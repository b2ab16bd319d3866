"""What holds for each page, whatever it shows: nothing that axe finds, nothing wider than a phone, one heading, no complaints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest
from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace, new_workspace
from tests.browser.journeys.shop import STAGING, Shop
from tests.browser.looking import Axe, Camera
from tests.story.house import House, wait_until

PHONES: Final = (390, 320)
RULES: Final = {"production": [{"anyApproval": {"minApprovals": 1}}]}
_SETTLED: Final = "() => !document.querySelector('main [aria-busy=true], main .skeleton, main .ghost-text')"
_WIDER: Final = """
() => [...document.querySelectorAll('html, body, main')]
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => `${one.localName}: ${one.scrollWidth} > ${one.clientWidth}`)
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """A workspace in which every page has something to show."""

    workspace: Workspace
    shop: Shop
    ids: dict[str, str]

    def url(self, path: str) -> str:
        """The address of a page, with the ids of what it is about."""
        return self.workspace.url(path.format(**self.ids))


@pytest.fixture(scope="session")
def filled(system: House) -> Iterator[Filled]:
    """v1 runs in staging, v2 waits for an approval, something is frozen; shared, so nothing may change it."""
    with new_workspace(system) as workspace:
        call, shop = workspace.call, Shop(workspace, agent="test-runner", rules=RULES)
        version = shop.version("v1", metadata={"commit": "0f1e2d3"})

        wait_until(lambda: shop.runs(STAGING[0], "v1"), "v1 runs in staging")
        seen = shop.state(STAGING[0])
        freeze = {"scope": "environment", "scopeId": shop.environments["production"], "reason": "holidays"}
        call("POST", "/freezes", freeze)
        policy = call("GET", "/policies")["items"][0]["id"]
        yield Filled(
            workspace,
            shop,
            {
                "deployment": shop.deployment,
                "environment": shop.environments["staging"],
                "version": version,
                "target": shop.key(STAGING[0]),
                "resource": STAGING[0],
                "policy": policy,
                "job": seen["latestJob"]["job"]["id"],
            },
        )


PAGES: Final = {
    "overview": "",
    "deployments": "/d",
    "deployment": "/d/{deployment}",
    "rollout": "/d/{deployment}/e/{environment}",
    "target": "/t/{target}",
    "approvals": "/approvals",
    "versions": "/versions",
    "version": "/v/{version}",
    "environments": "/environments",
    "resources": "/resources",
    "resource": "/r/{resource}",
    "policies": "/policies",
    "policy": "/p/{policy}",
    "freezes": "/freezes",
    "jobs": "/jobs",
    "job": "/j/{job}",
    "events": "/events",
    "keys": "/settings/keys",
    "agents": "/settings/agents",
    "providers": "/settings/providers",
    "system": "/settings/system",
    "browser": "/settings/browser",
    "start": "/start",
    "nowhere": "/no-such-page",
}
"""Name → address."""


async def shown(page: Page) -> None:
    """The page is there, with everything that it asked for."""
    await page.locator("main h1, main h2").first.wait_for()
    await page.wait_for_function(_SETTLED)


async def test_an_address_of_no_page_leads_back_into_its_workspace(signed_in: Page, filled: Filled) -> None:
    page = signed_in
    await page.goto(filled.url("/no-such-page"))
    await expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    await page.get_by_role("link", name="Go to the overview").click()
    await expect(page).to_have_url(re.compile(re.escape(filled.url("")) + "$"))
    await page.goto("/w/nobody-s/jobs")
    await expect(page.get_by_role("heading", name="There is no such workspace")).to_be_visible()
    await expect(page.get_by_text("The address names nobody-s.")).to_be_visible()


@pytest.mark.parametrize("name", PAGES)
async def test_page(signed_in: Page, filled: Filled, axe: Axe, camera: Camera, name: str) -> None:
    page = signed_in
    await page.goto(filled.url(PAGES[name]))
    await shown(page)
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    await axe(page)
    for width in PHONES:
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate(_WIDER) == [], f"{name} at {width} px"
    await page.set_viewport_size({"width": 1440, "height": 900})
    await camera(page, f"every-{name}")
