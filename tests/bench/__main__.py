"""How fast it is, measured on the system as `infra/dev up` runs it; one file per subject.

`python -m tests.bench [releases] [--processes] [N …]`: versions on N targets.
`python -m tests.bench inventory [--processes] [--resources 100000]`: many resources, from the HTTP request to the read tables.
`python -m tests.bench dispatch [--processes] [--jobs 10000] [--slow 1000]`: jobs of a pull agent, and of a slow one.
`python -m tests.bench verification [--processes] [--metrics 3000] [--interval 10] [--minutes 2] [--restart 1000] [--virtual 20000]`:
measurements and how late they are, verifications over a restart, the scheduler alone; 0 leaves one of them out.
`python -m tests.bench rollback [--processes] [--targets 1000]`: an environment goes back, by hand and after verification.
`python -m tests.bench stream [--processes] [--rate 200] [--seconds 20] [--readers 0 1 50]`: what live pages cost, and how late they are.
`python -m tests.bench as_of [--processes] [--targets 10000]`: reads as of the past.
`python -m tests.bench dashboard [--processes] [--targets 10000] [--rate 200] [--seconds 20]`: paint, lateness, scrolling and size in a browser.
"""

from __future__ import annotations

import argparse
import sys

SUBJECTS = ("releases", "inventory", "dispatch", "verification", "rollback", "as_of", "stream", "dashboard")


def main() -> None:
    arguments = sys.argv[1:]
    subject = arguments.pop(0) if arguments and arguments[0] in SUBJECTS else "releases"
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--processes", action="store_true", help="each service in a process of its own")
    if subject == "releases":
        parser.add_argument("targets", nargs="*", type=int, default=[100, 1_000, 10_000])
    elif subject == "inventory":
        parser.add_argument("--resources", type=int, default=100_000)
    elif subject == "rollback":
        parser.add_argument("--targets", type=int, default=1_000)
    elif subject == "as_of":
        parser.add_argument("--targets", type=int, default=10_000)
    elif subject == "dashboard":
        parser.add_argument("--targets", type=int, default=10_000)
        parser.add_argument("--rate", type=int, default=200)
        parser.add_argument("--seconds", type=float, default=20)
    elif subject == "stream":
        parser.add_argument("--rate", type=int, default=200)
        parser.add_argument("--seconds", type=float, default=20)
        parser.add_argument("--readers", nargs="*", type=int, default=[0, 1, 50])
    elif subject == "verification":
        parser.add_argument("--metrics", type=int, default=3_000)
        parser.add_argument("--interval", type=int, default=10)
        parser.add_argument("--minutes", type=float, default=2)
        parser.add_argument("--restart", type=int, default=1_000)
        parser.add_argument("--virtual", type=int, default=20_000)
    else:
        parser.add_argument("--jobs", type=int, default=10_000)
        parser.add_argument("--slow", type=int, default=1_000)
    asked = parser.parse_args(arguments)
    options = ["--processes"] if asked.processes else []
    # Each subject imports what it measures; nobody pays for the others.
    if subject == "releases":
        from tests.bench import releases

        releases.measure(asked.targets, options)
    elif subject == "inventory":
        from tests.bench import resources

        resources.measure(asked.resources, options)
    elif subject == "rollback":
        from tests.bench import rollback

        rollback.measure(asked.targets, options)
    elif subject == "as_of":
        from tests.bench import as_of

        as_of.measure(asked.targets, options)
    elif subject == "stream":
        from tests.bench import stream

        stream.measure(asked.rate, asked.seconds, asked.readers, options)
    elif subject == "dashboard":
        from tests.bench import dashboard

        dashboard.measure(asked.targets, asked.rate, asked.seconds, options)
    elif subject == "verification":
        from tests.bench import verification

        verification.measure(asked, options)
    else:
        from tests.bench import dispatch

        dispatch.measure(asked.jobs, asked.slow, options)


if __name__ == "__main__":
    main()
