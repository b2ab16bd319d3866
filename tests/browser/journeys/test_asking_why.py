"""A target does not move: why, and who may let it go on; by keyboard alone."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import confirmed, keys, tab_to
from tests.browser.journeys.shop import Shop
from tests.browser.journeys.test_watching_a_rollout import STAGED


async def test_why_a_target_waits_and_a_rule_is_skipped_with_a_reason(signed_in: Page, workspace: Workspace) -> None:
    page, shop = signed_in, Shop(workspace, rules={"production": STAGED})
    shop.version("v1")
    await page.goto(workspace.url("/r/prd-1"))
    link = page.locator(f'main a[href*="/t/{shop.key("prd-1")}"]').first
    await tab_to(page, link)
    await keys(page, "Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("prd-1")
    why = page.locator(".why")
    await expect(why).to_contain_text("staging")
    await keys(page, "s")
    await confirmed(page, "Skip the rule", reason="hotfix of the login", says="v1")
    await shop.carry_out("v1", "prd-1")
    await expect(page.locator(".target-head")).to_contain_text("healthy")
    # The others still wait.
    assert not shop.open_jobs("v1", ("prd-2", "prd-3"))
    skips = workspace.call("GET", "/policy-skips")["items"]
    assert [one["reason"] for one in skips] == ["hotfix of the login"]
