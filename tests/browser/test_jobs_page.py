"""All jobs, and one of them: how it stands, what happened, and what a person can do about it."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import keys
from tests.browser.journeys.shop import Shop, until
from tests.browser.looking import Axe, Camera
from tests.browser.watching import Watch

PAST = "You are looking at the past. Go back to live to act."


def jobs(page: Page) -> Locator:
    """The rows of the list, without its headings."""
    return page.get_by_role("grid", name="Jobs").get_by_role("row").filter(has_text="in staging")


async def queued(shop: Shop) -> str:
    """A job of v1 on stg-1 that waits for its agent."""
    shop.version("v1")
    (job,) = await until(lambda: shop.open_jobs("v1", ("stg-1",)), "a job of v1 on stg-1")
    return str(job)


async def test_a_new_workspace_is_told_what_makes_jobs(signed_in: Page, workspace: Workspace, axe: Axe) -> None:
    await signed_in.goto(workspace.url("/jobs"))
    await expect(signed_in.get_by_role("heading", name="No job yet")).to_be_visible()
    await axe(signed_in)
    await signed_in.get_by_role("link", name="Post a version").click()
    await expect(signed_in).to_have_url(re.compile("/start"))


async def test_jobs_come_and_end_by_themselves_and_are_filtered(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace)
    await signed_in.goto(workspace.url("/jobs"))
    await queued(shop)
    await expect(jobs(signed_in)).to_have_count(1)
    await expect(jobs(signed_in)).to_contain_text("api v1")
    await shop.carry_out("v1", "stg-1")
    await expect(jobs(signed_in)).to_contain_text("successful on stg-1")
    await axe(signed_in)
    await camera(signed_in, "jobs")
    await keys(signed_in, "f")
    await expect(signed_in).to_have_url(re.compile("state=finished"))
    await expect(signed_in.get_by_role("button", name="Finished 1")).to_have_attribute("aria-pressed", "true")
    await signed_in.get_by_label("Environment").select_option("production")
    await expect(jobs(signed_in)).to_have_count(0)
    await signed_in.get_by_label("Status").select_option("failure")
    await expect(signed_in.get_by_text("Nothing is finished, status failure, environment production.")).to_be_visible()
    await signed_in.get_by_role("button", name="Show every job").click()
    await expect(jobs(signed_in)).to_have_count(1)


async def test_a_job_is_cancelled_from_the_list_with_the_keyboard(signed_in: Page, workspace: Workspace) -> None:
    await queued(Shop(workspace))
    await signed_in.goto(workspace.url("/jobs?state=queued"))
    await jobs(signed_in).focus()
    await keys(signed_in, "c")
    dialog = signed_in.get_by_role("dialog", name="Cancel this job?")
    await expect(dialog).to_contain_text("Tells runner to stop deploying api v1 to stg-1 in staging")
    await dialog.get_by_label("Reason").fill("wrong build")
    await dialog.get_by_role("button", name="Cancel the job").click()
    await expect(dialog).to_have_count(0)
    await keys(signed_in, "a")
    await expect(jobs(signed_in)).to_contain_text("cancelled")


async def test_a_job_tells_how_it_stands_what_happened_and_what_it_was_made_from(
    signed_in: Page, workspace: Workspace, axe: Axe, camera: Camera
) -> None:
    shop = Shop(workspace)
    job = await queued(shop)
    link = '{"Run": "https://ci.example/run/7"}'
    body = {"status": "inProgress", "externalId": "run-7", "metadata": {"ctrlplane/links": link, "cluster": "eu"}}
    workspace.call("PUT", f"/jobs/{job}/status", body)
    await signed_in.goto(workspace.url("/jobs"))
    await jobs(signed_in).focus()
    await keys(signed_in, "Enter")
    await expect(signed_in.get_by_role("heading", level=1)).to_have_text("api v1 to stg-1 in staging")
    await expect(signed_in.get_by_text("run-7")).to_be_visible()
    await expect(signed_in.get_by_role("link", name="Run (opens beside)")).to_have_attribute("href", "https://ci.example/run/7")
    await expect(signed_in.get_by_text("left, then it fails")).to_be_visible()
    tree = signed_in.get_by_role("group", name="the dispatch context")
    await tree.get_by_text("version", exact=True).filter(visible=True).first.click()
    await expect(tree.get_by_text("v1", exact=True).filter(visible=True).first).to_be_visible()
    history = signed_in.locator(".history")
    await expect(history).to_contain_text("job created")
    await shop.carry_out("v1", "stg-1")
    await expect(history).to_contain_text("successful on stg-1")
    await expect(signed_in.get_by_role("button", name="Cancel", exact=True)).to_have_attribute("aria-disabled", "true")
    await axe(signed_in)
    await camera(signed_in, "job")


async def test_its_status_is_overridden_with_a_reason_and_it_is_deployed_again(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    job = await queued(shop)
    await shop.carry_out("v1", "stg-1")
    await signed_in.goto(workspace.url(f"/j/{job}"))
    await expect(signed_in.get_by_role("heading", level=1)).to_be_visible()
    await keys(signed_in, "s")
    dialog = signed_in.get_by_role("dialog")
    await expect(dialog).to_contain_text("Signalbox takes api v1 as failed on stg-1 in staging")
    go = dialog.get_by_role("button", name="Override the status")
    await expect(go).to_have_attribute("aria-disabled", "true")
    await dialog.get_by_label("Reason").fill("it only looked well")
    await go.click()
    await expect(dialog).to_have_count(0)
    await expect(signed_in.locator(".head")).to_contain_text("failure")
    await expect(signed_in.locator(".history")).to_contain_text("it only looked well")
    await keys(signed_in, "r")
    await expect(dialog).to_contain_text("Makes a new job for runner that deploys v1, which is wanted on stg-1 in staging")
    await dialog.get_by_role("button", name="Deploy again").click()
    await expect(dialog).to_have_count(0)
    assert await until(lambda: shop.open_jobs("v1", ("stg-1",)), "another job") != [job]


async def test_in_the_past_it_is_as_it_was_and_nothing_can_be_done(signed_in: Page, workspace: Workspace) -> None:
    shop = Shop(workspace)
    job = await queued(shop)
    before = workspace.call("GET", "/events", order="desc", limit=1)["position"]
    await shop.carry_out("v1", "stg-1")
    await signed_in.goto(workspace.url(f"/j/{job}?at={before}"))
    await expect(signed_in.locator(".head .status")).to_have_text("queued")
    cancel = signed_in.get_by_role("button", name="Cancel", exact=True)
    await expect(cancel).to_have_attribute("title", PAST)
    await signed_in.goto(workspace.url(f"/jobs?at={before}"))
    await expect(jobs(signed_in)).to_contain_text("queued")
    await jobs(signed_in).focus()
    await signed_in.keyboard.press("c")
    await expect(signed_in.get_by_text(PAST)).to_be_visible()
    await expect(signed_in.get_by_role("dialog")).to_have_count(0)


async def test_a_job_that_is_not_there_is_said_to_be_none(signed_in: Page, workspace: Workspace, watch: Watch) -> None:
    watch.expect("status of 404")
    await signed_in.goto(workspace.url("/j/00000000-0000-4000-8000-000000000000"))
    await expect(signed_in.get_by_role("heading", name="There is no such job")).to_be_visible()


async def test_the_list_works_on_a_phone(signed_in: Page, workspace: Workspace) -> None:
    await queued(Shop(workspace))
    for width in (390, 320):
        await signed_in.set_viewport_size({"width": width, "height": 700})
        await signed_in.goto(workspace.url("/jobs"))
        await expect(jobs(signed_in)).to_contain_text("api v1")
        assert await signed_in.evaluate(
            "() => document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth"
        )
