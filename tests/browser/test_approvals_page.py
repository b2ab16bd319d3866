"""The approvals inbox: what waits comes live, is decided in place, and is listed when it is done."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import Shop
from tests.browser.looking import Axe, Camera

ASKED: list[dict[str, Any]] = [{"anyApproval": {"minApprovals": 1}}]


async def test_what_waits_appears_by_itself_and_is_approved_with_the_keyboard(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace, rules={"staging": ASKED, "production": ASKED})
    await signed_in.goto(workspace.url("/approvals"))
    await expect(signed_in.get_by_text("Nothing waits for anybody")).to_be_visible()
    await axe(signed_in)
    shop.version("v1")
    rows = signed_in.locator(".inbox li")
    await expect(rows).to_have_count(2)
    await expect(rows.filter(has_text="production")).to_contain_text("3 targets")
    await axe(signed_in)
    await camera(signed_in, "approvals")
    await keys(signed_in, "j")
    place = await rows.nth(0).locator("a").first.inner_text()
    await keys(signed_in, "y")
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"Approve api v1 for {place}?")
    await axe(signed_in)
    await dialog.get_by_role("button", name="Approve", exact=True).click()
    await expect(rows).to_have_count(1)
    await expect(rows.first).not_to_contain_text(place)


async def test_all_of_a_version_are_approved_at_once(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace, rules={"staging": ASKED, "production": ASKED})
    version = shop.version("v1")
    await signed_in.goto(workspace.url("/approvals"))
    await signed_in.get_by_role("button", name="Approve all 2…").click()
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("3 targets in production")
    await expect(dialog).to_contain_text("1 target in staging")
    await dialog.get_by_label(re.compile("^Reason")).fill("looks good")
    await dialog.get_by_role("button", name="Approve", exact=True).click()
    await expect(signed_in.get_by_text("Nothing waits for anybody")).to_be_visible()
    decided = workspace.call("GET", "/board/approvals/decided")["items"]
    assert {(one["versionId"], one["status"], one["reason"]) for one in decided} == {(version, "approved", "looks good")}
    assert {one["environment"]["name"] for one in decided} == {"staging", "production"}


async def test_a_rejection_wants_a_reason_and_can_be_taken_back(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    shop = Shop(workspace, rules={"production": ASKED})
    shop.version("v1")
    await signed_in.goto(workspace.url("/approvals"))
    row = signed_in.locator(".inbox li")
    await expect(row).to_have_count(1)
    await keys(signed_in, "n")
    dialog = signed_in.get_by_role("dialog")
    reject = dialog.get_by_role("button", name="Reject", exact=True)
    await expect(reject).to_have_attribute("aria-disabled", "true")
    await dialog.get_by_label("Reason").fill("not on a Friday")
    await reject.click()
    await expect(row).to_contain_text("rejected")
    await signed_in.get_by_role("tab", name="Done").click()
    await expect(signed_in.locator(".history li").first).to_contain_text("not on a Friday")
    await axe(signed_in)
    await signed_in.get_by_role("button", name="Undo").click()
    await expect(signed_in.locator(".history li").first).to_contain_text("took back")


async def test_it_works_on_a_phone(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace, rules={"production": ASKED})
    shop.version("v1")
    await signed_in.set_viewport_size({"width": 320, "height": 640})
    await signed_in.goto(workspace.url("/approvals"))
    await signed_in.get_by_role("button", name="Approve…").click()
    wide = await signed_in.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    assert not wide
    await signed_in.get_by_role("dialog").get_by_role("button", name="Approve", exact=True).click()
    await expect(signed_in.get_by_text("Nothing waits for anybody")).to_be_visible()


async def test_in_the_past_it_shows_what_waited_then(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace, rules={"production": ASKED})
    version = shop.version("v1")
    await signed_in.goto(workspace.url("/approvals"))
    await expect(signed_in.locator(".inbox li")).to_have_count(1)
    (fact, *_) = workspace.call("GET", "/events", order="desc", limit=1)["items"]
    body = {"environmentIds": [shop.environments["production"]], "status": "approved"}
    workspace.call("PUT", f"/deployment-versions/{version}/user-approval-records", body)
    await expect(signed_in.get_by_text("Nothing waits for anybody")).to_be_visible()
    await signed_in.goto(workspace.url(f"/approvals?at={fact['position']}"))
    row = signed_in.locator(".inbox li")
    await expect(row).to_have_count(1)
    await expect(row.get_by_role("button", name="Approve…")).to_have_attribute("title", re.compile("Go back to live"))


async def test_older_versions_stand_behind_the_newest_that_waits(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    shop = Shop(workspace, rules={"production": ASKED})
    shop.version("v1")
    await signed_in.goto(workspace.url("/approvals"))
    rows = signed_in.locator(".inbox li")
    await expect(signed_in.get_by_role("region", name="api v1")).to_be_visible()
    shop.version("v2")
    await expect(signed_in.get_by_role("region", name="api v2")).to_be_visible()
    await expect(rows).to_have_count(1)
    await signed_in.get_by_text("1 older version waits where a newer one waits as well").click()
    await expect(rows).to_have_count(2)
    await axe(signed_in)
    await keys(signed_in, "j", "j", "y")
    await expect(signed_in.get_by_role("dialog")).to_contain_text("Approve api v1 for production?")
