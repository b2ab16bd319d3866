"""Settings: API keys, and what runs behind a workspace."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import Shop
from tests.browser.looking import Axe, Camera


async def test_a_key_is_shown_once_and_revoked_with_what_follows(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    page, name = signed_in, f"key of {workspace.slug}"
    await page.goto(workspace.url("/settings/keys"))
    await page.get_by_role("button", name="Create a key").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Create the key").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Give the key a name")
    await axe(page)
    await dialog.get_by_label("Name").fill(name)
    await dialog.get_by_label("Expires").select_option("in 7 days")
    await dialog.get_by_role("button", name="Create the key").click()
    ready = page.get_by_role("dialog", name=f"{name} is ready")
    await expect(ready).to_contain_text(re.compile(r"export SIGNALBOX_API_KEY='[0-9a-f]{16}\.[0-9a-f]{64}'"))
    await axe(page)
    await camera(page, "settings-new-key")
    await keys(page, "Escape")
    row = page.get_by_role("row").filter(has_text=name)
    await expect(row).not_to_contain_text("never")
    await camera(page, "settings-keys")
    await row.get_by_role("button", name=f"Revoke {name}").click()
    await expect(dialog).to_contain_text("every program that uses it is refused from its next request on")
    await dialog.get_by_role("button", name="Revoke the key").click()
    await expect(row).to_have_count(0)


async def test_agents_tell_what_they_do_and_what_went_wrong(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    page = signed_in
    await page.goto(workspace.url("/settings/agents"))
    await expect(page.get_by_role("heading", name="No agent yet")).to_be_visible()
    await axe(page)
    shop = Shop(workspace)
    entry = page.get_by_role("list", name="Agents").get_by_role("listitem")
    await expect(entry).to_contain_text("http-pull")
    shop.version("v1")
    await expect(entry.get_by_role("link", name="4 waiting")).to_be_visible()
    await shop.carry_out("v1", "stg-1", status="failure")
    await expect(entry).to_contain_text("failure on stg-1")
    await entry.get_by_text("Configuration").click()
    await axe(page)
    await camera(page, "settings-agents")
    await entry.get_by_role("link", name="waiting").click()
    await expect(page).to_have_url(re.compile(f"/jobs.*agent={shop.agent}"))


async def test_providers_tell_how_many_resources_they_own(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    page = signed_in
    await page.goto(workspace.url("/settings/providers"))
    await expect(page.get_by_role("heading", name="No provider yet")).to_be_visible()
    provider = workspace.call("PUT", "/resource-providers", {"id": "", "name": "terraform"})["id"]
    row = page.get_by_role("row").filter(has_text="terraform")
    await expect(row).to_contain_text("it owns none")
    one = {"kind": "Cluster", "version": "v1", "config": {}, "metadata": {}, "createdAt": "2026-01-01T00:00:00Z"}
    resources = [{**one, "identifier": name, "name": name} for name in ("a", "b")]
    workspace.call("PUT", f"/resource-providers/{provider}/set", {"resources": resources})
    await expect(row.get_by_role("cell").first).to_have_text("2")
    await axe(page)
    await camera(page, "settings-providers")


async def test_the_system_tells_how_far_every_service_is(signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera) -> None:
    page = signed_in
    Shop(workspace)
    await page.goto(workspace.url("/settings/system"))
    table = page.get_by_role("table", name="Services")
    for service in ("inventory", "planner", "policy", "dispatcher", "verifier", "reads"):
        await expect(table.get_by_role("row").filter(has_text=service)).to_contain_text("up to date")
    await expect(page.get_by_text("No service had to pass over an event")).to_be_visible()
    await axe(page)
    await camera(page, "settings-system")
    # How it is now, also for who looks back: nobody remembers how far services were.
    await page.goto(workspace.url("/settings/system?at=1"))
    await expect(page.get_by_text("as it is now")).to_be_visible()
    await expect(table.get_by_role("row").filter(has_text="planner")).to_contain_text("up to date")


async def test_sections_are_gone_through_with_the_keyboard(signed_in: Page, workspace: Workspace) -> None:
    page = signed_in
    await page.goto(workspace.url("/settings/keys"))
    for key, title in (("2", "Agents"), ("3", "Providers"), ("4", "System"), ("5", "This browser"), ("1", "API keys")):
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await keys(page, key)
        await expect(page.get_by_role("heading", level=1)).to_have_text(title)
        await expect(page.get_by_role("navigation", name="Settings").get_by_role("link", name=title)).to_have_attribute(
            "aria-current", "page"
        )


async def test_keys_of_a_single_letter_are_switched_off(signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera) -> None:
    """For who speaks to the computer: each word would be a row of keys (WCAG 2.1.4)."""
    page, dialog = signed_in, signed_in.get_by_role("dialog")
    Shop(workspace)
    await page.goto(workspace.url())
    cell = page.locator(".cell").first
    await expect(cell).to_be_visible()
    await keys(page, "?")
    switch = dialog.get_by_role("checkbox", name="Keys of a single letter")
    await expect(dialog).to_contain_text("change the theme")
    await switch.uncheck()
    # Those that do nothing any more are not told of; the others are.
    await expect(dialog).not_to_contain_text("change the theme")
    await expect(dialog).to_contain_text("search or jump to anything")
    await axe(page)
    await camera(page, "keys-without-letters")
    await keys(page, "Escape")
    # Also after the page was loaded anew, and in the parts of a page: signs, letters, two letters, letters of the matrix.
    await page.goto(workspace.url())
    await cell.focus()
    before = await page.locator("html").get_attribute("data-theme")
    await keys(page, "t", "?", "/", "[", "d", ".", "z", "j", "l", "g", "j")
    await expect(cell).to_be_focused()
    await expect(dialog).to_have_count(0)
    assert await page.locator("html").get_attribute("data-theme") == before
    await expect(page).to_have_url(re.compile(re.escape(workspace.url()) + "$"))
    await expect(page.get_by_role("button", name="One event back", exact=True)).to_be_visible()
    # Arrows, Enter, Escape and keys with Ctrl are no letters.
    await keys(page, "ArrowDown", "ArrowRight", "Control+k")
    await expect(page.get_by_role("combobox")).to_be_focused()
    # What is typed is text.
    await page.keyboard.type("settings")
    await keys(page, "Enter")
    await page.get_by_role("navigation", name="Settings").get_by_role("link", name="This browser").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("This browser")
    await axe(page)
    await camera(page, "settings-browser")
    await keys(page, "1")
    await expect(page.get_by_role("heading", level=1)).to_have_text("This browser")
    other = await page.context.new_page()
    await other.goto(workspace.url("/settings/browser"))
    await page.get_by_role("checkbox", name="Keys of a single letter").check()
    await keys(page, "1")
    await expect(page.get_by_role("heading", level=1)).to_have_text("API keys")
    # Tabs of one browser agree.
    await expect(other.get_by_role("checkbox", name="Keys of a single letter")).to_be_checked()
    await keys(other, "?")
    await expect(other.get_by_role("dialog")).to_be_visible()


async def test_rows_and_theme_are_chosen_for_this_browser(signed_in: Page, workspace: Workspace) -> None:
    page = signed_in
    await page.goto(workspace.url("/settings/browser"))
    await page.get_by_role("group", name="Rows").get_by_role("radio", name="Compact").check()
    await page.get_by_role("group", name="Theme").get_by_role("radio", name="Dark").check()
    await page.goto(workspace.url("/settings/browser"))
    await expect(page.locator("html")).to_have_attribute("data-density", "compact")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.get_by_role("radio", name="Compact")).to_be_checked()
    await expect(page.get_by_role("radio", name="Dark")).to_be_checked()
