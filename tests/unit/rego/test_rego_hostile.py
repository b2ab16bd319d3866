"""Whatever a module does, the request ends, and the next one is answered."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.rego import Judge, Limits, RegoFailed, RegoInvalid

RANGE = "numbers.range(1, 100000000)"
HOSTILE = {
    "a huge list": f"deny contains x if {{ some x in {RANGE} }}",
    "a pattern that never ends": f'deny contains 1 if regex.match("^(a+)+$", "{"a" * 60}b")',
    "a glob that never ends": f'deny contains 1 if glob.match("{"*a" * 30}b", [], "{"a" * 500}")',
    "numbers that double": "x0 := 99999999999999999999\n"
    + "\n".join(f"x{n + 1} := x{n} * x{n}" for n in range(40))
    + "\ndeny contains x40",
    "texts that double": 'x0 := "aaaaaaaaaa"\n'
    + "\n".join(f'x{n + 1} := concat("", [x{n}, x{n}])' for n in range(60))
    + "\ndeny contains x60",
    "calls that double": "\n".join(f"f{n}(x) := f{n + 1}(x + 1) + f{n + 1}(x)" for n in range(60))
    + "\nf60(x) := 1\ndeny contains f0(1)",
    "loops in loops": "r := numbers.range(1, 3000)\ndeny contains 1 if { some a in r; some b in r; some c in r; a + b + c == 0 }",
    "an answer without end": 'deny contains sprintf("%d%s", [x, input.x]) if some x in numbers.range(1, 9000)',
}


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    made = Judge(Limits(check_s=0.6, judge_s=0.6, memory_bytes=160 * 1024 * 1024, patience=60.0))
    yield made
    made.close()


@pytest.mark.parametrize("rest", HOSTILE.values(), ids=HOSTILE)
def test_what_would_never_end_is_ended_and_the_next_one_is_answered(judge: Judge, rest: str) -> None:
    with pytest.raises(RegoFailed):
        judge.violations(f"package p\n{rest}", {"x": "x" * 100})
    assert judge.violations("package p\ndeny contains input.x", {"x": "y"}) == ("y",)


@pytest.mark.parametrize("name", ["a huge list", "a pattern that never ends"])
def test_what_would_never_end_is_not_saved(judge: Judge, name: str) -> None:
    with pytest.raises(RegoInvalid, match=r"can not be compiled: it (took too long|needs too much memory)"):
        judge.check(f"package p\n{HOSTILE[name]}")


def test_a_process_that_was_ended_from_outside_is_replaced(judge: Judge) -> None:
    module = "package p\ndeny contains input.x"
    assert judge.violations(module, {"x": 1}) == ("1",)
    assert judge._apart is not None
    judge._apart._process.kill()
    judge._apart._process.wait()
    assert judge.violations(module, {"x": 2}) == ("2",)


def test_closing_ends_what_runs() -> None:
    judge = Judge(Limits(judge_s=30.0))
    judge.violations("package p\ndeny contains 1", {})  # a process is there
    told: list[str] = []

    def ask() -> None:
        try:
            judge.violations(f"package p\n{HOSTILE['a pattern that never ends']}", {})
        except RegoFailed as error:
            told.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    while thread.is_alive():
        judge.close()
        thread.join(0.05)
    judge.close()
    assert len(told) == 1


TERMS = st.recursive(
    st.sampled_from(["1", '"a"', "null", "input.x", "input", "x", "set()", "f(1)", "deny", "data", "-1", "1e400", "[]", "{}", "some x in y"]),
    lambda inner: st.one_of(
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
        st.builds("({} + {})".format, inner, inner),
        st.builds("{} == {}".format, inner, inner),
        st.builds("{{x | x := {}[_]}}".format, inner),
        st.builds("sprintf({}, [{}])".format, inner, inner),
        st.builds("json.unmarshal({})".format, inner),
    ),
    max_leaves=6,
)  # fmt: skip
MODULES = st.one_of(
    st.builds("package p\ndeny contains {}".format, TERMS),
    st.builds("package p\ndeny contains x if {{ x := {}; {} }}".format, TERMS, TERMS),
    st.builds("package p\nf(x) := {}\ndeny := {}".format, TERMS, TERMS),
    st.builds("package p\n{}".format, st.text(max_size=30)),
)
INPUTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def answer_of(ask: Callable[[], Any]) -> Any:
    """What is answered: violations, None, or the sentence of a refusal. Nothing else is raised."""
    try:
        return ask()
    except (RegoInvalid, RegoFailed) as told:
        return str(told)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(module=MODULES, value=INPUTS)
def test_any_module_and_input_give_violations_or_a_sentence(judge: Judge, module: str, value: Any) -> None:
    checked = answer_of(lambda: judge.check(module))
    assert checked is None or checked.endswith(")")
    found = answer_of(lambda: judge.violations(module, {"x": value}))
    if isinstance(found, str):
        assert found.startswith(("The module ", "The module's ", "The input "))
    else:
        assert list(found) == sorted(set(found))
        assert all(isinstance(one, str) and one for one in found)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(value=st.text())
def test_a_module_sees_the_texts_of_its_input_as_they_are(judge: Judge, value: str) -> None:
    assert judge.violations("package p\ndeny contains input.text", {value: 1, "text": f"-{value}"}) == (f"-{value}",)


def test_a_large_owner_does_not_count_as_a_large_rule() -> None:
    # The system tells of a new program that it was as large as the one that began it.
    owner = """
import sys
sys.path.insert(0, sys.argv[1])
much = b"x" * 300_000_000
from libs.rego import Judge, Limits
judge = Judge(Limits(memory_bytes=200 * 1024 * 1024))
print(judge.violations('package p\\n\\ndeny contains "no"', {}))
judge.close()
"""
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", owner, str(root)], capture_output=True, text=True, check=False, timeout=100)
    assert (done.stdout.strip(), done.returncode) == ("('no',)", 0), done.stderr
