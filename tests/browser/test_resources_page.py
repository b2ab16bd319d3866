"""The inventory: found by an expression or by its facets, looked at beside the list and as a page, also as it was."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import Shop, until
from tests.browser.looking import Axe, Camera
from tests.browser.watching import Watch

NETWORK = 'from.kind == "Cluster" && to.kind == "VPC" && from.metadata["vpc"] == to.metadata["id"]'


def resource(workspace: Workspace, name: str, kind: str = "Cluster", **more: Any) -> None:
    body = {"name": name, "kind": kind, "version": "v1", "config": {}, "metadata": {}, **more}
    workspace.call("PUT", f"/resources/identifier/{name}", body)


def estate(workspace: Workspace) -> None:
    """Two clusters in a network, and a database."""
    resource(workspace, "net", "VPC", metadata={"id": "vpc-1", "region": "eu"})
    resource(
        workspace,
        "eu-1",
        metadata={"region": "eu", "vpc": "vpc-1"},
        config={"server": "https://eu-1.example", "pool": {"size": 3}},
    )
    resource(workspace, "us-1", metadata={"region": "us"})
    resource(workspace, "orders", "Database", metadata={"region": "eu"})
    workspace.call("POST", "/relationship-rules", {"name": "its network", "reference": "network", "cel": NETWORK, "metadata": {}})


async def test_a_new_workspace_is_told_how_to_make_a_resource_and_shows_it_at_once(
    signed_in: Page, workspace: Workspace, axe: Axe
) -> None:
    await signed_in.goto(workspace.url("/resources"))
    await expect(signed_in.get_by_role("heading", name="There are no resources yet")).to_be_visible()
    await expect(signed_in.get_by_role("region", name="Command")).to_contain_text(
        f"/workspaces/{workspace.id}/resources/identifier"
    )
    await axe(signed_in)
    resource(workspace, "first")
    await expect(signed_in.get_by_role("row").filter(has_text="first")).to_be_visible()


async def test_facets_write_the_expression_and_a_row_opens_beside_the_list(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    estate(workspace)
    await signed_in.goto(workspace.url("/resources"))
    field = signed_in.get_by_role("combobox", name="Expression")
    rows = signed_in.get_by_role("grid", name="Resources").get_by_role("row").filter(has=signed_in.get_by_role("gridcell"))
    await expect(rows).to_have_count(4)
    await signed_in.get_by_role("group", name="Kind").get_by_role("button", name="Cluster").click()
    await expect(field).to_have_value('resource.kind == "Cluster"')
    await expect(rows).to_have_count(2)
    await signed_in.get_by_role("group", name="Kind").get_by_role("button", name="Database").click()
    await expect(field).to_have_value('resource.kind in ["Cluster", "Database"]')
    await signed_in.get_by_role("group", name="region").get_by_role("button", name="eu").click()
    await expect(rows).to_have_count(2)
    await expect(signed_in).to_have_url(re.compile("q="))
    await expect(signed_in.get_by_text("2 resources of 4")).to_be_visible()
    await rows.filter(has_text="eu-1").focus()
    await keys(signed_in, "Enter")
    beside = signed_in.get_by_role("complementary", name="Resource eu-1")
    await expect(beside).to_contain_text("https://eu-1.example")
    await beside.get_by_role("tab", name="Relations").click()
    await expect(beside.get_by_role("link", name="net")).to_be_visible()
    await axe(signed_in)
    await camera(signed_in, "resources")
    await keys(signed_in, "x")
    await expect(beside).to_have_count(0)
    await expect(rows.filter(has_text="eu-1")).to_be_focused()
    await keys(signed_in, "o")
    await expect(signed_in.get_by_role("heading", name="eu-1", level=1)).to_be_visible()


async def test_the_expression_is_completed_and_a_mistake_is_shown_in_its_place(
    signed_in: Page, workspace: Workspace, watch: Watch
) -> None:
    watch.expect("status of 400")
    estate(workspace)
    await signed_in.goto(workspace.url("/resources"))
    field = signed_in.get_by_role("combobox", name="Expression")
    rows = signed_in.get_by_role("grid", name="Resources").get_by_role("row").filter(has=signed_in.get_by_role("gridcell"))
    await expect(rows).to_have_count(4)
    await keys(signed_in, "/")
    await expect(field).to_be_focused()
    await signed_in.keyboard.type("resource.me")
    await expect(signed_in.get_by_role("option", name=re.compile("region"))).to_be_visible()
    await keys(signed_in, "ArrowDown")
    await keys(signed_in, "Enter")
    await expect(field).to_have_value('resource.metadata["region"]')
    await signed_in.keyboard.type(' == "')
    await expect(signed_in.get_by_role("option")).to_have_text([re.compile("eu"), re.compile("us")])
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(signed_in.get_by_text(re.compile(r"column 32"))).to_be_visible()
    assert await signed_in.locator(".cel-under u").inner_text() == '"'
    await keys(signed_in, "ArrowDown")
    await keys(signed_in, "ArrowDown")
    await keys(signed_in, "Tab")
    await expect(field).to_have_value('resource.metadata["region"] == "us"')
    await expect(rows).to_have_count(1)
    await expect(field).not_to_have_attribute("aria-invalid", "true")
    # What was found before stays, until there is something else to show.
    await field.fill('resource.metadata["region"] == "us')
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(rows).to_have_count(1)
    await field.fill("orders")
    await expect(rows).to_have_text([re.compile("orders")])
    await field.fill("nobody")
    await expect(signed_in.get_by_role("heading", name="No resource fits this")).to_be_visible()
    await signed_in.get_by_role("button", name="Show all resources").click()
    await expect(rows).to_have_count(4)


async def test_a_long_list_draws_only_what_is_in_sight(signed_in: Page, workspace: Workspace) -> None:
    provider = workspace.call("PUT", "/resource-providers", {"id": "", "name": "many"})["id"]
    made = [
        {
            "identifier": f"r-{n:05}",
            "name": f"r-{n:05}",
            "kind": "Node",
            "version": "v1",
            "config": {},
            "metadata": {},
            "createdAt": "",
        }
        for n in range(3_000)
    ]
    workspace.call("PUT", f"/resource-providers/{provider}/set", {"resources": made})
    await signed_in.goto(workspace.url("/resources"))
    grid = signed_in.get_by_role("grid", name="Resources")
    await expect(grid).to_have_attribute("aria-rowcount", "3001")
    assert await grid.get_by_role("row").count() < 120
    await grid.locator("[data-active]").focus()
    await keys(signed_in, "End")
    await expect(grid.locator('[aria-rowindex="3001"]')).to_contain_text("r-00000")
    assert await grid.get_by_role("row").count() < 120


async def test_what_changed_is_said_and_shown_when_it_is_wanted(signed_in: Page, workspace: Workspace) -> None:
    estate(workspace)
    await signed_in.goto(workspace.url("/resources"))
    grid = signed_in.get_by_role("grid", name="Resources")
    await expect(grid).to_have_attribute("aria-rowcount", "5")
    resource(workspace, "another")
    await expect(signed_in.get_by_role("button", name=re.compile("1 change"))).to_be_visible()
    await expect(grid).to_have_attribute("aria-rowcount", "5")
    await keys(signed_in, "r")
    await expect(grid).to_have_attribute("aria-rowcount", "6")


async def test_a_resource_tells_what_it_is_what_runs_on_it_and_what_it_was(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace)
    shop.version("v1")
    await shop.carry_out("v1", "stg-1")
    await until(lambda: shop.runs("stg-1", "v1"), "v1 on stg-1")
    workspace.call("PATCH", "/resources/identifier/stg-1/variables", {"REPLICAS": 3})
    resource(workspace, "stg-1", metadata={"stage": "staging", "team": "web"}, config={"server": "https://new.example"})
    await signed_in.goto(workspace.url("/r/stg-1"))
    await expect(signed_in.get_by_role("row").filter(has_text="api in staging")).to_contain_text("v1")
    await expect(signed_in.get_by_role("region", name="configuration")).to_contain_text("https://new.example")
    await expect(signed_in.get_by_role("row").filter(has_text="REPLICAS")).to_contain_text("3")
    await expect(signed_in.get_by_text("metadata.team")).to_be_visible()
    await axe(signed_in)
    await camera(signed_in, "resource")
    await signed_in.get_by_role("link", name=re.compile("look at it then")).last.click()
    await expect(signed_in).to_have_url(re.compile(r"at=\d+"))
    await expect(signed_in.get_by_role("heading", name="stg-1", level=1)).to_be_visible()
    await expect(signed_in.get_by_text("metadata.team")).to_have_count(0)
    await expect(signed_in.get_by_role("button", name="Delete")).to_have_attribute("aria-disabled", "true")


async def test_a_resource_is_deleted_with_what_goes_with_it(signed_in: Page, workspace: Workspace, watch: Watch) -> None:
    watch.expect("status of 404")
    Shop(workspace)
    await until(lambda: workspace.call("GET", "/resources/identifier/prd-1/release-targets")["total"] == 1, "the target of prd-1")
    await signed_in.goto(workspace.url("/r/prd-1"))
    await expect(signed_in.get_by_text("1 target", exact=True)).to_be_visible()
    await signed_in.get_by_role("button", name="Delete").click()
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("Its 1 release target goes with it")
    await dialog.get_by_role("button", name="Delete the resource").click()
    await expect(signed_in).to_have_url(re.compile("/resources"))
    assert workspace.client.get("/resources/identifier/prd-1").status_code == 404
    await signed_in.goto(workspace.url("/r/prd-1"))
    await expect(signed_in.get_by_role("heading", name="There is no such resource", level=1)).to_be_visible()


async def test_a_heading_puts_what_was_found_in_order(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    for name, kind in (("node-10", "Vm"), ("node-9", "Cluster"), ("node-1", "Vm")):
        resource(workspace, name, kind)
    await signed_in.goto(workspace.url("/resources"))
    grid = signed_in.get_by_role("grid", name="Resources")
    links = grid.get_by_role("link")
    await expect(links).to_have_count(3)
    await grid.get_by_role("button", name="Resource").click()
    await expect(links).to_have_text(["node-1", "node-9", "node-10"])
    await expect(grid.get_by_role("columnheader", name="Resource")).to_have_attribute("aria-sort", "ascending")
    await axe(signed_in)
    await grid.get_by_role("button", name="Resource").click()
    await expect(links).to_have_text(["node-10", "node-9", "node-1"])
    await expect(signed_in).to_have_url(re.compile("sort=-name"))
    await grid.get_by_role("button", name="Kind").click()
    await expect(links).to_have_text(["node-9", "node-1", "node-10"])
    # The address is enough to see the same again.
    await signed_in.reload()
    await expect(links).to_have_text(["node-9", "node-1", "node-10"])


async def test_rows_further_down_are_there_when_the_order_is_given_up(signed_in: Page, workspace: Workspace) -> None:
    # The server tells a hundred at a time; those in an order of one's own are all there.
    for number in range(130):
        resource(workspace, f"node-{number:03}")
    await signed_in.goto(workspace.url("/resources?sort=-name"))
    rows = signed_in.get_by_role("grid", name="Resources").get_by_role("row").filter(has=signed_in.get_by_role("gridcell"))
    await expect(rows.first).to_contain_text("node-129")
    await rows.first.focus()
    await keys(signed_in, "End")
    await expect(rows.last).to_contain_text("node-000")
    await signed_in.get_by_role("button", name="Resource").click()
    await expect(signed_in).not_to_have_url(re.compile("sort="))
    await expect(rows.last).to_have_attribute("aria-rowindex", "131")
    await expect(rows.last).to_contain_text("node-000")
    await expect(signed_in.locator(".row.ghost")).to_have_count(0)
