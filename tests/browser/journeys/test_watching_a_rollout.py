"""A version goes through the environments while somebody watches; nothing is loaded again."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import is_live, keys, tab_to
from tests.browser.journeys.shop import PRODUCTION, STAGING, Shop

STAGED = [
    {"environmentProgression": {"dependsOnEnvironmentSelector": 'environment.name == "staging"', "minimumSuccessPercentage": 100}}
]


async def test_each_step_is_seen_as_it_happens(signed_in: Page, workspace: Workspace) -> None:
    page, shop = signed_in, Shop(workspace, rules={"production": STAGED})
    await page.goto(workspace.url())
    staging, production = page.locator(shop.cell("staging")), page.locator(shop.cell("production"))
    await is_live(page)
    loaded = await page.evaluate("() => performance.timeOrigin")

    shop.version("v1")
    await expect(staging).to_have_attribute("data-st", "progressing")
    await expect(staging).to_contain_text("v1")
    await expect(production).to_have_attribute("data-st", re.compile("blocked|pending"))
    await shop.carry_out("v1", *STAGING)
    await expect(staging).to_have_attribute("data-st", "healthy")
    for done, name in enumerate(PRODUCTION):
        await expect(production).to_have_attribute("data-st", "progressing")
        await expect(production).to_contain_text(f"{done}/{len(PRODUCTION)}")
        await shop.carry_out("v1", name)
    await expect(production).to_have_attribute("data-st", "healthy")
    assert await page.evaluate("() => performance.timeOrigin") == loaded


async def test_the_matrix_is_walked_by_keyboard(signed_in: Page, workspace: Workspace) -> None:
    page, shop = signed_in, Shop(workspace, rules={"production": STAGED})
    await page.goto(workspace.url())
    shop.version("v1")
    staging, production = page.locator(shop.cell("staging")), page.locator(shop.cell("production"))
    await expect(staging).to_have_attribute("data-st", "progressing")
    await tab_to(page, staging)
    await keys(page, "ArrowRight")
    await expect(production).to_be_focused()
    await keys(page, "Space")
    await expect(page.locator(".peek")).to_contain_text("staging")
    await keys(page, "Escape")
    await expect(page.locator(".peek")).to_have_count(0)
    await keys(page, "/")
    await page.keyboard.type("status:failed")
    await expect(page.get_by_text("Nothing fits this filter")).to_be_visible()
    await keys(page, "Control+a", "Delete")
    await tab_to(page, staging)
    await keys(page, "l", "Enter")
    await expect(page).to_have_url(re.compile(f"/d/{shop.deployment}/e/{shop.environments['production']}"))
