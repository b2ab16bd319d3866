"""What a hand on the keyboard does."""

from __future__ import annotations

from typing import Final

from playwright.async_api import Locator, Page, expect

_MOST: Final = 80
_PAINTED: Final = """
async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
}
"""


async def tab_to(page: Page, what: Locator) -> None:
    """Press Tab until something has the focus. Raises: AssertionError: it can not be reached by Tab."""
    await expect(what).to_be_visible()
    for _ in range(_MOST):
        if await what.evaluate("one => one === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{what}: not reached with {_MOST} times Tab")


async def keys(page: Page, *names: str) -> None:
    """Press keys one after the other. A page takes its keys once it was painted, which nobody is quick enough to be ahead of."""
    await page.evaluate(_PAINTED)
    for name in names:
        await page.keyboard.press(name)


async def confirmed(page: Page, verb: str, reason: str = "", says: str = "") -> None:
    """Confirm the dialog that is open, with a reason where it asks for one, by keyboard alone."""
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    if says:
        await expect(dialog.locator(".consequence")).to_contain_text(says)
    if reason:
        await tab_to(page, dialog.get_by_label("Reason"))
        await page.keyboard.type(reason)
    await tab_to(page, dialog.get_by_role("button", name=verb, exact=True))
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)


async def is_live(page: Page) -> None:
    """The page hears what happens."""
    await expect(page.get_by_role("status").get_by_text("live", exact=True)).to_be_visible()
