"""`infra/dev up`: start the system and keep it running until Ctrl-C."""

from __future__ import annotations

import sys

from infra.embedded.options import parse

if __name__ == "__main__":
    options = parse(sys.argv[1:])
    # Only now: the help above is read before anything is installed.
    from infra.embedded.supervisor import run

    sys.exit(run(options))
