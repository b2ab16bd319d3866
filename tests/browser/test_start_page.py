"""The first-run guide: forms, commands that do the same, and steps that tick off whoever does them."""

from __future__ import annotations

import asyncio
import os

from playwright.async_api import Page, expect

from tests.browser.arranging import Workspace
from tests.browser.looking import Axe, Camera
from tests.browser.watching import Watch
from tests.story.house import House


async def calls_of(command: str) -> list[tuple[str, str, dict[str, str], str | None]]:
    """What a command for a shell would have curl do: method, address, headers, body. The key in the environment is `the-key`."""
    script = "curl() { printf '%s\\0' \"$@\"; printf '\\0'; }\n" + command
    env = {**os.environ, "SIGNALBOX_API_KEY": "the-key"}
    shell = await asyncio.create_subprocess_exec("sh", "-ec", script, stdout=asyncio.subprocess.PIPE, env=env)
    told, _ = await shell.communicate()
    assert shell.returncode == 0
    calls = []
    for one in told.decode().rstrip("\0").split("\0\0"):
        words = one.split("\0")
        method, url, *options = words[words.index("-X") + 1 :]
        pairs = list(zip(options[::2], options[1::2], strict=True))
        headers = dict(text.split(": ", 1) for name, text in pairs if name == "-H")
        calls.append((method, url, headers, next((text for name, text in pairs if name == "-d"), None)))
    return calls


async def test_the_commands_of_the_guide_do_what_its_forms_do(
    signed_in: Page, workspace: Workspace, system: House, axe: Axe, camera: Camera
) -> None:
    page = signed_in
    await page.goto(workspace.url("/start"))
    step = page.locator('.steps-of-start > li[aria-current="step"]')
    titles = [
        "Make a system",
        "Make an environment",
        "Tell of a resource",
        "Set up an agent",
        "Make a deployment",
        "Post a version",
    ]
    for title in titles:
        await expect(step.get_by_role("heading")).to_have_text(title)
        if title == "Set up an agent":
            await step.get_by_label("Seconds that a job takes").fill("0")
        await step.get_by_text("The same in a shell").click()
        command = await step.get_by_role("region", name="Command").inner_text()
        for method, url, headers, data in await calls_of(command):
            assert headers["X-API-Key"] == "the-key"
            headers["X-API-Key"] = system.api_key
            answer = await signed_in.context.request.fetch(url, method=method, headers=headers, data=data)
            assert answer.ok, f"{command}\n{await answer.text()}"
    arrived = page.locator(".arrived")
    await expect(arrived).to_contain_text("v1.0.0 of api runs on 1 of 1 target in production.")
    await expect(page.get_by_text("6 of 6 steps are done")).to_be_attached()
    await axe(page)
    await camera(page, "start-arrived")


async def test_what_is_refused_is_told_and_can_be_mended(signed_in: Page, workspace: Workspace, watch: Watch, axe: Axe) -> None:
    watch.expect("status of 400")
    page = signed_in
    workspace.call("POST", "/systems", {"name": "shop"})
    await page.goto(workspace.url("/start"))
    step = page.locator('.steps-of-start > li[aria-current="step"]')
    await expect(step.get_by_role("heading")).to_have_text("Make an environment")
    await step.get_by_label("Name").fill("")
    make = step.get_by_role("button", name="Make the environment")
    await expect(make).to_have_attribute("title", "Name is empty.")
    await step.get_by_label("Name").fill("production")
    await step.get_by_label("Which resources").fill("resource.kind ==")
    await make.click()
    await expect(step.get_by_role("alert")).to_be_visible()
    await axe(page)
    await step.get_by_label("Which resources").fill("true")
    await make.click()
    await expect(step.get_by_role("heading")).to_have_text("Tell of a resource")
    await expect(page.locator(".made").nth(1)).to_contain_text("production")


async def test_in_the_past_nothing_can_be_made(signed_in: Page, workspace: Workspace) -> None:
    workspace.call("POST", "/systems", {"name": "shop"})
    page = signed_in
    await page.goto(workspace.url("/start?at=1"))
    step = page.locator('.steps-of-start > li[aria-current="step"]')
    make = step.get_by_role("button", name="Make the environment")
    await expect(make).to_have_attribute("title", "You are looking at the past. Go back to live to act.")


async def test_it_works_on_a_phone(signed_in: Page, workspace: Workspace) -> None:
    page = signed_in
    for width in (390, 320):
        await page.set_viewport_size({"width": width, "height": 700})
        await page.goto(workspace.url("/start"))
        await page.get_by_text("The same in a shell").click()
        await expect(page.get_by_role("region", name="Command")).to_be_visible()
        assert await page.evaluate(
            "() => document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth"
        )
