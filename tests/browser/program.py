"""Which browser it is, and how it is started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Playwright

from infra.checks.debian import program

FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever asks for another host gets no answer, wherever the test runs.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


async def launch(playwright: Playwright, folder: Path, *more: str) -> Browser:
    """Start the machine's Chromium, or the one that is unpacked from Debian packages, with a profile that is thrown away.

    Args:
        folder: for its own files, which would otherwise be the home folder's.
        more: flags.
    """
    flags = [*FLAGS, *more]
    if os.geteuid() == 0:
        # Its sandbox does not let root in.
        flags.append("--no-sandbox")
    return await playwright.chromium.launch(
        executable_path=program("chromium"),
        args=flags,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)},
        chromium_sandbox=os.geteuid() != 0,
        timeout=60_000,
    )
