"""Programs out of Debian packages, with an apt-get and a dpkg-deb that only pretend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.checks import __main__ as checks
from infra.checks.debian import PROGRAMS, CannotFetch, main, program

PINNED = PROGRAMS["prometheus"].version

APT_GET = """\
#!/bin/sh
PATH=/usr/bin:/bin
case " $* " in *" update "*) what=update;; *) what=download;; esac
case " $* " in *" Dir::State="*) lists=own;; *) lists=system;; esac
for last; do :; done
echo "$what $lists $last" >> "$CALLS"
if [ $what = update ]; then exit 0; fi
case "$OFFERS" in
  *"$lists:$last "*) case "$last" in *=*) version="${last#*=}";; *) version=9.9.9;; esac
    echo "$version" > "prometheus_any.deb";;
  *) echo "Reading package lists..."; echo "E: Unable to locate package $last"; exit 100;;
esac
"""

DPKG_DEB = """\
#!/bin/sh
PATH=/usr/bin:/bin
case "$1" in
  --field) cat "$2";;
  --extract) if [ -n "$BROKEN" ]; then echo "dpkg-deb: error: $BROKEN" >&2; exit 2; fi
    mkdir -p "$3/usr/bin" && cp "$2" "$3/$HOLDS" && chmod 755 "$3/$HOLDS";;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the path, on a machine whose lists offer the pinned version."""
    path = tmp_path / "bin"
    path.mkdir()
    for name, text in (("apt-get", APT_GET), ("dpkg-deb", DPKG_DEB)):
        (path / name).write_text(text)
        (path / name).chmod(0o755)
    (tmp_path / "calls").touch()
    environment = {
        "PATH": str(path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "CALLS": str(tmp_path / "calls"),
        "OFFERS": f"system:prometheus={PINNED} ",
        "HOLDS": "usr/bin/prometheus",
        "BROKEN": "",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def calls(machine: Path) -> list[str]:
    return (machine / "calls").read_text().splitlines()


def kept(machine: Path) -> list[str]:
    return sorted(one.name for one in (machine / "cache/signalbox/debian/prometheus").iterdir())


def test_a_program_that_is_installed_is_used(machine: Path) -> None:
    installed = machine / "bin/prometheus"
    installed.write_text("#!/bin/sh\n")
    installed.chmod(0o755)
    assert program("prometheus") == installed
    assert calls(machine) == []


def test_a_package_is_fetched_once_and_needs_no_network_afterwards(machine: Path) -> None:
    found = program("prometheus")
    assert found == machine / f"cache/signalbox/debian/prometheus/{PINNED}/usr/bin/prometheus"
    assert found.read_text().strip() == PINNED
    (machine / "bin/apt-get").unlink()
    assert program("prometheus") == found
    assert calls(machine) == [f"download system prometheus={PINNED}"]
    assert kept(machine) == [PINNED, "lock"]


def test_another_version_is_taken_where_ours_is_not_to_be_had(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFERS", "system:prometheus ")
    assert program("prometheus").read_text().strip() == "9.9.9"
    assert program("prometheus").read_text().strip() == "9.9.9"
    assert calls(machine) == [f"download system prometheus={PINNED}", "download system prometheus"]


def test_lists_are_fetched_beside_the_machines_own_where_it_has_none(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFERS", f"own:prometheus={PINNED} ")
    assert program("prometheus").read_text().strip() == PINNED
    assert [call.rsplit(" ", 1)[0] for call in calls(machine)] == [
        "download system",
        "download system",
        "update own",
        "download own",
    ]
    assert kept(machine) == [PINNED, "lock"]


def test_what_can_not_be_had_is_told_and_leaves_nothing(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OFFERS", "")
    assert main() == 1
    assert capsys.readouterr().err.strip() == (
        "prometheus: there is no prometheus on the path, and the Debian package prometheus can not be downloaded: "
        "E: Unable to locate package prometheus; install it (apt-get install prometheus), or run this once with a network"
    )
    assert kept(machine) == ["lock"]


def test_without_debian_s_tools_a_person_is_asked_to_install_it(machine: Path) -> None:
    (machine / "bin/dpkg-deb").unlink()
    with pytest.raises(CannotFetch, match="no apt-get and dpkg-deb to fetch it with; install prometheus"):
        program("prometheus")


def test_a_package_that_can_not_be_unpacked_or_holds_something_else_is_told(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKEN", "no space left")
    with pytest.raises(CannotFetch, match="can not be unpacked: dpkg-deb: error: no space left"):
        program("prometheus")
    monkeypatch.setenv("BROKEN", "")
    monkeypatch.setenv("HOLDS", "usr/bin/other")
    with pytest.raises(CannotFetch, match=r"prometheus_any\.deb holds no program usr/bin/prometheus"):
        program("prometheus")
    assert kept(machine) == ["lock"]
    monkeypatch.setenv("HOLDS", "usr/bin/prometheus")
    assert program("prometheus").exists()


def test_several_that_want_it_at_once_fetch_it_once(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(program, ["prometheus"] * 8))) == 1
    assert len(calls(machine)) == 1
    assert main() == 0
    assert capsys.readouterr().out.startswith("prometheus: /")


@pytest.mark.parametrize(
    "arguments,steps",
    [
        (["--no-static"], ["programs", "tests"]),
        (["--no-static", "-k", "lock"], ["programs", "tests"]),
        (["--no-static", "--fast"], ["tests"]),
        (["--no-static", "tests/infra"], ["tests"]),
    ],
)
def test_all_tests_are_preceded_by_the_programs_they_need(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], steps: list[str]
) -> None:
    ran: list[str] = []

    def passes(name: str, command: tuple[str, ...]) -> bool:
        ran.append(name)
        return name == "tests"

    monkeypatch.setattr(checks, "passes", passes)
    # A program that is missing fails the run, and the tests run all the same.
    assert checks.main(arguments) == (1 if "programs" in steps else 0)
    assert ran == steps
