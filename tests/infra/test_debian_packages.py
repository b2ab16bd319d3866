"""Programs out of Debian packages, with an apt-get and a dpkg-deb that only pretend."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.checks import __main__ as checks
from infra.checks.debian import PROGRAMS, CannotFetch, main, program
from infra.checks.launcher import LAUNCHER, write_launcher

PINNED = PROGRAMS["prometheus"].version
BROWSER = PROGRAMS["chromium"].version

APT_GET = """\
#!/bin/sh
PATH=/usr/bin:/bin
case " $* " in *" update "*) what=update;; *" install "*) what=install;; *) what=download;; esac
case " $* " in *" Dir::State="*) lists=own;; *) lists=system;; esac
for last; do case "$last" in chromium*) browser="$last";; Dir::Cache=*) archives="${last#*=}/archives";; esac; done
if [ $what = install ]; then last="$browser"; fi
echo "$what $lists $last" >> "$CALLS"
if [ $what = update ]; then exit 0; fi
case "$OFFERS" in
  *"$lists:$last "*) case "$last" in *=*) version="${last#*=}";; *) version=9.9.9;; esac
    if [ $what = download ]; then echo "$version" > "prometheus_any.deb"; exit 0; fi
    for one in chromium libneeded libc6; do echo "$version" > "$archives/${one}_any.deb"; done
    if [ -z "$CUT" ]; then echo "Download complete and in download only mode"; else echo "E: Failed to fetch $CUT"; fi;;
  *) echo "Reading package lists..."; echo "E: Unable to locate package $last"; exit 100;;
esac
"""

DPKG_DEB = """\
#!/bin/sh
PATH=/usr/bin:/bin
case "$1" in
  --field) cat "$2";;
  --extract) if [ -n "$BROKEN" ]; then echo "dpkg-deb: error: $BROKEN" >&2; exit 2; fi
    case "$2" in
      */chromium_*) path=usr/lib/chromium/chromium;; */libneeded_*) path=usr/lib/any/libneeded.so.1;;
      */libc6_*) path=lib/any/libc.so.6;; *) path="$HOLDS";;
    esac
    mkdir -p "$(dirname "$3/$path")" && cp "$2" "$3/$path" && chmod 755 "$3/$path";;
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
        "OFFERS": f"system:prometheus={PINNED} system:chromium={BROWSER} ",
        "CUT": "",
        "HOLDS": "usr/bin/prometheus",
        "BROKEN": "",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def calls(machine: Path) -> list[str]:
    return (machine / "calls").read_text().splitlines()


def kept(machine: Path, name: str = "prometheus") -> list[str]:
    return sorted(one.name for one in (machine / "cache/signalbox/debian" / name).iterdir())


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
    assert capsys.readouterr().err.splitlines() == [
        f"{name}: there is no {name} on the path, and the Debian package {name} can not be downloaded: "
        f"E: Unable to locate package {name}; install it (apt-get install {name}), or run this once with a network"
        for name in PROGRAMS
    ]
    assert all(kept(machine, name) == ["lock"] for name in PROGRAMS)


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
    assert [line.split(": /")[0] for line in capsys.readouterr().out.splitlines()] == list(PROGRAMS)


def test_a_program_with_libraries_is_fetched_with_them_but_not_with_the_c_library(machine: Path) -> None:
    found = program("chromium")
    assert found == machine / f"cache/signalbox/debian/chromium/{BROWSER}" / LAUNCHER
    assert (found.parent / "usr/lib/chromium/chromium").exists()
    assert (found.parent / "usr/lib/any/libneeded.so.1").exists()
    assert not (found.parent / "lib").exists()
    (machine / "bin/apt-get").unlink()
    assert program("chromium") == found
    assert calls(machine) == [f"install system chromium={BROWSER}"]


def test_what_was_fetched_in_part_is_not_used(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUT", "libneeded")
    with pytest.raises(CannotFetch, match="the Debian package chromium can not be downloaded"):
        program("chromium")
    assert kept(machine, "chromium") == ["lock"]


def test_the_launcher_leads_a_program_to_what_was_unpacked_with_it_wherever_that_lies(tmp_path: Path) -> None:
    first = tmp_path / "first"
    for path in ("usr/lib/of it/libone.so.1", "lib/libtwo.so", "usr/lib/doc/readme"):
        (first / path).parent.mkdir(parents=True, exist_ok=True)
        (first / path).touch()
    (first / "browser").write_text('#!/bin/sh\nprintf "%s\\n" "$LD_LIBRARY_PATH" "$FONTCONFIG_FILE" "$@"\n')
    (first / "browser").chmod(0o755)
    write_launcher(first, "browser")
    moved = tmp_path / "moved there"
    shutil.move(first, moved)
    linked = tmp_path / "linked"
    linked.symlink_to(moved / LAUNCHER)
    said = subprocess.run(
        [linked, "--a", "b c"], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    ).stdout
    assert said.splitlines() == [f"{moved}/usr/lib/of it:{moved}/lib", f"{moved}/fonts.conf", "--a", "b c"]
    assert (moved / "fonts.conf").is_file()


@pytest.mark.parametrize(
    "arguments,steps",
    [
        (["--no-static"], ["dashboard", "programs", "tests"]),
        (["--no-static", "-k", "lock"], ["dashboard", "programs", "tests"]),
        (["--no-static", "--fast"], ["dashboard", "tests"]),
        (["--no-static", "tests/infra"], ["tests"]),
    ],
)
def test_all_tests_are_preceded_by_the_programs_they_need(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], steps: list[str]
) -> None:
    ran: list[str] = []

    def passes(name: str, command: tuple[str, ...]) -> bool:
        ran.append(name)
        return name in ("dashboard", "tests")

    monkeypatch.setattr(checks, "passes", passes)
    # A program that is missing fails the run, and the tests run all the same.
    assert checks.main(arguments) == (1 if "programs" in steps else 0)
    assert ran == steps
