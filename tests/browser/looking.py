"""How a page looks, to eyes and to programs that read it aloud."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from playwright.async_api import Page, ViewportSize

from infra.ui.sources import Dashboard

THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
SIZES: Final[tuple[ViewportSize, ...]] = ({"width": 1440, "height": 900}, {"width": 390, "height": 844})
_RUN: Final = """
async (of) => {
  const { violations } = await axe.run(of ?? document, { resultTypes: ['violations'] })
  return violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((one) => one.target.join(' ')).slice(0, 5) }))
}
"""
_CUT: Final = """
() => [...document.querySelectorAll('dialog[open], dialog[open] .foot')]
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => `${one.localName}.${one.className}: ${one.scrollWidth} > ${one.clientWidth}`)
"""


class Axe:
    """Runs axe-core in a page, as it stands."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._source = (dashboard.sources / "node_modules/axe-core/axe.min.js").read_text("utf-8")

    async def __call__(self, page: Page, selector: str | None = None) -> None:
        """Check the whole page or a part of it, in both themes. Raises: AssertionError: with what is wrong and where."""
        for theme in THEMES:
            await page.emulate_media(color_scheme=theme)
            # The debugger's way into the page, which its policy says nothing about: the policy stays as it is.
            await page.evaluate(f"{self._source}; undefined")
            found: list[dict[str, Any]] = await page.evaluate(_RUN, selector)
            assert not found, f"{page.url} ({theme}): {found}"
        await page.emulate_media(color_scheme=None)


class Camera:
    """Takes pictures, in which no dialog may be cut off.

    Args:
        folder: where they go; they are not kept in the repository.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __call__(self, page: Page, name: str) -> list[Path]:
        """Write `NAME-THEME-WIDTH.png` for each theme and width; the files."""
        self._folder.mkdir(parents=True, exist_ok=True)
        before, taken = page.viewport_size, []
        for size in SIZES:
            await page.set_viewport_size(size)
            for theme in THEMES:
                await page.emulate_media(color_scheme=theme)
                cut = await page.evaluate(_CUT)
                assert cut == [], f"{name} at {size['width']} px is cut off: {cut}"
                file = self._folder / f"{name}-{theme}-{size['width']}.png"
                await page.screenshot(path=file, full_page=True, animations="disabled", caret="hide")
                taken.append(file)
        await page.emulate_media(color_scheme=None)
        if before is not None:
            await page.set_viewport_size(before)
        return taken
