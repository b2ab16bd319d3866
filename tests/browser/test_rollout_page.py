"""A rollout: one version in one environment, target by target, and what one can do about it."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import PRODUCTION, Shop, until
from tests.browser.looking import Axe, Camera
from tests.browser.watching import Watch

APPROVED: dict[str, list[dict[str, Any]]] = {"production": [{"anyApproval": {"minApprovals": 1}}]}
SLOWLY: dict[str, list[dict[str, Any]]] = {
    "production": [{"gradualRollout": {"rolloutType": "linear", "timeScaleInterval": 3600}}]
}


async def look_at(page: Page, workspace: Workspace, shop: Shop, query: str = "", stage: str = "production") -> None:
    await page.goto(workspace.url(f"/d/{shop.deployment}/e/{shop.environments[stage]}{query}"))
    await expect(page.get_by_role("heading", name=f"api in {stage}", level=1)).to_be_visible()


async def confirm(page: Page, button: str, reason: str = "") -> None:
    """Give the reason where one is asked for, and do it."""
    dialog = page.get_by_role("dialog")
    if reason:
        await dialog.get_by_label(re.compile("^Reason")).fill(reason)
    await dialog.get_by_role("button", name=button, exact=True).click()
    await expect(dialog).to_have_count(0)


async def deployed(shop: Shop, *tags: str, names: tuple[str, ...] = PRODUCTION) -> list[str]:
    """Versions that ran one after the other; their ids."""
    made = []
    for tag in tags:
        made.append(shop.version(tag))
        await shop.carry_out(tag, *names)
        for name in names:
            await until(lambda name=name, tag=tag: shop.runs(name, tag), f"{tag} on {name}")  # type: ignore[misc]
    return made


async def test_it_goes_on_while_one_looks(signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera) -> None:
    shop = Shop(workspace)
    shop.version("v1")
    await look_at(signed_in, workspace, shop)
    far = signed_in.get_by_role("region", name="How far it is")
    await expect(far).to_contain_text("3 on the way")
    await shop.carry_out("v1", "prd-1")
    await expect(far).to_contain_text("1 done")
    row = signed_in.get_by_role("row").filter(has_text="prd-1")
    await expect(row).to_contain_text("done")
    await shop.carry_out("v1", "prd-2", status="failure")
    failed = signed_in.get_by_role("row").filter(has_text="prd-2")
    await expect(failed).to_contain_text("failed")
    await axe(signed_in)
    await camera(signed_in, "rollout")
    await signed_in.get_by_role("group", name="Filter by status").get_by_role("button", name="failed").click()
    await expect(signed_in.get_by_role("row")).to_have_count(2)
    await shop.carry_out("v1", "prd-3")
    await failed.click()
    await expect(signed_in.get_by_role("heading", name="prd-2", level=1)).to_be_visible()


async def test_targets_stand_in_the_order_of_their_turn_with_what_is_left_until_then(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace, rules=SLOWLY)
    shop.version("v1")
    await look_at(signed_in, workspace, shop)
    rows = signed_in.get_by_role("row")
    await expect(rows.nth(1)).to_contain_text("on the way")
    await expect(rows.nth(2)).to_contain_text("waits")
    await expect(rows.nth(2)).to_contain_text(re.compile(r"\d+m|1h 00m"))
    await expect(rows.nth(3)).to_contain_text(re.compile(r"1h \d\dm|2h"))
    await expect(signed_in.locator(".coming")).to_contain_text(re.compile(r"Next: prd-\d in"))
    await axe(signed_in)
    await camera(signed_in, "rollout-turns")
    await rows.nth(1).focus()
    await keys(signed_in, "j")
    await expect(rows.nth(2)).to_be_focused()
    name = await rows.nth(2).get_by_role("gridcell").nth(1).inner_text()
    await keys(signed_in, "Enter")
    await expect(signed_in.get_by_role("heading", name=name, level=1)).to_be_visible()


async def test_it_is_rolled_back_with_its_numbers_told_and_the_mark_is_lifted(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace)
    _, second = await deployed(shop, "v1", "v2")
    await look_at(signed_in, workspace, shop)
    await expect(signed_in.get_by_role("region", name="How far it is")).to_contain_text("3 done")
    await signed_in.get_by_role("button", name="Roll back v2…").click()
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text(
        "Rolls api in production back now: 3 targets from v2 to v1. Windows and cooldown do not apply. "
        "v2 stays away from these targets until somebody lifts the mark."
    )
    await axe(signed_in)
    await camera(signed_in, "rollout-back")
    await expect(dialog.get_by_role("button", name="Roll back", exact=True)).to_have_attribute("aria-disabled", "true")
    await confirm(signed_in, "Roll back", "latency")
    await expect(signed_in.get_by_text("3 targets of api in production go back.")).to_be_visible()
    await look_at(signed_in, workspace, shop, f"?v={second}")
    await expect(signed_in.get_by_role("row").filter(has_text="prd-1")).to_contain_text("marked bad")
    await signed_in.get_by_role("button", name="Lift the mark…").click()
    await expect(signed_in.get_by_role("dialog")).to_contain_text("v2 of api may go again to every target in production")
    await confirm(signed_in, "Lift the mark")
    await expect(signed_in.get_by_text("The mark of v2 is lifted on 3 targets.")).to_be_visible()
    await expect(signed_in.get_by_role("row").filter(has_text="marked bad")).to_have_count(0)


async def test_what_can_not_go_back_says_why(signed_in: Page, workspace: Workspace, watch: Watch) -> None:
    shop = Shop(workspace)
    await deployed(shop, "v1")
    watch.expect("status of 409")
    await look_at(signed_in, workspace, shop)
    await signed_in.get_by_role("button", name="Roll back v1…").click()
    await expect(signed_in.get_by_text("has no earlier release that succeeded there")).to_be_visible()
    await expect(signed_in.get_by_role("dialog")).to_have_count(0)


async def test_it_is_deployed_again(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    await deployed(shop, "v1")
    await look_at(signed_in, workspace, shop)
    await expect(signed_in.get_by_role("region", name="How far it is")).to_contain_text("3 done")
    await keys(signed_in, "r")
    await expect(signed_in.get_by_role("dialog")).to_contain_text("for each of the 3 targets of api in production now, of v1")
    await confirm(signed_in, "Deploy again")
    await expect(signed_in.get_by_text("3 targets of api in production are deployed again.")).to_be_visible()
    await shop.carry_out("v1", *PRODUCTION)


async def test_it_is_pinned_and_released(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    await deployed(shop, "v1", "v2")
    await look_at(signed_in, workspace, shop)
    await expect(signed_in.get_by_label("Version")).to_contain_text("v2 (wanted)")
    await keys(signed_in, "p")
    dialog = signed_in.get_by_role("dialog")
    await dialog.get_by_label("Version").select_option("v1")
    await expect(dialog).to_contain_text("Only v1 of api goes to the 3 targets in production from now on")
    await confirm(signed_in, "Pin", "an investigation")
    await expect(signed_in.get_by_text("pinned to v1", exact=True)).to_be_visible()
    await signed_in.get_by_role("button", name="More actions").click()
    await signed_in.get_by_role("menuitem", name="Release the pin…").click()
    await expect(signed_in.get_by_role("dialog")).to_contain_text("no longer held at v1")
    await confirm(signed_in, "Release the pin")
    await expect(signed_in.get_by_text("pinned to v1", exact=True)).to_have_count(0)


async def test_a_version_that_waits_is_approved_by_key(signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera) -> None:
    shop = Shop(workspace, rules=APPROVED)
    shop.version("v1")
    await look_at(signed_in, workspace, shop)
    await expect(signed_in.get_by_role("heading", name="Why", exact=True)).to_be_visible()
    await expect(signed_in.get_by_role("button", name="Approve…")).not_to_have_attribute("aria-disabled", "true")
    await axe(signed_in)
    # The matrix calls what waits for people blocked, and so does everything here.
    await expect(signed_in.get_by_role("region", name="How far it is")).to_contain_text("3 blocked")
    await camera(signed_in, "rollout-waits")
    await keys(signed_in, "y")
    await expect(signed_in.get_by_role("dialog")).to_contain_text("Lets v1 go to 3 targets in production at once.")
    await confirm(signed_in, "Approve")
    await expect(signed_in.get_by_role("region", name="How far it is")).to_contain_text("3 on the way")


async def test_a_rule_is_skipped_for_the_environment(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace, rules=APPROVED)
    shop.version("v1")
    await look_at(signed_in, workspace, shop)
    await signed_in.get_by_role("button", name="Skip…").click()
    await expect(signed_in.get_by_role("dialog")).to_contain_text("on all of production for 1 hour")
    await confirm(signed_in, "Skip the rule", "nobody is awake")
    (made,) = workspace.call("GET", "/policy-skips")["items"]
    assert (made["environmentId"], made["reason"]) == (shop.environments["production"], "nobody is awake")
    await expect(signed_in.get_by_role("region", name="How far it is")).to_contain_text("3 on the way")


async def test_the_past_is_read_only(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    await deployed(shop, "v1")
    then = workspace.call("GET", "/board")["position"]
    shop.version("v2")
    await look_at(signed_in, workspace, shop, f"?at={then}")
    await expect(signed_in.get_by_label("Version")).to_contain_text("v1 (wanted)")
    await expect(signed_in.get_by_label("Version")).not_to_contain_text("v2")
    await expect(signed_in.get_by_role("button", name="Deploy again…")).to_have_attribute("aria-disabled", "true")
    await keys(signed_in, "r")
    await expect(signed_in.get_by_text("Go back to live to act.")).to_be_visible()


async def test_a_part_that_can_not_be_read_says_so_and_the_rest_works(
    signed_in: Page, workspace: Workspace, watch: Watch
) -> None:
    shop = Shop(workspace)
    shop.version("v1")
    watch.expect("status of 503")
    broken = True

    async def answer(route: Any) -> None:
        if broken:
            await route.fulfill(status=503, json={"message": "the policy service does not answer now"})
        else:
            await route.continue_()

    await signed_in.route("**/explanation?*", answer)
    await look_at(signed_in, workspace, shop)
    problem = signed_in.get_by_role("alert").filter(has_text="Where v1 stands:")
    await expect(problem).to_contain_text("the policy service does not answer now")
    await expect(signed_in.get_by_role("row")).to_have_count(len(PRODUCTION) + 1)
    await expect(problem.get_by_role("button", name="Try again")).to_be_visible()
    broken = False
    # Something that happens may have it asked again by itself, so that the button may be gone already.
    await signed_in.evaluate("() => document.querySelector('[role=alert] button')?.click()")
    await expect(signed_in.get_by_role("region", name="How far it is")).to_be_visible()


async def test_it_fits_a_phone(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace, rules=APPROVED)
    shop.version("v1")
    for width in (390, 320):
        await signed_in.set_viewport_size({"width": width, "height": 800})
        await look_at(signed_in, workspace, shop)
        await expect(signed_in.get_by_role("row")).to_have_count(len(PRODUCTION) + 1)
        assert await signed_in.evaluate(
            "() => { const m = document.querySelector('main'); return m.scrollWidth <= m.clientWidth }"
        )
