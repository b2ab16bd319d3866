"""`infra/dev up`: start the system and keep it running until Ctrl-C."""

from __future__ import annotations

import sys

from infra.embedded.options import parse
from infra.embedded.supervisor import run

if __name__ == "__main__":
    sys.exit(run(parse(sys.argv[1:])))
