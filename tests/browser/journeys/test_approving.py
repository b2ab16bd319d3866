"""Somebody is asked, looks, and says yes: by keyboard alone, while a second tab sees it."""

from __future__ import annotations

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import confirmed, is_live, keys
from tests.browser.journeys.shop import PRODUCTION, Shop


async def test_an_approval_lets_a_version_go(signed_in: Page, context: BrowserContext, workspace: Workspace) -> None:
    page, shop = signed_in, Shop(workspace, rules={"production": [{"anyApproval": {"minApprovals": 1}}]})
    other = await context.new_page()
    await other.goto(workspace.url())
    await is_live(other)
    shop.version("v1")
    production = other.locator(shop.cell("production"))
    await expect(production).to_have_attribute("data-st", "blocked")
    await expect(production).to_contain_text("needs 1 approval")

    await page.goto(workspace.url())
    await expect(page.locator(shop.cell("production"))).to_be_visible()
    await keys(page, "g", "a")
    row = page.locator(".inbox li").filter(has_text="production")
    await expect(row).to_be_visible()
    await keys(page, "j")
    await expect(row).to_be_focused()
    await keys(page, "y")
    await confirmed(page, "Approve", reason="looks good in staging", says="3 targets")
    await expect(page.get_by_text("Nothing waits for anybody", exact=True)).to_be_visible()

    # Whoever looks elsewhere sees it without doing anything.
    await expect(production).to_have_attribute("data-st", "progressing")
    await shop.carry_out("v1", *PRODUCTION)
    await expect(production).to_have_attribute("data-st", "healthy")
    await page.get_by_role("tab", name="Done").click()
    await expect(page.get_by_role("tabpanel")).to_contain_text("looks good in staging")


async def test_a_rejection_needs_a_reason(signed_in: Page, workspace: Workspace) -> None:
    page, shop = signed_in, Shop(workspace, rules={"production": [{"anyApproval": {"minApprovals": 1}}]})
    shop.version("v1")
    await page.goto(workspace.url("/approvals"))
    await expect(page.locator(".inbox li")).to_have_count(1)
    await keys(page, "j", "n")
    reject = page.get_by_role("dialog").get_by_role("button", name="Reject", exact=True)
    await expect(reject).to_have_attribute("aria-disabled", "true")
    await expect(reject).to_have_attribute("title", "Give a reason first.")
    await confirmed(page, "Reject", reason="breaks the login")
    await page.get_by_role("tab", name="Done").click()
    await expect(page.get_by_role("tabpanel")).to_contain_text("breaks the login")
