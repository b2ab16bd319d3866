"""Freezes: declared with what they would hold, the line stopped in one action, thawed, and one version let through."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import Shop
from tests.browser.looking import Axe, Camera


async def test_a_new_workspace_is_told_what_freezes_are(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    await signed_in.goto(workspace.url("/freezes"))
    await expect(signed_in.get_by_role("heading", name="Nothing was ever frozen")).to_be_visible()
    await expect(signed_in.get_by_role("region", name="Command")).to_contain_text(f"/workspaces/{workspace.id}/stop-the-line")
    await axe(signed_in)


async def test_the_line_is_stopped_in_one_action_and_goes_on(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace)
    shop.version("v1")
    await shop.carry_out("v1", "stg-1", "prd-1", "prd-2", "prd-3")
    await signed_in.goto(workspace.url("/freezes"))
    await signed_in.get_by_role("button", name="Stop the line…").click()
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("It would hold 4 targets, none of which has a version on the way.")
    await dialog.get_by_label("Reason").fill("database on fire")
    await dialog.get_by_role("button", name="Stop the line").click()
    active = signed_in.get_by_role("list", name="Active freezes").get_by_role("listitem")
    await expect(active).to_contain_text("The whole workspace")
    await expect(active).to_contain_text("database on fire")
    shop.version("v2")
    await expect(active).to_contain_text("all of them have a version on the way: api v2")
    await axe(signed_in)
    await camera(signed_in, "freezes")
    await keys(signed_in, "j")
    await keys(signed_in, "t")
    await expect(dialog).to_contain_text("Ends the freeze of the whole workspace now (database on fire).")
    await expect(dialog).to_contain_text("what no other rule holds goes at once")
    await dialog.get_by_label("Reason").fill("it is out")
    await dialog.get_by_role("button", name="Thaw it").click()
    past = signed_in.get_by_role("list", name="Past freezes").get_by_role("listitem")
    await expect(past).to_contain_text("it is out")
    await shop.carry_out("v2", "prd-1")


async def test_a_freeze_is_declared_with_what_it_would_hold(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    shop = Shop(workspace)
    shop.version("v1")
    await shop.carry_out("v1", "prd-1")
    await signed_in.goto(workspace.url("/freezes"))
    await expect(signed_in.get_by_role("button", name="Freeze…")).to_be_visible()
    await keys(signed_in, "n")
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("It would hold 4 targets")
    await dialog.get_by_label("What", exact=True).select_option("environment")
    await dialog.get_by_label("Which").select_option(label="production")
    await expect(dialog).to_contain_text(
        "Nothing is deployed to environment production from now on, for 4 hours. It would hold 3 targets"
    )
    await dialog.get_by_text("More: only some targets").click()
    await dialog.get_by_role("combobox", name="Only targets that fit").fill('resource.name == "prd-1"')
    await expect(dialog).to_contain_text("It would hold 1 target")
    await dialog.get_by_label("Starts").fill("2090-01-01T10:00")
    await axe(signed_in, "dialog")
    await dialog.get_by_label("Reason").fill("holidays")
    await dialog.get_by_role("button", name="Freeze it").click()
    planned = signed_in.get_by_role("list", name="Planned freezes").get_by_role("listitem")
    await expect(planned).to_contain_text("Environment production, where resource prd-1")
    (made,) = workspace.call("GET", "/freezes")["items"]
    # The browser of these tests stands in Berlin.
    assert (made["startsAt"], made["endsAt"]) == ("2090-01-01T09:00:00.000Z", "2090-01-01T13:00:00.000Z")
    await planned.get_by_role("button", name="Take back…").click()
    await expect(dialog).to_contain_text(
        "Takes the freeze of environment production, where resource prd-1 back before it begins."
    )


async def test_one_version_is_let_through(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    workspace.call("POST", "/stop-the-line", {"reason": "incident"})
    shop.version("v1")
    await signed_in.goto(workspace.url("/freezes"))
    active = signed_in.get_by_role("list", name="Active freezes").get_by_role("listitem").first
    await expect(active).to_contain_text("api v1")
    await active.get_by_role("button", name="Let a version pass…").click()
    dialog = signed_in.get_by_role("dialog")
    await dialog.get_by_label("Version").select_option(label="api v1")
    await dialog.get_by_label("Where").select_option(label="staging")
    await expect(dialog).to_contain_text("v1 may go to staging for 1 hour although this is frozen: 1 target waits for it.")
    await dialog.get_by_label("Reason").fill("it is the fix")
    await dialog.get_by_role("button", name="Let it pass").click()
    await expect(active).to_contain_text("v1 may pass in staging")
    await shop.carry_out("v1", "stg-1")
    assert shop.open_jobs("v1", ("prd-1",)) == []


async def test_in_the_past_nothing_can_be_frozen(signed_in: Page, workspace: Workspace) -> None:
    workspace.call("POST", "/stop-the-line", {"reason": "incident"})
    position = workspace.call("GET", "/events", limit=1)["position"]
    freeze = workspace.call("GET", "/freezes")["items"][0]["id"]
    workspace.call("POST", f"/freezes/{freeze}/thaw", {"reason": "over"})
    await signed_in.goto(workspace.url(f"/freezes?at={position}"))
    await expect(signed_in.get_by_role("list", name="Active freezes")).to_contain_text("incident")
    for name in ("Freeze…", "Stop the line…", "Thaw…"):
        await expect(signed_in.get_by_role("button", name=name)).to_have_attribute("title", re.compile("looking at the past"))


async def test_its_end_and_reason_are_changed_with_what_follows(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    shop = Shop(workspace)
    body = {
        "scope": "environment",
        "scopeId": shop.environments["production"],
        "reason": "audit",
        "endsAt": "2090-01-01T09:00:00Z",
    }
    freeze = workspace.call("POST", "/freezes", body)["id"]
    await signed_in.goto(workspace.url("/freezes"))
    active = signed_in.get_by_role("list", name="Active freezes").get_by_role("listitem")
    await expect(active).to_contain_text("by admin")
    await keys(signed_in, "j", "c")
    dialog = signed_in.get_by_role("dialog", name="Change this freeze")
    await expect(dialog).to_contain_text(
        "Environment production stays frozen until 1 Jan 2090, 10:00, as before. It holds 3 targets"
    )
    await dialog.get_by_role("button", name="Change it").click()
    await expect(dialog).to_contain_text("Nothing is changed yet.")
    # The browser of these tests stands in Berlin; the exact instant is told on hover.
    await dialog.get_by_label("Until").fill("2090-01-03T10:00")
    await expect(dialog).to_contain_text("until 3 Jan 2090, 10:00, not until 1 Jan 2090, 10:00: 2d 0h longer.")
    await expect(dialog.locator("time").first).to_have_attribute("title", "2090-01-03 09:00:00 UTC")
    await dialog.get_by_label("Why it is frozen").fill("a longer audit")
    await axe(signed_in, "dialog")
    await dialog.get_by_role("button", name="Change it").click()
    await expect(active).to_contain_text("a longer audit")
    told = workspace.call("GET", f"/freezes/{freeze}")
    assert (told["endsAt"], told["reason"]) == ("2090-01-03T09:00:00.000Z", "a longer audit")
    await active.get_by_role("button", name="Change…").click()
    await dialog.get_by_label("Until").fill("")
    await expect(dialog).to_contain_text("until somebody thaws it, not until 3 Jan 2090, 10:00.")
    await dialog.get_by_role("button", name="Change it").click()
    await expect(active).to_contain_text("until somebody thaws it")
    assert not workspace.call("GET", f"/freezes/{freeze}").get("endsAt")


async def test_times_of_a_freeze_are_told_in_the_zone_of_who_looks_and_exactly_on_hover(
    signed_in: Page, workspace: Workspace
) -> None:
    await signed_in.goto(workspace.url("/freezes"))
    await expect(signed_in.get_by_role("button", name="Freeze…")).to_be_visible()
    await keys(signed_in, "n")
    dialog = signed_in.get_by_role("dialog")
    await dialog.get_by_label("How long").select_option(label="until a time")
    await dialog.get_by_label("Until").fill("2090-06-01T10:00")
    await expect(dialog.locator(".consequence")).to_contain_text("until 1 Jun 2090, 10:00")
    await expect(dialog.locator(".consequence time")).to_have_attribute("title", "2090-06-01 08:00:00 UTC")


async def test_an_end_that_is_half_typed_is_no_wish_for_none(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    body = {"scope": "workspace", "reason": "audit", "endsAt": "2090-01-01T09:00:00Z"}
    freeze = workspace.call("POST", "/freezes", body)["id"]
    await signed_in.goto(workspace.url("/freezes"))
    active = signed_in.get_by_role("list", name="Active freezes").get_by_role("listitem")
    await active.get_by_role("button", name="Change…").click()
    dialog = signed_in.get_by_role("dialog", name="Change this freeze")
    field = dialog.get_by_label("Until")
    wrong = "The end is no whole date and time: finish it, or empty it."
    await expect(field).to_have_value("2090-01-01T10:00")
    # A part of it goes, the others stay.
    await field.focus()
    await keys(signed_in, "Backspace")
    await expect(field).to_have_value("")
    await dialog.get_by_label("Why it is frozen").fill("a longer audit")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_have_accessible_description(wrong)
    await axe(signed_in, "dialog")
    await dialog.get_by_role("button", name="Change it").click()
    await expect(dialog.get_by_role("alert")).to_contain_text(wrong)
    assert workspace.call("GET", f"/freezes/{freeze}")["endsAt"] == "2090-01-01T09:00:00.000Z"
    # It begins with the day or with the month, as the browser has it.
    await field.focus()
    await keys(signed_in, "0", "1")
    await expect(field).to_have_value("2090-01-01T10:00")
    await expect(field).not_to_have_attribute("aria-invalid", "true")
    await dialog.get_by_role("button", name="Change it").click()
    await expect(active).to_contain_text("a longer audit")
    assert workspace.call("GET", f"/freezes/{freeze}")["endsAt"] == "2090-01-01T09:00:00.000Z"


async def test_a_start_that_is_begun_is_not_now(signed_in: Page, workspace: Workspace) -> None:
    await signed_in.goto(workspace.url("/freezes"))
    await signed_in.get_by_role("button", name="Freeze…").click()
    dialog = signed_in.get_by_role("dialog")
    await dialog.get_by_text("More: only some targets").click()
    field = dialog.get_by_label("Starts")
    await field.focus()
    await keys(signed_in, "0", "2")
    await expect(dialog.locator(".consequence")).to_contain_text("from a time on")
    await dialog.get_by_label("Reason").fill("holidays")
    await expect(field).to_have_accessible_description("The start is no whole date and time: finish it, or empty it.")
    await dialog.get_by_role("button", name="Freeze it").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("The start is no whole date and time")
    assert workspace.call("GET", "/freezes")["items"] == []
