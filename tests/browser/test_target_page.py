"""A release target: what runs there, why the next version waits, and what one can do about it."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import Shop, until
from tests.browser.looking import Axe, Camera
from tests.browser.watching import Watch
from tests.story.house import House

APPROVED: dict[str, list[dict[str, Any]]] = {"production": [{"anyApproval": {"minApprovals": 1}}]}


def card(page: Page, title: str) -> Locator:
    """A box of the page by its heading."""
    return page.locator("section.card").filter(has=page.get_by_role("heading", name=title, exact=True))


async def look_at(page: Page, workspace: Workspace, shop: Shop, name: str, query: str = "") -> None:
    await page.goto(workspace.url(f"/t/{shop.key(name)}{query}"))
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


async def confirm(page: Page, button: str, reason: str = "") -> None:
    """Give the reason where one is asked for, and do it."""
    dialog = page.get_by_role("dialog")
    if reason:
        await dialog.get_by_label(re.compile("^Reason")).fill(reason)
    await dialog.get_by_role("button", name=button, exact=True).click()
    await expect(dialog).to_have_count(0)


async def deployed(shop: Shop, name: str, *tags: str) -> list[str]:
    """Versions that ran on a resource one after the other; their ids."""
    made = []
    for tag in tags:
        made.append(shop.version(tag))
        await shop.carry_out(tag, name)
        await until(lambda tag=tag: shop.runs(name, tag), f"{tag} on {name}")  # type: ignore[misc]
    return made


async def test_it_tells_why_a_version_waits_and_can_be_approved_there(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace, rules=APPROVED)
    shop.version("v1")
    await look_at(signed_in, workspace, shop, "prd-1")
    why = card(signed_in, "Why")
    await expect(why).to_contain_text("1 more approval")
    await expect(card(signed_in, "What happened")).to_contain_text("approval makes v1 wait")
    await axe(signed_in)
    await camera(signed_in, "target-waits")
    await keys(signed_in, "a")
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("Approve api v1 for production?")
    await axe(signed_in)
    await confirm(signed_in, "Approve")
    await expect(signed_in.get_by_text("Approved api v1 for production.")).to_be_visible()
    # The rest comes live.
    await expect(card(signed_in, "Jobs")).to_contain_text("v1")
    await shop.carry_out("v1", "prd-1")
    await expect(signed_in.locator(".stand")).to_contain_text("Runs v1.")
    await expect(card(signed_in, "Jobs")).to_contain_text("successful on prd-1")


async def test_a_rule_is_skipped_for_a_time_with_a_reason_and_the_skip_is_ended(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace, rules=APPROVED)
    shop.version("v1")
    await look_at(signed_in, workspace, shop, "prd-2")
    await expect(card(signed_in, "Why")).to_contain_text("1 more approval")
    await keys(signed_in, "s")
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("Lets v1 pass “Approval of production-policy” on prd-2 for 1 hour")
    await dialog.get_by_label("Where").select_option("all of production")
    await expect(dialog).to_contain_text("on all of production for 1 hour")
    await dialog.get_by_label("Where").select_option("prd-2")
    skip = dialog.get_by_role("button", name="Skip the rule")
    await expect(skip).to_have_attribute("aria-disabled", "true")
    await confirm(signed_in, "Skip the rule", "the approver is on a plane")
    (made,) = workspace.call("GET", "/policy-skips")["items"]
    assert (made["reason"], made["resourceId"]) == ("the approver is on a plane", shop.resources["prd-2"])
    assert made["expiresAt"]
    await shop.carry_out("v1", "prd-2")
    await expect(signed_in.locator(".stand")).to_contain_text("Runs v1.")


async def test_it_is_rolled_back_and_the_mark_is_lifted(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    await deployed(shop, "stg-1", "v1", "v2")
    await look_at(signed_in, workspace, shop, "stg-1")
    await expect(signed_in.locator(".stand")).to_contain_text("v2")
    await expect(signed_in.get_by_role("button", name="Roll back…")).not_to_have_attribute("aria-disabled", "true")
    await signed_in.get_by_role("button", name="Roll back…").click()
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("Rolls stg-1 (1 target) back from v2 to v1 now; windows and cooldown do not apply.")
    await confirm(signed_in, "Roll back", "latency")
    marks = card(signed_in, "Marked bad here")
    await expect(marks).to_contain_text("v2")
    await shop.carry_out("v1", "stg-1")
    await expect(card(signed_in, "What happened")).to_contain_text("v2 was marked bad, goes back to v1")
    await marks.get_by_role("button", name="Lift…").click()
    await confirm(signed_in, "Lift the mark")
    await expect(marks).to_have_count(0)
    await shop.carry_out("v2", "stg-1")
    await until(lambda: shop.runs("stg-1", "v2"), "v2 comes back")


async def test_it_is_deployed_again_and_the_job_is_cancelled(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    await deployed(shop, "stg-1", "v1")
    await look_at(signed_in, workspace, shop, "stg-1")
    await signed_in.get_by_role("button", name="Deploy again…").click()
    await expect(signed_in.get_by_role("dialog")).to_contain_text("one more job of v1 for stg-1 now")
    await confirm(signed_in, "Deploy again")
    jobs = card(signed_in, "Jobs")
    await jobs.get_by_role("button", name="Cancel…").click()
    await expect(signed_in.get_by_role("dialog")).to_contain_text("tells runner to stop it")
    await confirm(signed_in, "Cancel the job")
    await expect(jobs.locator("li").first).to_contain_text("cancelled")


async def test_it_is_pinned_to_a_version_and_released(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    await deployed(shop, "stg-1", "v1", "v2")
    await look_at(signed_in, workspace, shop, "stg-1")
    await expect(signed_in.get_by_label("if it were")).to_contain_text("v1")
    await keys(signed_in, "p")
    dialog = signed_in.get_by_role("dialog")
    await dialog.get_by_label("Version").select_option("v1")
    await expect(dialog).to_contain_text("Only v1 of api goes to stg-1 from now on")
    await confirm(signed_in, "Pin", "an investigation")
    await expect(signed_in.locator(".stand")).to_contain_text("Pinned because: an investigation")
    await signed_in.get_by_role("button", name="More actions").click()
    await signed_in.get_by_role("menuitem", name="Release the pin…").click()
    await confirm(signed_in, "Release the pin")
    await expect(signed_in.locator(".stand dl")).to_contain_text("Pinnedno")


async def test_what_the_rules_say_of_another_version_is_asked_for(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace, rules=APPROVED)
    first = shop.version("v1")
    shop.version("v2")
    await look_at(signed_in, workspace, shop, "prd-1")
    why = card(signed_in, "Why")
    await expect(why).to_contain_text("v2 is blocked")
    await why.get_by_label("if it were").select_option("v1")
    await expect(why).to_contain_text("v1 would wait for 1 rule.")
    await expect(signed_in).to_have_url(re.compile(f"v={first}"))


async def test_measurements_are_drawn_with_their_limit_and_told_as_a_table(
    signed_in: Page, workspace: Workspace, system: House, axe: Axe, camera: Camera
) -> None:
    provider = {"type": "http", "url": f"{system.url}/api/version"}
    metric = {
        "name": "answers", "intervalSeconds": 1, "count": 2, "provider": provider, "successCondition": "result.statusCode < 400",
    }  # fmt: skip
    shop = Shop(workspace, everywhere=[{"verification": {"metrics": [metric]}}])
    await deployed(shop, "stg-1", "v1")
    await look_at(signed_in, workspace, shop, "stg-1")
    checks = card(signed_in, "Verification")
    await expect(checks).to_contain_text("200 (limit < 400)")
    chart = checks.get_by_role("img", name=re.compile("answers: 2 values of statusCode from 200 to 200, newest 200; limit < 400"))
    await expect(chart.locator("canvas")).to_be_visible()
    await checks.get_by_text("2 measurements", exact=True).last.click()
    await expect(checks.get_by_role("cell", name="passed")).to_have_count(2)
    await axe(signed_in)
    await camera(signed_in, "target-verified")
    await checks.get_by_role("button", name="Verify again…").click()
    await expect(signed_in.get_by_role("dialog")).to_contain_text("2 measurements of 1 metric once more")
    await confirm(signed_in, "Verify again", "to be sure")
    await expect(checks).to_contain_text("attempt 2")


async def test_in_the_past_it_is_as_it_was_and_nothing_can_be_done(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    await deployed(shop, "stg-1", "v1")
    (fact, *_) = workspace.call("GET", "/events", order="desc", limit=1)["items"]
    await deployed(shop, "stg-1", "v2")
    await look_at(signed_in, workspace, shop, "stg-1", f"?at={fact['position']}")
    stand = signed_in.locator(".stand")
    await expect(stand).to_contain_text("Runs v1.")
    back = signed_in.get_by_role("button", name="Roll back…")
    await expect(back).to_have_attribute("aria-disabled", "true")
    await expect(back).to_have_attribute("title", re.compile("Go back to live"))
    await keys(signed_in, "Escape")
    await expect(stand).to_contain_text("Runs v2.")


async def test_what_is_no_target_is_said_to_be_none(signed_in: Page, workspace: Workspace, watch: Watch) -> None:
    watch.expect("status of 404")
    shop = Shop(workspace)
    key = f"{shop.resources['stg-1']}-{shop.environments['production']}-{shop.deployment}"
    await signed_in.goto(workspace.url(f"/t/{key}"))
    await expect(signed_in.get_by_role("heading", name="This is no release target", level=1)).to_be_visible()


async def test_what_holds_is_told_by_name_and_in_the_zone_of_who_looks(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace, rules={"production": [{"anyApproval": {"minApprovals": 1}}]})
    body = {
        "scope": "environment", "scopeId": shop.environments["production"], "reason": "see https://status.example/1",
        "endsAt": "2090-01-01T09:00:00Z",
    }  # fmt: skip
    workspace.call("POST", "/freezes", body)
    shop.version("v1")
    await signed_in.goto(workspace.url(f"/t/{shop.key('prd-1')}"))
    why = card(signed_in, "Why")
    lines = why.locator(".why > ul > li")
    # Somebody can act on the approval; the freeze ends by itself.
    await expect(lines.nth(0)).to_contain_text("Approval")
    await expect(lines.nth(0)).to_have_attribute("data-st", "blocked")
    await expect(lines.nth(1)).to_have_attribute("data-st", "pending")
    await expect(lines.nth(1)).to_contain_text("Frozen by admin until 1 Jan 2090, 10:00")
    await expect(why.locator("time[title='2090-01-01 09:00:00 UTC']").first).to_be_visible()
    await expect(lines.nth(1).get_by_role("link", name="status.example/1").first).to_have_attribute("rel", "noreferrer")
    await expect(why).not_to_contain_text("UTC")
