"""The line is stopped, says so everywhere, and goes on; by keyboard alone."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import confirmed, keys
from tests.browser.journeys.shop import Shop


async def test_the_line_is_stopped_and_thawed(signed_in: Page, workspace: Workspace) -> None:
    page, shop = signed_in, Shop(workspace)
    await page.goto(workspace.url())
    staging = page.locator(shop.cell("staging"))
    await expect(staging).to_be_visible()
    await keys(page, "g", "f")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Freezes")
    await keys(page, "S")
    await confirmed(page, "Stop the line", reason="database on fire", says="Freezes the whole workspace")
    active = page.get_by_role("list", name="Active freezes")
    await expect(active).to_contain_text("database on fire")
    shop.version("v1")
    await keys(page, "g", "o")
    await expect(staging).to_contain_text(re.compile("frozen", re.IGNORECASE))
    assert not shop.open_jobs("v1", ("stg-1",))

    await keys(page, "g", "f")
    await expect(active.get_by_role("listitem")).to_have_count(1)
    await keys(page, "j", "t")
    await confirmed(page, "Thaw it", says="database on fire")
    await expect(page.get_by_role("list", name="Past freezes")).to_contain_text("database on fire")
    await keys(page, "g", "o")
    await expect(staging).to_have_attribute("data-st", "progressing")
