"""The overview: views, groups that fold, rows that are higher or lower, and the way to what needs somebody."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import is_live, keys
from tests.browser.journeys.shop import STAGING, Shop
from tests.browser.looking import Axe, Camera

RULES: dict[str, list[dict[str, Any]]] = {"production": [{"anyApproval": {"minApprovals": 1}}]}
MANY = 60
"""Rows: more than are in sight."""


@pytest.fixture
def shop(workspace: Workspace) -> Shop:
    """With an approval that production waits for, and a second system."""
    made = Shop(workspace, rules=RULES)
    other = workspace.call("POST", "/systems", {"name": "office"})["id"]
    body = {"name": "mail", "slug": "mail", "resourceSelector": "true", "jobAgentSelector": "true"}
    deployment = workspace.call("POST", "/deployments", body)["id"]
    workspace.call("PUT", f"/systems/{other}/deployments/{deployment}")
    workspace.call("PUT", f"/systems/{other}/environments/{made.environments['staging']}")
    return made


async def look_at(page: Page, workspace: Workspace, query: str = "") -> None:
    await page.goto(workspace.url(query))
    await is_live(page)
    await expect(page.get_by_role("button", name=re.compile("^View"))).to_be_visible()


async def troubled(shop: Shop, page: Page) -> None:
    """It failed in staging, and production waits for an approval."""
    shop.version("v1")
    await shop.carry_out("v1", *STAGING, status="failure")
    await expect(page.locator(shop.cell("staging"))).to_have_attribute("data-st", "failed")
    await expect(page.locator(shop.cell("production"))).to_have_attribute("data-st", "blocked")


async def test_a_filter_gets_a_name_and_is_found_by_it(
    signed_in: Page, workspace: Workspace, shop: Shop, axe: Axe, camera: Camera
) -> None:
    page = signed_in
    await look_at(page, workspace)
    # Nothing yet: the menu teaches what views are, and says why there is nothing to name.
    menu = page.get_by_role("button", name=re.compile("^View"))
    await menu.click()
    await expect(page.get_by_role("menuitem", name="Name this filter")).to_have_attribute(
        "title", "Nothing is filtered: type a filter first."
    )
    await page.get_by_role("menuitem", name="What views are").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("A view is a filter with a name")
    await axe(page)
    await camera(page, "overview-no-views")
    await dialog.get_by_role("button", name="Close").click()
    # By keyboard alone: filter, menu, name.
    field = page.get_by_role("searchbox", name="Filter the matrix")
    await field.fill("system:office")
    await keys(page, "Tab", "Enter")
    await expect(page.get_by_role("menuitem", name="Name this filter")).to_be_focused()
    await keys(page, "Enter")
    await expect(dialog.get_by_label("Name of the view")).to_be_focused()
    await keys(page, "Enter")
    await expect(dialog.get_by_role("alert")).to_have_text("Give it a name.")
    await axe(page)
    await page.keyboard.type("The office")
    await keys(page, "Enter")
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_role("button", name="View: The office")).to_be_focused()
    # The same name again is refused; another one is not.
    await field.fill("status:blocked")
    await menu.click()
    await camera(page, "overview-views")
    await axe(page)
    await page.get_by_role("menuitem", name="Name this filter").click()
    await dialog.get_by_label("Name of the view").fill("the OFFICE")
    await dialog.get_by_role("button", name="Keep the view").click()
    await expect(dialog.get_by_role("alert")).to_have_text("There is a view “The office” already.")
    await dialog.get_by_label("Name of the view").fill("Blocked")
    await dialog.get_by_role("button", name="Keep the view").click()
    await expect(dialog).to_have_count(0)
    # Kept by the browser, with the page away: in the menu, and in what Ctrl K opens.
    await look_at(page, workspace)
    await menu.click()
    await expect(page.get_by_role("menuitemradio")).to_have_text([re.compile("^Blocked"), re.compile("^The office")])
    await page.get_by_role("menuitemradio", name="The office").click()
    await expect(field).to_have_value("system:office")
    await expect(page.get_by_role("row").filter(has_text="api")).to_have_count(0)
    await keys(page, "Control+k")
    await page.get_by_role("combobox").fill("view blocked")
    await keys(page, "Enter")
    await expect(page).to_have_url(re.compile("q=status%3Ablocked"))
    # Back is where one was.
    await page.go_back()
    await expect(page).to_have_url(re.compile("q=system%3Aoffice"))


async def test_views_are_renamed_and_deleted_and_belong_to_their_workspace(
    signed_in: Page, workspace: Workspace, shop: Shop, axe: Axe, camera: Camera
) -> None:
    page = signed_in
    await look_at(page, workspace)
    kept = '[{"name":"Blocked","filter":"status:blocked"},{"name":"Office","filter":"system:office"}]'
    await page.evaluate("([name, text]) => localStorage.setItem(name, text)", [f"signalbox:views {workspace.id}", kept])
    await page.evaluate(
        'name => localStorage.setItem(name, \'[{"name":"Elsewhere","filter":"x"}]\')', f"signalbox:views {uuid4()}"
    )
    await look_at(page, workspace)
    menu, dialog = page.get_by_role("button", name=re.compile("^View")), page.get_by_role("dialog")
    await menu.click()
    await expect(page.get_by_role("menuitemradio")).to_have_count(2)
    await page.get_by_role("menuitem", name="Rename or delete views").click()
    name = dialog.get_by_label("Name of the view Office")
    await name.fill("blocked")
    await keys(page, "Tab")
    await expect(dialog.get_by_role("alert")).to_have_text("There is a view “Blocked” already.")
    await axe(page)
    await camera(page, "overview-change-views")
    await name.fill("Bureau")
    await keys(page, "Tab")
    await expect(dialog.get_by_label("Name of the view Bureau")).to_be_visible()
    await dialog.get_by_role("button", name="Delete Blocked").click()
    await expect(dialog.get_by_role("status")).to_contain_text("“Blocked” is deleted.")
    await expect(dialog.get_by_role("button", name="Undo")).to_be_focused()
    await keys(page, "Enter")
    await expect(dialog.get_by_label("Name of the view Blocked")).to_be_visible()
    await dialog.get_by_role("button", name="Delete Blocked").click()
    await expect(dialog.get_by_role("listitem")).to_have_count(1)
    await keys(page, "Escape")
    await menu.click()
    await expect(page.get_by_role("menuitemradio")).to_have_text([re.compile("^Bureau")])


async def test_a_group_folds_to_a_line_that_says_what_is_in_it(
    signed_in: Page, workspace: Workspace, shop: Shop, axe: Axe, camera: Camera
) -> None:
    page = signed_in
    await look_at(page, workspace)
    await troubled(shop, page)
    heading = page.get_by_role("button", name="shop 1")
    api = page.locator(".mx-row").filter(has_text="api")
    await expect(heading).to_have_attribute("aria-expanded", "true")
    await heading.click()
    await expect(heading).to_have_attribute("aria-expanded", "false")
    await expect(api).to_have_count(0)
    group = page.get_by_role("row").filter(has=heading)
    await expect(group).to_contain_text(re.compile(r"1\s*failed\s*1\s*blocked"))
    await axe(page)
    await camera(page, "overview-folded")
    # The browser remembers it.
    await look_at(page, workspace)
    await expect(group).to_contain_text(re.compile(r"1\s*failed\s*1\s*blocked"))
    await expect(api).to_have_count(0)
    # By keyboard: Enter on the heading opens it, z in one of its cells closes it, and the focus is never lost.
    await heading.focus()
    await keys(page, "Enter")
    await expect(api).to_have_count(1)
    await expect(heading).to_be_focused()
    await keys(page, "ArrowDown")
    await expect(page.locator(shop.cell("staging"))).to_be_focused()
    await keys(page, "z")
    await expect(heading).to_be_focused()
    await expect(heading).to_have_attribute("aria-expanded", "false")
    await keys(page, "z")
    await expect(heading).to_have_attribute("aria-expanded", "true")
    # Narrow pages have groups too.
    await page.set_viewport_size({"width": 390, "height": 800})
    await expect(page.locator(".chip").filter(has_text="production")).to_be_visible()
    await heading.click()
    await expect(page.locator(".chip").filter(has_text="production")).to_have_count(0)
    await expect(heading).to_have_attribute("aria-expanded", "false")


async def test_the_point_goes_to_what_failed_then_to_what_is_blocked(signed_in: Page, workspace: Workspace, shop: Shop) -> None:
    page = signed_in
    await look_at(page, workspace)
    await keys(page, ".")
    await expect(page.get_by_text("Nothing here has failed or is blocked.")).to_be_visible()
    await troubled(shop, page)
    await keys(page, ".")
    await expect(page.locator(shop.cell("staging"))).to_be_focused()
    await keys(page, ".")
    await expect(page.locator(shop.cell("production"))).to_be_focused()
    # It finds what is folded away, too, and begins again at the end.
    await keys(page, "z", ".")
    await expect(page.locator(shop.cell("staging"))).to_be_focused()
    await page.set_viewport_size({"width": 390, "height": 800})
    await keys(page, ".")
    await expect(page.locator(shop.cell("staging"))).to_be_focused()
    # So it does in a list of targets.
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.goto(workspace.url(f"/d/{shop.deployment}/e/{shop.environments['staging']}"))
    await expect(page.get_by_role("row").filter(has_text="stg-1")).to_contain_text("failed")
    await keys(page, ".")
    await expect(page.get_by_role("row").filter(has_text="stg-1")).to_be_focused()


async def test_rows_are_made_compact_and_the_same_ones_stay_in_sight(
    signed_in: Page, workspace: Workspace, shop: Shop, axe: Axe, camera: Camera
) -> None:
    page = signed_in
    for index in range(MANY):
        body = {"name": f"many-{index:02}", "slug": f"many-{index:02}", "resourceSelector": "false", "jobAgentSelector": "true"}
        deployment = workspace.call("POST", "/deployments", body)["id"]
        workspace.call("PUT", f"/systems/{shop.system}/deployments/{deployment}")
    for path, box in (("", ".mx"), ("/d", ".rows")):
        await look_at_rows(page, workspace, path)
        there: list[str] = []
        for high, press in ((34, ""), (28, "d"), (34, "d")):
            if press:
                await keys(page, press)
                await page.wait_for_function(_IN_SIGHT, arg=[box, *there])
            await rows_agree(page, box, high if path == "" else high + 4)
            there = await page.evaluate(_MIDDLE, box)
    await keys(page, "d")
    await look_at_rows(page, workspace, "")
    await rows_agree(page, ".mx", 28)
    await axe(page)
    await camera(page, "overview-compact")
    # A phone is for fingers.
    await page.set_viewport_size({"width": 390, "height": 800})
    row = "getComputedStyle(document.documentElement).getPropertyValue('--row')"
    await page.wait_for_function(f"() => {row} === '34px'")


async def look_at_rows(page: Page, workspace: Workspace, path: str) -> None:
    await page.goto(workspace.url(path))
    await is_live(page)
    await expect(page.get_by_text("many-00")).to_be_visible()


_AGREE = """
async ([selector, high]) => {
  const box = document.querySelector(selector)
  const rows = () => [...box.querySelectorAll('[role=row]')].filter((one) => !one.classList.contains('mx-head'))
  const frames = async () => { for (let n = 0; n < 3; n++) await new Promise((done) => requestAnimationFrame(() => setTimeout(done))) }
  const wrong = []
  for (const part of [0, 0.5, 1]) {
    box.scrollTop = part * (box.scrollHeight - box.clientHeight)
    await frames()
    const seen = box.getBoundingClientRect()
    const tops = rows().map((one) => one.getBoundingClientRect()).sort((a, b) => a.top - b.top)
    for (const one of tops) if (Math.abs(one.height - high) > 0.5) wrong.push(`a row is ${one.height} high`)
    for (let n = 1; n < tops.length; n++) if (Math.abs(tops[n].top - tops[n - 1].top - high) > 0.5) wrong.push(`a gap at ${part}`)
    if (tops[0].top > seen.top + 40 || tops.at(-1).bottom < seen.bottom - high) wrong.push(`nothing is drawn at an end, at ${part}`)
  }
  return wrong.length ? wrong.slice(0, 5) : null
}
"""


_MIDDLE = """
async (selector) => {
  const box = document.querySelector(selector)
  box.scrollTop = (box.scrollHeight - box.clientHeight) / 2
  for (let n = 0; n < 3; n++) await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
  const seen = box.getBoundingClientRect()
  const at = document.elementFromPoint(seen.left + 60, seen.top + 60).closest('[role=row]')
  return [at.getAttribute('aria-rowindex'), String(at.getBoundingClientRect().height)]
}
"""
_IN_SIGHT = """
([selector, index, high]) => {
  const row = document.querySelector(`${selector} [aria-rowindex="${index}"]`)?.getBoundingClientRect()
  const seen = document.querySelector(selector).getBoundingClientRect()
  return row && String(row.height) !== high && row.bottom > seen.top && row.top < seen.top + 100
}
"""


async def rows_agree(page: Page, box: str, high: int) -> None:
    """Wherever one scrolls there are rows, one under the other, so high. Raises: AssertionError."""
    wrong = await page.evaluate(_AGREE, [box, high])
    assert wrong is None, f"{box} with rows of {high} px: {wrong}"
