"""The environments: their order, what is in each, and the way back of all of one."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import Shop, until
from tests.browser.looking import Axe, Camera

PROGRESSION = {
    "environmentProgression": {
        "dependsOnEnvironmentSelector": 'environment.name == "production"',
        "minimumSuccessPercentage": 100,
    }
}


async def look_at(page: Page, workspace: Workspace, query: str = "") -> None:
    await page.goto(workspace.url(f"/environments{query}"))
    await expect(page.get_by_role("heading", name="Environments", level=1)).to_be_visible()


async def test_they_stand_in_the_order_in_which_versions_pass_them(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    # Staging is older, and would stand first if nobody said that it comes after production.
    shop = Shop(workspace, rules={"staging": [PROGRESSION]})
    shop.version("v1")
    await look_at(signed_in, workspace)
    rows = signed_in.get_by_role("grid", name="Environments").get_by_role("row")
    await expect(rows.nth(1)).to_contain_text("production")
    await expect(rows.nth(2)).to_contain_text("staging")
    await expect(rows.nth(1)).to_contain_text("0 of 3")
    await shop.carry_out("v1", "prd-1")
    await expect(rows.nth(1)).to_contain_text("1 of 3")
    detail = signed_in.get_by_role("region", name="production")
    await expect(detail).to_contain_text('resource.metadata["stage"] == "production"')
    await axe(signed_in)
    await camera(signed_in, "environments")
    await rows.nth(1).focus()
    await keys(signed_in, "j")
    await keys(signed_in, "Enter")
    await expect(signed_in).to_have_url(re.compile(f"env={shop.environments['staging']}"))
    shown = signed_in.get_by_role("region", name="staging")
    await shown.get_by_role("link", name="api").click()
    await expect(signed_in.get_by_role("heading", name="api in staging", level=1)).to_be_visible()


async def test_all_of_an_environment_goes_back(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    shop = Shop(workspace)
    for tag in ("v1", "v2"):
        shop.version(tag)
        await shop.carry_out(tag, "stg-1")
        await until(lambda tag=tag: shop.runs("stg-1", tag), tag)  # type: ignore[misc]
    await look_at(signed_in, workspace, f"?env={shop.environments['staging']}")
    await signed_in.get_by_role("button", name="Roll back everything…").click()
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("Rolls staging back now: api, 1 target from v2 to v1.")
    await axe(signed_in)
    await dialog.get_by_label(re.compile("^Reason")).fill("all is red")
    await dialog.get_by_role("button", name="Roll back 1 target").click()
    await expect(signed_in.get_by_text("1 target in staging goes back.")).to_be_visible()
    await shop.carry_out("v1", "stg-1")
    await expect(signed_in.get_by_role("region", name="staging").get_by_role("row").filter(has_text="api")).to_contain_text("v1")


async def test_a_filter_and_an_empty_workspace_say_what_to_do(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    await signed_in.goto(workspace.url("/environments"))
    await expect(signed_in.get_by_role("heading", name="No environments yet")).to_be_visible()
    await expect(signed_in.get_by_role("region", name="Command")).to_contain_text(f"/workspaces/{workspace.id}/environments")
    await axe(signed_in)
    Shop(workspace)
    # It comes by itself.
    await expect(signed_in.get_by_role("grid", name="Environments")).to_contain_text("staging")
    await keys(signed_in, "/")
    await signed_in.keyboard.type("nowhere")
    await expect(signed_in.get_by_role("heading", name="No environment fits this filter")).to_be_visible()
    await signed_in.get_by_role("button", name="Show every environment").click()
    await expect(signed_in.get_by_role("grid", name="Environments")).to_contain_text("production")


async def test_the_past_and_a_phone(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    shop.version("v1")
    then = workspace.call("GET", "/board")["position"]
    await signed_in.set_viewport_size({"width": 320, "height": 800})
    await look_at(signed_in, workspace, f"?at={then}")
    back = signed_in.get_by_role("button", name="Roll back everything…")
    await expect(back).to_have_attribute("aria-disabled", "true")
    assert await signed_in.evaluate("() => { const m = document.querySelector('main'); return m.scrollWidth <= m.clientWidth }")
