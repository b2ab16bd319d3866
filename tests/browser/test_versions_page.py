"""Versions: all of them with how far they came, and one of them with why not further and what it changes."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import Shop, until
from tests.browser.looking import Axe, Camera
from tests.browser.watching import Watch

ASKED: list[dict[str, Any]] = [{"anyApproval": {"minApprovals": 1}}]


async def test_a_new_workspace_is_told_how_to_post_a_version(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    await signed_in.goto(workspace.url("/versions"))
    await expect(signed_in.get_by_role("heading", name="No versions yet")).to_be_visible()
    await expect(signed_in.get_by_role("region", name="Command")).to_contain_text(f"/workspaces/{workspace.id}/deployments")
    await axe(signed_in)


async def test_versions_are_listed_filtered_and_opened(signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera) -> None:
    shop = Shop(workspace, rules={"production": ASKED})
    shop.version("v1")
    await shop.carry_out("v1", "stg-1")
    await until(lambda: shop.runs("stg-1", "v1"), "v1 on stg-1")
    await signed_in.goto(workspace.url("/versions"))
    rows = signed_in.get_by_role("row").filter(has_text="api")
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text("1/1")
    shop.version("v2", status="building")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("v2")
    await axe(signed_in)
    await camera(signed_in, "versions")
    await keys(signed_in, "/")
    await signed_in.keyboard.type("v1")
    await expect(rows).to_have_count(1)
    await expect(signed_in).to_have_url(re.compile("q=v1"))
    await signed_in.get_by_label("Status").select_option("paused")
    await expect(signed_in.get_by_text("Nothing fits “v1” and status paused.")).to_be_visible()
    await signed_in.get_by_role("button", name="Drop the filter").click()
    await expect(rows).to_have_count(2)
    await rows.last.focus()
    await keys(signed_in, "Enter")
    await expect(signed_in.get_by_role("heading", name="api v1", level=1)).to_be_visible()


async def test_what_was_typed_last_does_not_come_back_once_the_filter_is_dropped(signed_in: Page, workspace: Workspace) -> None:
    Shop(workspace).version("v1")
    await signed_in.clock.install()
    await signed_in.goto(workspace.url("/versions?q=zzz"))
    drop = signed_in.get_by_role("button", name="Drop the filter")
    await expect(drop).to_be_visible()
    # Both before the time is over after which a text that is typed is looked for.
    await drop.evaluate(
        """(button) => {
          const field = document.querySelector('[data-filter]')
          field.focus()
          field.value = 'zzzz'
          field.dispatchEvent(new Event('input', { bubbles: true }))
          button.click()
        }"""
    )
    await expect(signed_in).not_to_have_url(re.compile("q="))
    await signed_in.clock.run_for(1_000)
    await expect(signed_in.get_by_role("row").filter(has_text="v1")).to_be_visible()
    await expect(signed_in.get_by_role("searchbox")).to_have_value("")
    await expect(signed_in).not_to_have_url(re.compile("q="))


async def test_a_version_tells_how_far_it_came_and_is_approved_from_there(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace, rules={"production": ASKED})
    first = shop.version("v1", metadata={"ci/build": "https://ci.example/1", "sha": "abc"}, config={"image": "api:1"})
    await shop.carry_out("v1", "stg-1")
    await signed_in.goto(workspace.url(f"/v/{first}"))
    strip = signed_in.get_by_role("tablist", name="Environments")
    await expect(strip.get_by_role("tab").filter(has_text="staging")).to_contain_text("1 of 1 done")
    held = strip.get_by_role("tab").filter(has_text="production")
    # What holds it is open at once.
    await expect(held).to_have_attribute("aria-selected", "true")
    await expect(signed_in.get_by_role("tabpanel")).to_contain_text("1 more approval")
    await expect(signed_in.get_by_role("link", name="build")).to_have_attribute("href", "https://ci.example/1")
    await axe(signed_in)
    await camera(signed_in, "version")
    await keys(signed_in, "a")
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("Lets v1 go to 3 targets in production")
    await dialog.get_by_role("button", name="Approve", exact=True).click()
    await expect(held).to_contain_text("3 under way")


async def test_it_is_compared_with_another_version(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    shop.version("v1", config={"image": "api:1", "replicas": 2})
    second = shop.version("v2", config={"image": "api:2", "replicas": 2})
    await signed_in.goto(workspace.url(f"/v/{second}"))
    table = signed_in.get_by_role("table")
    await expect(table.get_by_role("row", name="config.image")).to_contain_text("api:1")
    await expect(table.get_by_role("row", name="config.image")).to_contain_text("api:2")
    await expect(table.get_by_role("row", name="config.replicas")).to_have_count(0)


async def test_it_is_paused_and_marked_bad_with_what_follows(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace, rules={"production": ASKED})
    version = shop.version("v1")
    await signed_in.goto(workspace.url(f"/v/{version}"))
    await expect(signed_in.get_by_role("tabpanel")).to_contain_text("1 more approval")
    for label, verb, told, status in (
        ("Pause…", "Pause", "goes to no further target", "paused"),
        ("Mark bad…", "Mark bad", "counts as bad everywhere", "rejected"),
    ):
        await signed_in.get_by_role("button", name="Change its status").click()
        await signed_in.get_by_role("menuitem", name=label).click()
        dialog = signed_in.get_by_role("dialog")
        await expect(dialog).to_contain_text(told)
        await dialog.get_by_label("Reason").fill("slow")
        await dialog.get_by_role("button", name=verb, exact=True).click()
        await expect(signed_in.locator(".head .status")).to_have_text(status)
        assert workspace.call("GET", f"/deployment-versions/{version}")["message"] == "slow"


async def test_a_version_that_is_not_there_is_said_to_be_none(signed_in: Page, workspace: Workspace, watch: Watch) -> None:
    watch.expect("status of 404")
    await signed_in.goto(workspace.url("/v/00000000-0000-4000-8000-000000000000"))
    await expect(signed_in.get_by_role("heading", name="There is no such version", level=1)).to_be_visible()
