"""From an empty workspace to a version that runs, by keyboard alone."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys, tab_to
from tests.browser.looking import Axe, Camera


async def test_from_nothing_to_a_version_that_runs(signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera) -> None:
    page = signed_in
    await page.goto(workspace.url())
    await tab_to(page, page.get_by_role("link", name="Follow the first-run guide"))
    await keys(page, "Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("From nothing to a deployed version")
    step = page.locator('.steps-of-start > li[aria-current="step"]')
    await expect(step.get_by_role("heading")).to_have_text("Make a system")
    await axe(page)
    await camera(page, "journey-first-run")
    await keys(page, "j")
    titles = ("Make an environment", "Tell of a resource", "Set up an agent", "Make a deployment", "Post a version")
    for title in titles:
        await expect(step.locator("input").first).to_be_focused()
        await keys(page, "Enter")
        await expect(step.get_by_role("heading")).to_have_text(title)
        if title == "Set up an agent":
            seconds = step.get_by_label("Seconds that a job takes")
            await tab_to(page, seconds)
            await keys(page, "Control+a", "0")
            await keys(page, "Enter")
            await expect(step.get_by_role("heading")).to_have_text("Make a deployment")
            break
    await expect(step.locator("input").first).to_be_focused()
    await keys(page, "Enter")
    await expect(step.get_by_role("heading")).to_have_text("Post a version")
    await expect(step.locator("input").first).to_be_focused()
    await keys(page, "Enter")
    await expect(page.locator(".arrived")).to_contain_text("v1.0.0 of api runs on 1 of 1 target in production.")
    await axe(page)
    await tab_to(page, page.get_by_role("link", name="See it in the overview"))
    await keys(page, "Enter")
    await expect(page.get_by_role("grid").get_by_role("link", name="api in production: healthy")).to_contain_text("v1.0.0")
