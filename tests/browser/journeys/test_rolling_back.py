"""An unhealthy version goes back by itself, and what happened can be looked at as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import is_live, keys
from tests.browser.journeys.shop import STAGING, Shop, until
from tests.story.telling import Monitoring

HELD = {"production": [{"anyApproval": {"minApprovals": 1}}]}


@pytest.fixture
def monitoring() -> Iterator[Monitoring]:
    with Monitoring().serving() as answering:
        yield answering


async def test_an_unhealthy_version_rolls_back(signed_in: Page, workspace: Workspace, monitoring: Monitoring) -> None:
    page = signed_in
    metric = {
        "name": "errors",
        "intervalSeconds": 1,
        "count": 1,
        "provider": {
            "type": "http",
            "url": f"http://127.0.0.1:{monitoring.port}/?version={{{{.version.tag}}}}&resource={{{{.resource.name}}}}",
        },
        "successCondition": "result.ok && result.json.errorRate < 0.01",
    }
    rules = [
        {"verification": {"triggerOn": "jobSuccess", "metrics": [metric]}},
        {"rollback": {"onJobStatuses": ["failure"], "onVerificationFailure": True}},
    ]
    shop = Shop(workspace, agent="test-runner", rules=HELD, everywhere=rules)
    await page.goto(workspace.url())
    staging = page.locator(shop.cell("staging"))
    await is_live(page)
    shop.version("v1")
    await expect(staging).to_have_attribute("data-st", "healthy")
    await until(lambda: ("v1", STAGING[0]) in monitoring.asked, "v1 is measured")
    monitoring.unhealthy.add(("v2", STAGING[0]))
    shop.version("v2")
    await expect(staging).to_contain_text(re.compile("back to v1|rolled back"))
    await until(lambda: shop.runs(STAGING[0], "v1"), "v1 runs again")

    await page.goto(workspace.url(f"/t/{shop.key(STAGING[0])}"))
    await expect(page.get_by_role("heading", level=1)).to_have_text(STAGING[0])
    sheet = page.locator(".sheet")
    await expect(sheet).to_contain_text(re.compile("v2.*"))
    await expect(sheet.get_by_role("button", name="Lift the mark").first).to_be_visible()


async def test_one_looks_back_to_before_it_and_returns(signed_in: Page, workspace: Workspace) -> None:
    page, shop = signed_in, Shop(workspace, rules=HELD, everywhere=[{"rollback": {"onJobStatuses": ["failure"]}}])
    await page.goto(workspace.url())
    staging = page.locator(shop.cell("staging"))
    await is_live(page)
    shop.version("v1")
    await shop.carry_out("v1", *STAGING)
    await expect(staging).to_have_attribute("data-st", "healthy")
    shop.version("v2")
    await expect(staging).to_have_attribute("data-st", "progressing")
    before = workspace.call("GET", "/board")["position"]
    await shop.carry_out("v2", *STAGING, status="failure")
    await expect(staging).to_contain_text(re.compile("back to v1|rolled back"))
    await shop.carry_out("v1", *STAGING)

    await page.goto(workspace.url(f"?at={before}"))
    await expect(staging).to_have_attribute("data-st", "progressing")
    await expect(staging).to_contain_text("v2")
    await expect(page.get_by_role("button", name="Back to live")).to_be_visible()
    await page.goto(workspace.url(f"/t/{shop.key(STAGING[0])}?at={before}"))
    back = page.get_by_role("button", name="Roll back…")
    await expect(back).to_have_attribute("aria-disabled", "true")
    await expect(back).to_have_attribute("title", re.compile("looking at the past"))
    await keys(page, "[")
    await expect(page).to_have_url(re.compile(rf"at={before - 1}\b"))
    await keys(page, "]", "Escape")
    await expect(page).not_to_have_url(re.compile("at="))
    await is_live(page)
    await expect(back).not_to_have_attribute("aria-disabled", "true")
