"""The event log: everything that happened, and what led to what."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import Shop, until
from tests.browser.looking import Axe, Camera


def events(page: Page, text: str = "") -> Locator:
    """The rows of the log, without its headings."""
    rows = page.get_by_role("grid", name="Events, newest first").locator(".rows").get_by_role("row")
    return rows.filter(has_text=text) if text else rows


def panel_of(page: Page) -> Locator:
    """The event that is open."""
    return page.get_by_role("complementary", name=re.compile("Event"))


async def test_a_new_workspace_is_told_what_makes_the_first_event(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    await signed_in.goto(workspace.url("/events"))
    await expect(signed_in.get_by_role("heading", name="Nothing happened yet")).to_be_visible()
    await axe(signed_in)
    workspace.call("POST", "/systems", {"name": "shop"})
    await expect(events(signed_in)).to_have_count(1)
    await expect(events(signed_in)).to_contain_text("system saved")


async def test_what_happens_appears_on_top_or_waits_while_one_reads_further_down(signed_in: Page, workspace: Workspace) -> None:
    for number in range(60):
        workspace.call("POST", "/systems", {"name": f"system-{number}"})
    await signed_in.goto(workspace.url("/events"))
    await expect(events(signed_in).first).to_contain_text("system-59")
    workspace.call("POST", "/systems", {"name": "the-newest"})
    await expect(events(signed_in).first).to_contain_text("the-newest")
    await signed_in.locator(".rows").evaluate("box => box.scrollTo({ top: 900 })")
    await expect(events(signed_in, "system-29")).to_be_visible()
    for number in range(3):
        workspace.call("POST", "/systems", {"name": f"later-{number}"})
    newer = signed_in.get_by_role("button", name="3 new")
    await expect(newer).to_be_visible()
    assert await signed_in.locator(".rows").evaluate("box => box.scrollTop") == 900
    await newer.click()
    await expect(events(signed_in).first).to_contain_text("later-2")
    await expect(newer).to_have_count(0)
    # The same where it is held back by hand.
    await keys(signed_in, "l")
    workspace.call("POST", "/systems", {"name": "held-back"})
    await expect(signed_in.get_by_role("button", name="1 new")).to_be_visible()
    await keys(signed_in, "n")
    await expect(events(signed_in).first).to_contain_text("held-back")


async def test_a_long_log_is_read_to_its_first_event(signed_in: Page, workspace: Workspace) -> None:
    for number in range(230):
        workspace.call("POST", "/systems", {"name": f"system-{number}"})
    await signed_in.goto(workspace.url("/events"))
    await expect(events(signed_in).first).to_contain_text("system-229")
    await signed_in.locator(".rows").evaluate("box => box.scrollTo({ top: box.scrollHeight })")
    await expect(events(signed_in).last).to_contain_text("system-0")
    assert await events(signed_in).count() < 60


async def test_events_are_found_by_kind_by_text_and_by_what_they_are_about(
    signed_in: Page, workspace: Workspace, axe: Axe
) -> None:
    shop = Shop(workspace)
    await signed_in.goto(workspace.url("/events"))
    await signed_in.get_by_label("Kind of event").select_option("inventory.*")
    await expect(events(signed_in, "resource saved")).to_have_count(4)
    await expect(events(signed_in, "system saved")).to_have_count(0)
    await keys(signed_in, "/")
    await signed_in.keyboard.type("prd-2")
    await expect(events(signed_in)).to_have_count(1)
    await axe(signed_in)
    await events(signed_in).click()
    panel = panel_of(signed_in)
    await expect(panel.get_by_role("heading", level=2)).to_contain_text("resource saved")
    await panel.get_by_title("Only facts about this").click()
    await expect(signed_in).to_have_url(re.compile(f"about=resource%2F{shop.resources['prd-2']}"))
    await keys(signed_in, "Escape")
    await expect(panel).to_have_count(0)
    await signed_in.get_by_role("searchbox", name="Find a text in the events").fill("nobody wrote this")
    await expect(signed_in.get_by_role("heading", name="No event fits this filter")).to_be_visible()
    await signed_in.get_by_role("button", name="Show every event").click()
    await expect(events(signed_in, "system saved")).to_have_count(1)


async def test_a_job_was_caused_by_a_clearance_and_that_by_an_approval(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace, rules={"staging": [{"anyApproval": {"minApprovals": 1}}]})
    version = shop.version("v1")
    body = {"status": "approved", "environmentIds": [shop.environments["staging"]]}
    workspace.call("PUT", f"/deployment-versions/{version}/user-approval-records", body)
    await until(lambda: shop.open_jobs("v1", ("stg-1",)), "a job on stg-1")
    found = workspace.call("GET", "/events", types="dispatcher.job_created.v1", text=shop.resources["stg-1"])["items"]
    await signed_in.goto(workspace.url("/events"))
    row = events(signed_in, "job created").filter(has_text="stg-1")
    await row.focus()
    await keys(signed_in, "Enter")
    panel = panel_of(signed_in)
    causes = panel.locator(".chain").first.get_by_role("listitem")
    await expect(causes).to_have_count(3)
    assert [re.split(r"[^a-z ]", text)[0].strip() for text in await causes.locator("b").all_inner_texts()] == [
        "releases created",
        "targets cleared",
        "approval recorded",
    ]
    await expect(panel).to_contain_text("It began with a request of")
    await expect(panel.get_by_role("region", name="payload")).to_contain_text("job_id")
    await axe(signed_in)
    await camera(signed_in, "event")
    await causes.last.get_by_role("link").click()
    await expect(panel.get_by_role("heading", level=2)).to_contain_text("approval recorded")
    await expect(panel.locator(".chain").first).to_contain_text("job created")
    # The world as it was when somebody approved.
    await keys(signed_in, "t")
    await expect(signed_in).to_have_url(re.compile(r"at=\d+"))
    assert found[0]["position"] > int(re.findall(r"at=(\d+)", signed_in.url)[0])
    await expect(events(signed_in).first).to_contain_text("approval recorded")


async def test_events_are_exported_as_lines_of_json(signed_in: Page, workspace: Workspace, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        workspace.call("POST", "/systems", {"name": name})
    await signed_in.goto(workspace.url("/events?q=t"))
    await expect(events(signed_in).first).to_be_visible()
    async with signed_in.expect_download() as download:
        await signed_in.get_by_role("button", name="Export as JSON lines").click()
    saved = await download.value
    assert saved.suggested_filename == "events.jsonl"
    await saved.save_as(tmp_path / "events.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text("utf-8").splitlines()]
    assert [line["data"]["name"] for line in lines] == ["three", "two", "one"]


async def test_it_works_on_a_phone(signed_in: Page, workspace: Workspace) -> None:
    Shop(workspace)
    for width in (390, 320):
        await signed_in.set_viewport_size({"width": width, "height": 700})
        await signed_in.goto(workspace.url("/events"))
        await expect(events(signed_in).first).to_be_visible()
        await events(signed_in).first.click()
        await expect(panel_of(signed_in)).to_contain_text("Payload")
        assert await signed_in.evaluate(
            "() => document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth"
        )
