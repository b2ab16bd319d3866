"""What comes with every page, whatever it shows: its policy, its files, whom it asks."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from services.gateway.http.pages import POLICY
from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import is_live, keys
from tests.browser.program import launch
from tests.browser.watching import Watch
from tests.story.house import House

HTML = {"Accept": "text/html"}


async def test_it_starts_under_a_strict_policy(signed_in: Page, workspace: Workspace, watch: Watch) -> None:
    answer = await signed_in.goto(workspace.url())
    assert answer is not None
    policy = await answer.header_value("content-security-policy")
    assert policy == POLICY
    assert "unsafe" not in POLICY
    await signed_in.locator("#app > *").first.wait_for(state="attached")
    # Nothing in the page runs but its own files: blocks of data do not.
    scripts = await signed_in.locator("script").evaluate_all(
        "all => all.map(one => [one.type, one.src, one.textContent.trim() !== ''])"
    )
    assert [one for one in scripts if one[2] and one[0] != "application/json"] == []
    assert all(src.startswith(str(answer.url).split("/w/")[0]) for kind, src, _ in scripts if kind != "application/json")
    assert await signed_in.locator("[style], style").count() == 0
    assert watch.asked


async def test_the_policy_is_in_force(page: Page, watch: Watch) -> None:
    watch.expect("Content Security Policy")
    await page.goto("/signin")
    await page.evaluate(
        "() => { const one = document.createElement('script'); one.textContent = 'window.ran = true'; document.body.append(one) }"
    )
    assert await page.evaluate("() => window.ran") is None
    assert any("Content Security Policy" in one for one in watch.complaints)


def test_files_are_compressed_and_kept_for_ever(system: House) -> None:
    names = re.findall(r'(?:src|href)="(/assets/[^"]+\.(?:js|css))"', httpx.get(system.url, headers=HTML, timeout=60).text)
    assert names
    for name in names:
        sizes = {}
        for coding in ("identity", "gzip", "br"):
            with httpx.stream("GET", f"{system.url}{name}", headers={"Accept-Encoding": coding}, timeout=60) as answer:
                sizes[coding] = len(b"".join(answer.iter_raw()))
                assert answer.headers.get("content-encoding", "identity") == coding
                assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert sizes["br"] < sizes["identity"] > sizes["gzip"] or sizes["identity"] < 1_000


def test_the_page_is_asked_for_again_and_sent_only_when_it_changed(system: House) -> None:
    first = httpx.get(f"{system.url}/signin", headers=HTML, timeout=60)
    assert first.headers["cache-control"] == "private, no-cache"
    again = httpx.get(f"{system.url}/signin", headers={**HTML, "If-None-Match": first.headers["etag"]}, timeout=60)
    assert (again.status_code, again.content) == (304, b"")


async def test_nothing_is_asked_of_another_host_by_whatever_part_of_the_browser(
    system: House, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By the browser's own record, which has the requests of workers in it."""
    folder = tmp_path_factory.mktemp("net")
    async with async_playwright() as playwright:
        browser: Browser = await launch(playwright, folder, f"--log-net-log={folder / 'log.json'}")
        page = await browser.new_page(base_url=system.url)
        await page.request.post("/api/session", data={"apiKey": system.api_key})
        await page.goto(workspace.url())
        await page.get_by_role("status").get_by_text("live", exact=True).wait_for()
        await browser.close()
    record = [line for line in (folder / "log.json").read_text("utf-8").splitlines() if '"initiator"' in line]
    asked = {
        (found["initiator"], found["url"]) for line in record if (found := json.loads(line.rstrip(","))["params"]).get("url")
    }
    # What the browser asks for itself has no page behind it.
    ours = sorted(url for initiator, url in asked if initiator == system.url)
    assert {urlsplit(url).netloc for url in ours} == {urlsplit(system.url).netloc}
    assert any("/stream?" in url for url in ours), ours


async def test_a_part_that_can_not_be_loaded_says_so_and_what_helps(signed_in: Page, workspace: Workspace, watch: Watch) -> None:
    page = signed_in
    watch.expect(r"Failed to load resource.*/assets/Help-")
    await page.goto(workspace.url())
    await is_live(page)
    await page.route("**/assets/Help-*.js", lambda route: route.abort())
    await keys(page, "?")
    said = page.get_by_role("status").filter(has_text="The list of keys could not be loaded")
    await expect(said).to_be_visible()
    await page.unroute("**/assets/Help-*.js")
    async with page.expect_event("load"):
        await said.get_by_role("button", name="Load the page again").click()
    await is_live(page)
    await keys(page, "?")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def test_what_a_page_needs_is_named_in_what_comes_first(signed_in: Page, workspace: Workspace) -> None:
    """Else a browser hears of it from a script that it has to load before, and from another one after that."""
    answer = await signed_in.goto(workspace.url("/jobs"))
    assert answer is not None
    named = set(re.findall(r'href="(/assets/[^"]+\.(?:js|css))"', await answer.text()))
    await expect(signed_in.get_by_role("heading", level=1, name="Jobs")).to_be_visible()
    loaded = await signed_in.evaluate(
        "() => performance.getEntriesByType('resource').map(one => new URL(one.name).pathname).filter(path => /jobs-.*[.](js|css)$/.test(path))"
    )
    assert loaded
    assert set(loaded) <= named


async def test_letters_are_there_when_the_page_is_drawn(signed_in: Page, workspace: Workspace) -> None:
    """Found by the style sheet alone, fonts come after the first paint, and all of the page is laid out a second time."""
    answer = await signed_in.goto(workspace.url())
    assert answer is not None
    named = re.findall(r'<link rel="preload" href="(/assets/[^"]+[.]woff2)" as="font"', await answer.text())
    assert len(named) == 2
    await is_live(signed_in)
    loaded = await signed_in.evaluate(
        "() => performance.getEntriesByType('resource').map(one => new URL(one.name).pathname).filter(path => path.endsWith('.woff2'))"
    )
    # Each once, and no other one.
    assert sorted(loaded) == sorted(named)


async def test_symbols_come_with_the_page(signed_in: Page, workspace: Workspace, watch: Watch) -> None:
    await signed_in.goto(workspace.url())
    symbol = signed_in.get_by_role("link", name="Approvals").locator("svg.icon use")
    await symbol.wait_for(state="attached")
    name = await symbol.get_attribute("href")
    assert name is not None
    assert name.startswith("#icon-")
    assert await signed_in.locator(f"symbol{name}").count() == 1
    assert not [one for one in watch.asked if "sprite" in one]


async def test_rows_beyond_those_of_the_first_paint_follow_by_themselves(signed_in: Page, workspace: Workspace) -> None:
    names = [f"d{number:02}" for number in range(16)]
    for name in names:
        workspace.call("POST", "/deployments", {"name": name, "slug": name, "resourceSelector": "true"})
    workspace.call("POST", "/environments", {"name": "staging", "resourceSelector": "true"})
    await signed_in.goto(workspace.url())
    # All of them are in sight in a window of this height, and nobody has touched anything.
    for name in names:
        await expect(signed_in.get_by_role("rowheader", name=name)).to_be_in_viewport()
