"""All deployments in a list: their newest version, what runs where, and how each stands."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import Shop, until
from tests.browser.looking import Axe, Camera


async def test_a_new_workspace_is_told_what_appears_there(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    await signed_in.goto(workspace.url("/d"))
    await expect(signed_in.get_by_role("heading", name="There are no deployments yet", level=1)).to_be_visible()
    await expect(signed_in.get_by_role("link", name="The first-run guide")).to_be_visible()
    await axe(signed_in)


async def test_deployments_are_listed_found_and_opened(signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera) -> None:
    shop = Shop(workspace, rules={"production": [{"anyApproval": {"minApprovals": 1}}]})
    body = {"name": "zeta", "slug": "zeta", "resourceSelector": "false", "jobAgentSelector": "true"}
    other = workspace.call("POST", "/deployments", body)["id"]
    workspace.call("PUT", f"/systems/{shop.system}/deployments/{other}")
    shop.version("v1")
    await shop.carry_out("v1", "stg-1")
    await until(lambda: shop.runs("stg-1", "v1"), "v1 on stg-1")
    await signed_in.goto(workspace.url())
    await keys(signed_in, "g", "d")
    rows = signed_in.get_by_role("grid", name="Deployments").get_by_role("row")
    api = rows.filter(has_text="api")
    await expect(api).to_contain_text("shop")
    await expect(api).to_contain_text("blocked")
    await expect(api.locator(".at").filter(has_text="staging")).to_contain_text("v1")
    await expect(rows.filter(has_text="zeta")).to_contain_text("no targets")
    # It is kept true: nobody has to ask again.
    shop.version("v2")
    await expect(api).to_contain_text("v2")
    await axe(signed_in)
    await camera(signed_in, "deployments")
    await keys(signed_in, "/")
    await signed_in.keyboard.type("zeta")
    await expect(api).to_have_count(0)
    await expect(signed_in).to_have_url(re.compile("q=zeta"))
    await signed_in.keyboard.type("x")
    await signed_in.get_by_role("button", name="Show every deployment").click()
    await expect(rows).to_have_count(3)
    await expect(signed_in.get_by_role("searchbox")).to_have_value("")
    await api.focus()
    await keys(signed_in, "j", "k", "Enter")
    await expect(signed_in.get_by_role("heading", name="api", level=1)).to_be_visible()
    await expect(signed_in.get_by_role("link", name="Deployments", exact=True).first).to_have_attribute(
        "href", workspace.url("/d")
    )
