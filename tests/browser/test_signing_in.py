"""Signing in with an API key, what a wrong one is told, and signing out."""

from __future__ import annotations

import re

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.looking import Axe, Camera
from tests.browser.watching import Watch
from tests.story.house import House

REFUSED = r"status of 401 \(Unauthorized\) \(.*/api/session\)"


async def type_key(page: Page, key: str) -> None:
    await page.get_by_label("API key").fill(key)
    await page.get_by_role("button", name="Sign in").click()


async def test_who_signs_in_comes_to_the_page_that_was_asked_for(
    page: Page, context: BrowserContext, system: House, workspace: Workspace
) -> None:
    await page.goto(workspace.url("/approvals"))
    await expect(page).to_have_url(re.compile("/signin"))
    await type_key(page, system.api_key)
    await expect(page).to_have_url(f"{system.url}{workspace.url('/approvals')}")
    (cookie,) = [one for one in await context.cookies() if one["name"] == "signalbox_session"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    # The key is nowhere that a script or the next person at this browser could find it.
    kept = await page.evaluate(
        "() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])"
    )
    assert system.api_key.split(".")[1] not in kept


async def test_a_wrong_key_is_told_and_the_next_try_may_be_right(
    page: Page, system: House, workspace: Workspace, watch: Watch, axe: Axe, camera: Camera
) -> None:
    watch.expect(REFUSED)
    await page.goto("/signin")
    await type_key(page, "0" * 16 + "." + "0" * 64)
    await expect(page.get_by_role("alert")).to_contain_text("revoked or have expired")
    await axe(page)
    await camera(page, "signin-wrong-key")
    await type_key(page, system.api_key)
    await expect(page).to_have_url(re.compile("/w/"))


async def test_who_signs_out_is_asked_for_a_key_again(signed_in: Page, workspace: Workspace) -> None:
    await signed_in.goto(workspace.url())
    await signed_in.get_by_role("button", name="You").click()
    await signed_in.get_by_role("menuitem", name="Sign out").click()
    await expect(signed_in).to_have_url(re.compile("/signin"))
    await signed_in.goto(workspace.url())
    await expect(signed_in.get_by_label("API key")).to_be_visible()


async def test_a_page_whose_key_was_revoked_asks_to_sign_in_and_stays_where_it_is(
    page: Page, context: BrowserContext, system: House, workspace: Workspace, watch: Watch
) -> None:
    watch.expect("status of 401")
    headers = {"X-API-Key": system.api_key}
    made = await (await context.request.post("/api/v1/api-keys", data={"name": "short-lived"}, headers=headers)).json()
    assert (await context.request.post("/api/session", data={"apiKey": made["apiKey"]})).status == 200
    await page.goto(workspace.url())
    await expect(page.get_by_role("status").get_by_text("live", exact=True)).to_be_visible()
    gone = await context.request.delete(f"/api/v1/api-keys/{made['id']}", headers=headers)
    assert gone.status == 204
    # The stream ends with its next sign of life; whoever does something in the page is told at once.
    await page.goto(workspace.url("/approvals"))
    await expect(page.get_by_label("API key")).to_be_visible()
    await type_key(page, system.api_key)
    await expect(page).to_have_url(f"{system.url}{workspace.url('/approvals')}")


async def test_a_tab_goes_on_after_somebody_signed_in_again_in_another_one(
    signed_in: Page, context: BrowserContext, system: House, workspace: Workspace, watch: Watch
) -> None:
    page, name = signed_in, f"second tab of {workspace.slug}"
    watch.expect("status of 403")
    await page.goto(workspace.url("/settings/keys"))
    await expect(page.get_by_role("table", name="API keys")).to_be_visible()
    # The cookie is of a new session from here on, and what shows that this page is one of ours is of the one before.
    assert (await context.request.post("/api/session", data={"apiKey": system.api_key})).status == 200
    await keys(page, "c")
    await expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    await page.keyboard.type(name)
    await keys(page, "Enter")
    await expect(page.get_by_role("dialog", name=f"{name} is ready")).to_be_visible()


async def test_a_tab_of_somebody_who_was_followed_by_somebody_else_does_nothing_in_their_name(
    signed_in: Page, context: BrowserContext, system: House, workspace: Workspace, watch: Watch
) -> None:
    page, name = signed_in, f"in another name in {workspace.slug}"
    watch.expect("status of 403")
    await page.goto(workspace.url("/settings/keys"))
    await expect(page.get_by_role("table", name="API keys")).to_be_visible()
    somebody = await (await context.request.get("/api/session")).json()
    somebody["user"] = {"id": "00000000-0000-4000-8000-000000000001", "name": "Somebody else", "isAdmin": False}
    somebody["csrfToken"] = "of another session"
    await page.route("**/api/session", lambda route: route.fulfill(json=somebody))
    assert (await context.request.post("/api/session", data={"apiKey": system.api_key})).status == 200
    await keys(page, "c")
    await expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    await page.keyboard.type(name)
    await keys(page, "Enter")
    await expect(page.get_by_role("dialog", name="The session is over")).to_be_visible()
    listed = await (await context.request.get("/api/v1/api-keys")).text()
    assert name not in listed
