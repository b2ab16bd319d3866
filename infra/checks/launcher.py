"""Start a program that was unpacked somewhere with everything it needs: a script that tells it where its libraries and fonts lie."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final

LAUNCHER: Final = "start"
_FONTS: Final = "fonts.conf"
_FONTS_CONF: Final = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>sans-serif</family><prefer><family>Liberation Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>Liberation Sans</family></prefer></alias>
  <alias><family>serif</family><prefer><family>Liberation Serif</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>Liberation Mono</family></prefer></alias>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
</fontconfig>
"""


def write_launcher(root: Path, program: str) -> None:
    """Write the script `start` into a folder of unpacked packages; the folder may be moved afterwards.

    Args:
        root: the folder.
        program: the path of the program in it.
    """
    places = " ".join(shlex.quote(one) for one in libraries(root))
    script = f"""\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
for place in {places}; do LD_LIBRARY_PATH="$here/$place${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"; done
FONTCONFIG_FILE="$here/{_FONTS}"
export LD_LIBRARY_PATH FONTCONFIG_FILE
exec "$here/{program}" "$@"
"""
    (root / _FONTS).write_text(_FONTS_CONF, "utf-8")
    (root / LAUNCHER).write_text(script, "utf-8")
    (root / LAUNCHER).chmod(0o755)


def libraries(root: Path) -> list[str]:
    """The folders below `lib` and `usr/lib` that hold shared libraries for the loader, sorted."""
    found = set()
    for top in ("lib", "usr/lib"):
        for folder, _, names in os.walk(root / top):
            if any(name.startswith("lib") and ".so" in name for name in names):
                found.add(Path(folder).relative_to(root).as_posix())
    return sorted(found)
