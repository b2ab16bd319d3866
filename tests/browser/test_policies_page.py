"""Policies: read as sentences with what they hold, written with what saving would do, refused at the very field."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from playwright.async_api import Page, Route, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import Shop, until
from tests.browser.looking import Axe, Camera
from tests.browser.watching import Watch

ASKED: list[dict[str, Any]] = [{"anyApproval": {"minApprovals": 2}}]
PRODUCTION = 'environment.name == "production"'


async def targets(workspace: Workspace) -> None:
    """Wait until the shop's four targets are there."""

    def reached() -> bool:
        told = workspace.call("POST", "/policies/preview", {"name": "all", "selector": "true"})
        return bool(told["total"] == 4)

    await until(reached, "four targets")


async def test_a_new_workspace_is_told_what_policies_do(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    await signed_in.goto(workspace.url("/policies"))
    await expect(signed_in.get_by_role("heading", name="There are no policies yet")).to_be_visible()
    await expect(signed_in.get_by_role("region", name="Command")).to_contain_text(f"/workspaces/{workspace.id}/policies")
    await axe(signed_in)


async def test_policies_read_as_sentences_with_what_they_hold_now(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace)
    shop.policy("careful", PRODUCTION, [*ASKED, {"gradualRollout": {"rolloutType": "linear", "timeScaleInterval": 60}}])
    shop.policy("healthy", "true", [{"retry": {"maxRetries": 2}}])
    await targets(workspace)
    await signed_in.goto(workspace.url("/policies"))
    careful = signed_in.get_by_role("listitem").filter(has=signed_in.get_by_role("heading", name="careful"))
    await expect(careful).to_contain_text("For environment production")
    await expect(careful).to_contain_text("Needs 2 approvals.")
    await expect(careful).to_contain_text("Goes target by target, 1 min apart.")
    await expect(careful).to_contain_text("3 targets")
    shop.version("v1")
    await expect(careful.locator("[data-st=blocked]")).to_contain_text("3 targets")
    await axe(signed_in)
    await camera(signed_in, "policies")
    await keys(signed_in, "/")
    await signed_in.keyboard.type("retr")
    await expect(signed_in.get_by_role("heading", name="careful")).to_have_count(0)
    await keys(signed_in, "Escape")
    await signed_in.get_by_role("searchbox").blur()
    await keys(signed_in, "j")
    await keys(signed_in, "Enter")
    await expect(signed_in.get_by_role("heading", name="healthy", level=1)).to_be_visible()


async def test_a_priority_may_be_below_zero_and_is_never_none(signed_in: Page, workspace: Workspace) -> None:
    body = {"name": "late", "selector": "true", "priority": 3, "rules": [{"anyApproval": {"minApprovals": 1}}]}
    policy = workspace.call("POST", "/policies", body)["id"]
    read_on = asyncio.Event()

    async def later(route: Route) -> None:
        await read_on.wait()
        await route.continue_()

    await signed_in.route("**/resources/facets*", later)
    await signed_in.goto(workspace.url(f"/p/{policy}"))
    field = signed_in.get_by_label("Priority")
    await expect(field).to_have_value("3")
    await field.focus()
    await keys(signed_in, "Control+a", "Delete")
    # The words for expressions come, and the form is drawn again, in the middle of typing.
    async with signed_in.expect_response("**/resources/facets*") as answer:
        read_on.set()
    await (await answer.value).finished()
    await signed_in.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    await expect(field).to_have_value("")
    await signed_in.get_by_label("Name").focus()
    await expect(field).to_have_value("3")
    await field.focus()
    await keys(signed_in, "Control+a", "-", "5")
    await expect(field).to_have_value("-5")
    await signed_in.get_by_role("button", name="Save…").click()
    await signed_in.get_by_role("dialog").get_by_role("button", name="Save the policy").click()
    await expect(signed_in.get_by_role("heading", name="late", level=1)).to_be_visible()
    await expect(signed_in.get_by_text("“late” was saved.")).to_be_visible()
    assert workspace.call("GET", f"/policies/{policy}")["priority"] == -5


async def test_a_policy_is_written_with_what_it_would_do(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera, watch: Watch
) -> None:
    watch.expect("status of 400")
    Shop(workspace)
    await targets(workspace)
    await signed_in.goto(workspace.url("/policies"))
    await expect(signed_in.get_by_role("heading", name="Policies", level=1)).to_be_visible()
    await keys(signed_in, "n")
    await expect(signed_in.get_by_role("heading", name="New policy", level=1)).to_be_visible()
    create = signed_in.get_by_role("button", name="Create…")
    await expect(create).to_have_attribute("aria-disabled", "true")
    await signed_in.get_by_label("Name", exact=True).fill("careful")
    await expect(signed_in.get_by_text("applies to 3 targets from now on")).to_be_visible()
    selector = signed_in.get_by_role("combobox", name="For targets that fit")
    await selector.fill("environment.name ==")
    await expect(selector).to_have_attribute("aria-invalid", "true")
    await expect(signed_in.get_by_text("unexpected end of the expression").first).to_be_visible()
    await expect(create).to_have_attribute("aria-disabled", "true")
    await selector.fill('environment.name != "nowhere"')
    await expect(signed_in.get_by_text("applies to 4 targets from now on")).to_be_visible()
    await keys(signed_in, "Escape")
    await signed_in.get_by_label("Approvals needed").fill("2")
    await signed_in.get_by_role("button", name="Add a rule").click()
    await signed_in.get_by_role("menuitem", name="Retry of failed jobs").click()
    words = signed_in.locator(".policy-words")
    await expect(words).to_contain_text("Needs 2 approvals.")
    await expect(words).to_contain_text("Tries a failed job again, 2 times at most, 30 s apart.")
    await axe(signed_in)
    await camera(signed_in, "policy-new")
    await signed_in.get_by_role("tab", name="YAML").click()
    text = signed_in.get_by_label("The policy as YAML")
    await expect(text).to_have_value(re.compile("minApprovals: 2"))
    written = await text.input_value()
    await text.fill(written.replace("maxRetries: 2", "maxRetries: -1"))
    await expect(signed_in.get_by_role("alert")).to_contain_text("rules.1.retry.maxRetries")
    await text.fill(written.replace("maxRetries: 2", "maxRetries: [3"))
    await expect(signed_in.get_by_text("This can not be read")).to_be_visible()
    await text.fill(written.replace("maxRetries: 2", "maxRetries: 3"))
    await expect(words).to_contain_text("3 times at most")
    await expect(create).not_to_have_attribute("aria-disabled", "true")
    await create.click()
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("“careful” applies to 4 targets from now on. It holds nothing at this moment.")
    await dialog.get_by_role("button", name="Create the policy").click()
    await expect(signed_in.get_by_role("heading", name="careful", level=1)).to_be_visible()
    (made,) = workspace.call("GET", "/policies")["items"]
    assert [one.get("anyApproval") or one.get("retry") for one in made["rules"]] == [
        {"minApprovals": 2},
        {"maxRetries": 3, "backoffSeconds": 30},
    ]


async def test_a_change_tells_its_blast_radius_before_it_is_saved(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    policy = shop.policy("careful", PRODUCTION, ASKED)
    await targets(workspace)
    shop.version("v1")
    await signed_in.goto(workspace.url(f"/p/{policy}"))
    await expect(signed_in.get_by_text("It holds a version on 3 targets at this moment.")).to_be_visible()
    await signed_in.get_by_role("combobox", name="For targets that fit").fill('resource.name == "prd-1"')
    await expect(signed_in.get_by_text("(3 now: 2 go)")).to_be_visible()
    await signed_in.get_by_role("button", name="Save…").click()
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text(
        "applies to 1 target (3 now: 2 go) from now on. It holds a version on 1 target at this moment (3 as it is now)."
    )
    await dialog.get_by_role("button", name="Save the policy").click()
    await expect(dialog).to_have_count(0)
    await expect(signed_in.get_by_role("button", name="Save…")).to_have_attribute("title", "Nothing was changed.")
    assert workspace.call("GET", f"/policies/{policy}/targets")["total"] == 1


async def test_a_policy_is_switched_off_and_deleted_with_what_follows(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    policy = shop.policy("careful", PRODUCTION, ASKED)
    await targets(workspace)
    shop.version("v1")
    await signed_in.goto(workspace.url(f"/p/{policy}"))
    await expect(signed_in.get_by_text("It holds a version on 3 targets at this moment.")).to_be_visible()
    await keys(signed_in, "e")
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("3 targets that it holds now may get newer versions")
    await dialog.get_by_role("button", name="Switch it off").click()
    await expect(signed_in.get_by_text("switched off", exact=True)).to_be_visible()
    assert workspace.call("GET", f"/policies/{policy}")["enabled"] is False
    await signed_in.get_by_role("button", name="Delete").click()
    await expect(dialog).to_contain_text("Its 1 rule no longer applies to 3 targets.")
    await dialog.get_by_role("button", name="Delete the policy").click()
    await expect(signed_in.get_by_role("heading", name="There are no policies yet")).to_be_visible()
    assert workspace.call("GET", "/policies")["total"] == 0


async def test_in_the_past_a_policy_is_read_and_not_changed(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    shop = Shop(workspace)
    policy = shop.policy("careful", PRODUCTION, ASKED)
    await targets(workspace)
    position = workspace.call("GET", "/events", limit=1)["position"]
    workspace.call("DELETE", f"/policies/{policy}")
    await signed_in.goto(workspace.url(f"/p/{policy}?at={position}"))
    await expect(signed_in.get_by_role("heading", name="careful", level=1)).to_be_visible()
    await expect(signed_in.get_by_text("Needs 2 approvals.")).to_be_visible()
    await expect(signed_in.get_by_text("3 targets")).to_be_visible()
    await expect(signed_in.get_by_role("button", name="Save…")).to_have_count(0)
    delete = signed_in.get_by_role("button", name="Delete")
    await expect(delete).to_have_attribute("title", re.compile("looking at the past"))
    await axe(signed_in)
