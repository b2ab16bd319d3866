"""A key for a program: made, shown once, used, revoked."""

from __future__ import annotations

import re

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.arranging import Workspace
from tests.browser.journeys.hands import confirmed, keys


async def test_a_key_is_made_used_and_revoked(signed_in: Page, context: BrowserContext, workspace: Workspace) -> None:
    page, name = signed_in, f"ci of {workspace.slug}"
    await page.goto(workspace.url("/settings/keys"))
    await expect(page.get_by_role("table", name="API keys")).to_be_visible()
    await keys(page, "c")
    await expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    await page.keyboard.type(name)
    await keys(page, "Enter")
    dialog = page.get_by_role("dialog", name=f"{name} is ready")
    await expect(dialog).to_be_visible()
    found = re.search(r"[0-9a-f]{16}\.[0-9a-f]{64}", await dialog.inner_text())
    assert found is not None
    key = {"X-API-Key": found[0]}
    await dialog.get_by_role("button", name="I have copied it").click()
    row = page.get_by_role("row").filter(has_text=name)
    await expect(row).to_contain_text(found[0].split(".")[0])
    assert found[0].split(".")[1] not in await page.content()
    assert (await context.request.get("/api/v1/workspaces", headers=key)).status == 200

    await row.get_by_role("button", name=f"Revoke {name}").click()
    await confirmed(page, "Revoke the key", says="It can not be undone.")
    await expect(row).to_have_count(0)
    assert (await context.request.get("/api/v1/workspaces", headers=key)).status == 401
