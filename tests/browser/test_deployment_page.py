"""A deployment: its versions in a line, its environments with the gates between them, as lanes, graph and table."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from playwright.async_api import Locator, Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import PRODUCTION, Shop, until
from tests.browser.looking import Axe, Camera
from tests.browser.watching import Watch

GATED: dict[str, list[dict[str, Any]]] = {
    "production": [
        {"anyApproval": {"minApprovals": 1}},
        {
            "environmentProgression": {
                "dependsOnEnvironmentSelector": 'environment.name == "staging"',
                "minimumSuccessPercentage": 100,
            }
        },
    ]
}


async def look_at(page: Page, workspace: Workspace, shop: Shop, query: str = "") -> None:
    await page.goto(workspace.url(f"/d/{shop.deployment}{query}"))
    await expect(page.get_by_role("heading", name="api", level=1)).to_be_visible()


def lane(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


async def test_a_version_is_followed_from_lane_to_lane_and_approved_at_the_gate(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace, rules=GATED)
    shop.version("v1")
    await look_at(signed_in, workspace, shop)
    gate = signed_in.get_by_role("region", name="Before production")
    await expect(gate).to_contain_text("Environment progression")
    await expect(lane(signed_in, "staging")).to_contain_text("v1")
    await shop.carry_out("v1", "stg-1")
    await expect(lane(signed_in, "staging")).to_contain_text("there already")
    await expect(lane(signed_in, "production").get_by_role("row")).to_have_count(len(PRODUCTION) + 1)
    await axe(signed_in)
    await camera(signed_in, "deployment-lanes")
    await gate.get_by_role("button", name="Approve…").click()
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("Lets v1 go to 3 targets in production")
    await dialog.get_by_role("button", name="Approve", exact=True).click()
    await expect(gate.get_by_role("button", name="Approve…")).to_have_count(0)
    await expect(lane(signed_in, "production")).to_contain_text("3 on the way")
    await shop.carry_out("v1", *PRODUCTION)
    await expect(lane(signed_in, "production")).to_contain_text("on all 3")


async def test_what_failed_stands_first_in_a_lane(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    shop.version("v1")
    await look_at(signed_in, workspace, shop)
    await shop.carry_out("v1", "prd-1", "prd-2")
    await shop.carry_out("v1", "prd-3", status="failure")
    first = lane(signed_in, "production").get_by_role("row").nth(1)
    await expect(first).to_contain_text("prd-3failed")
    await first.get_by_role("link").click()
    await expect(signed_in.get_by_role("heading", name="prd-3", level=1)).to_be_visible()


async def test_the_graph_says_what_comes_before_what_and_the_table_the_same_in_rows(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace, rules=GATED)
    shop.version("v1")
    await look_at(signed_in, workspace, shop)
    await expect(signed_in.get_by_role("region", name="Before production")).to_be_visible()
    await keys(signed_in, "2")
    node = signed_in.get_by_role("link", name="production")
    await expect(node).to_contain_text("after staging")
    await expect(signed_in.locator(".graph .edge")).to_have_count(2)
    await axe(signed_in)
    await camera(signed_in, "deployment-graph")
    await keys(signed_in, "j")
    await expect(signed_in.locator(".graph-node").first).to_be_focused()
    await keys(signed_in, "3")
    row = signed_in.get_by_role("row").filter(has_text="production")
    await expect(row).to_contain_text("environment progression")
    await axe(signed_in)
    await camera(signed_in, "deployment-table")
    await row.get_by_role("link", name="production").click()
    await expect(signed_in.get_by_role("heading", name="api in production", level=1)).to_be_visible()


async def test_an_older_version_is_looked_at_by_keys_and_by_its_address(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    old = shop.version("v1")
    await shop.carry_out("v1", "stg-1")
    shop.version("v2")
    await look_at(signed_in, workspace, shop)
    newest = signed_in.get_by_role("radio", name="v2")
    await expect(newest).to_be_checked()
    await keys(signed_in, "o")
    await expect(signed_in.get_by_role("radio", name="v1")).to_be_checked()
    await expect(signed_in).to_have_url(re.compile(f"v={old}"))
    await expect(lane(signed_in, "staging").locator(".picked-says")).to_contain_text("v1")
    await keys(signed_in, "v")
    await keys(signed_in, "ArrowLeft")
    await expect(newest).to_be_focused()
    await expect(newest).to_be_checked()


async def test_versions_variables_and_policies_have_a_tab_each(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace, rules=GATED)
    shop.version("v1")
    variable = str(uuid4())
    workspace.call("PUT", f"/deployment-variables/{variable}", {"key": "replicas", "deploymentId": shop.deployment})
    body = {
        "deploymentVariableId": variable,
        "priority": 3,
        "value": 5,
        "resourceSelector": 'resource.metadata["stage"] == "production"',
    }
    workspace.call("PUT", f"/deployment-variable-values/{uuid4()}", body)
    await look_at(signed_in, workspace, shop, "?tab=versions")
    await expect(signed_in.get_by_role("row").nth(1)).to_contain_text("v1")
    await keys(signed_in, "/")
    await signed_in.keyboard.type("nothing")
    await expect(signed_in.get_by_role("heading", name="No version fits this filter")).to_be_visible()
    await signed_in.get_by_role("button", name="Show every version").click()
    await expect(signed_in.get_by_role("row").nth(1)).to_contain_text("v1")
    await axe(signed_in)
    await camera(signed_in, "deployment-versions")
    await signed_in.get_by_role("tab", name="Variables").click()
    await expect(signed_in.get_by_role("table")).to_contain_text("resource with stage production")
    await axe(signed_in)
    await signed_in.get_by_role("tab", name="Policies").click()
    await expect(signed_in.get_by_role("tabpanel")).to_contain_text("Needs 1 approval.")
    await expect(signed_in.get_by_role("tabpanel")).to_contain_text("all 3 targets in production")
    await axe(signed_in)
    await camera(signed_in, "deployment-policies")


async def test_a_lane_has_the_actions_of_its_rollout(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    for tag in ("v1", "v2"):
        shop.version(tag)
        await shop.carry_out(tag, "stg-1")
        await until(lambda tag=tag: shop.runs("stg-1", tag), tag)  # type: ignore[misc]
    await look_at(signed_in, workspace, shop)
    await expect(lane(signed_in, "staging")).to_contain_text("healthy")
    await signed_in.get_by_role("button", name="Actions for staging").click()
    await signed_in.get_by_role("menuitem", name="Roll back v2…").click()
    await expect(signed_in.get_by_role("dialog")).to_contain_text("Rolls api in staging back now: 1 target from v2 to v1.")


async def test_it_teaches_while_there_is_nothing_and_says_when_there_is_no_such_deployment(
    signed_in: Page, workspace: Workspace, watch: Watch, axe: Axe
) -> None:
    shop = Shop(workspace)
    await look_at(signed_in, workspace, shop)
    await expect(signed_in.get_by_role("heading", name="No versions yet")).to_be_visible()
    await expect(signed_in.get_by_role("region", name="Command")).to_contain_text(f"/deployments/{shop.deployment}/versions")
    await axe(signed_in)
    watch.expect("status of 404")
    await signed_in.goto(workspace.url(f"/d/{uuid4()}"))
    await expect(signed_in.get_by_role("heading", name="There is no such deployment")).to_be_visible()


async def test_the_past_shows_the_gate_as_it_was_and_acts_on_nothing(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace, rules=GATED)
    shop.version("v1")
    await shop.carry_out("v1", "stg-1")
    await until(lambda: workspace.call("GET", "/board/approvals")["items"], "an approval that is waited for")
    then = workspace.call("GET", "/board")["position"]
    await look_at(signed_in, workspace, shop, f"?at={then}")
    gate = signed_in.get_by_role("region", name="Before production")
    await expect(gate).to_contain_text("Approval")
    await expect(gate.get_by_role("button", name="Approve…")).to_have_attribute("aria-disabled", "true")
    await signed_in.get_by_role("button", name="Actions for production").click()
    await expect(signed_in.get_by_role("menuitem", name="Deploy again…")).to_have_attribute("aria-disabled", "true")


async def test_it_fits_a_phone(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace, rules=GATED)
    shop.version("v1")
    for width in (390, 320):
        await signed_in.set_viewport_size({"width": width, "height": 800})
        for view in ("", "?view=graph", "?view=table", "?tab=policies"):
            await look_at(signed_in, workspace, shop, view)
            await expect(signed_in.get_by_role("tabpanel")).to_contain_text("production")
            assert await signed_in.evaluate(
                "() => { const m = document.querySelector('main'); return m.scrollWidth <= m.clientWidth }"
            )
