"""The matrix: cells that come and go while it is open, and the card beside a cell."""

from __future__ import annotations

import re
import time
from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import PRODUCTION, Shop, until


async def test_a_first_target_somewhere_is_shown_by_pages_that_are_open(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    body = {"name": "canary", "resourceSelector": 'resource.metadata["stage"] == "canary"'}
    canary = workspace.call("POST", "/environments", body)["id"]
    workspace.call("PUT", f"/systems/{shop.system}/environments/{canary}")
    pages = {
        path: await signed_in.context.new_page() for path in ("", "/d", f"/environments?env={canary}", f"/d/{shop.deployment}")
    }
    for path, page in pages.items():
        await page.goto(workspace.url(path))
    cell = pages[""].locator(f'[data-cell="{shop.deployment}/{canary}"]')
    places = pages["/d"].locator(".places")
    detail = pages[f"/environments?env={canary}"].get_by_role("region", name="canary")
    lanes = pages[f"/d/{shop.deployment}"].get_by_role("main")
    await expect(cell).to_have_attribute("aria-label", "api in canary: no targets")
    await expect(places).to_contain_text("production")
    await expect(places).not_to_contain_text("canary")
    await expect(detail).to_contain_text("No deployment has targets here")
    await expect(lanes).to_contain_text("production")
    await expect(lanes).not_to_contain_text("canary")
    first = {"name": "can-1", "kind": "Cluster", "version": "v1", "config": {}, "metadata": {"stage": "canary"}}
    workspace.call("PUT", "/resources/identifier/can-1", first)
    await expect(cell).to_have_attribute("href", re.compile(canary))
    await expect(places).to_contain_text("canary")
    await expect(detail.get_by_role("row").filter(has_text="api")).to_be_visible()
    await expect(lanes).to_contain_text("canary")
    workspace.call("DELETE", "/resources/identifier/can-1")
    await expect(cell).to_have_attribute("aria-label", "api in canary: no targets")
    await expect(places).not_to_contain_text("canary")


async def test_the_card_goes_from_cell_to_cell_with_the_times_of_each(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    shop.version("v1")
    await shop.carry_out("v1", "stg-1")
    await until(lambda: shop.runs("stg-1", "v1"), "v1 on stg-1")
    begun = int(time.time())
    await until(lambda: int(time.time()) > begun + 1, "another second, as the page writes it")
    await shop.carry_out("v1", *PRODUCTION)
    await until(lambda: all(shop.runs(name, "v1") for name in PRODUCTION), "v1 in production")
    board = await until(
        lambda: (found := workspace.call("GET", "/board"))["counters"]["healthy"] == 2 and found, "two cells that are healthy"
    )
    since = {
        one["environmentId"]: datetime.fromisoformat(one["since"]).astimezone(ZoneInfo("Europe/Berlin")) for one in board["cells"]
    }
    # The clock of a page that looks back stands still: no tick has it written anew.
    await signed_in.goto(workspace.url(f"?at={board['position']}"))
    card = signed_in.locator(".peek")
    await signed_in.locator(shop.cell("staging")).focus()
    await keys(signed_in, "Space")
    await expect(card).to_contain_text("in staging")
    for key, stage in (("ArrowRight", "production"), ("ArrowLeft", "staging")):
        await keys(signed_in, key)
        await expect(card).to_contain_text(f"in {stage}")
        at = since[shop.environments[stage]]
        # With its date once it is tomorrow there.
        await expect(card.locator("dd").last).to_have_text(re.compile(f"^({at:%H:%M:%S}|{at.day} {at:%b}, {at:%H:%M})$"))
