"""What modules say against a plan, and what is told of those that can not be used. Named after the rows of the behaviour list."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from libs.rego import MAX_INPUT_BYTES, Judge, RegoFailed, RegoInvalid, RegoUnavailable, apart, check, in_turn, violations

PLAN: dict[str, Any] = {
    "current": '{"kind": "Deployment", "replicas": 3}',
    "proposed": "kind: Deployment\nreplicas: 1\nname: \"Zür\\\"ich\"\n",
    "hasChanges": True,
    "agentType": "argo-cd",
    "environment": {"name": "prod", "metadata": {"tier": "1"}},
    "resource": {"name": "eu-1", "config": {"ratio": 1.5, "none": None}},
    "proposedVersion": {"tag": "v2", "weight": 10**20},
    "currentVersion": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    made = Judge()
    yield made
    made.close()


def test_plan_validation_pass_fail_multi(judge: Judge) -> None:
    fewer = """package plans
deny contains msg if {
    now := json.unmarshal(input.current)
    then := yaml.unmarshal(input.proposed)
    then.replicas < now.replicas
    msg := sprintf("%s goes from %d to %d replicas", [then.name, now.replicas, then.replicas])
}
deny contains "a first deployment" if input.currentVersion == null
deny contains "never" if input.environment.name == "dev"
"""
    assert judge.violations(fewer, PLAN) == ('Zür"ich goes from 3 to 1 replicas', "a first deployment")
    assert judge.violations(fewer, {**PLAN, "proposed": PLAN["current"], "currentVersion": {"tag": "v1"}}) == ()


@pytest.mark.parametrize(
    "members, told",
    [
        ('{"b", "a", "b"}', ("a", "b")),
        ('{{"msg": "an object", "severity": 1}}', ("an object",)),
        ('{{"msg": 1, "b": [true, null]}}', ('{"b": [true, null], "msg": 1}',)),
        ('{{"msg": "", "b": 1}}', ('{"b": 1, "msg": ""}',)),
        ("{1, 2.5, null, [1], input.proposedVersion.weight}", ("1", "100000000000000000000", "2.5", "[1]", "null")),
        ('["from", "a list"]', ("a list", "from")),
        ('{""}', ()),
        ("set()", ()),
        ('{"half \\ud800 a pair"}', ("half ? a pair",)),
    ],
)
def test_each_member_is_a_violation_and_an_empty_text_is_none(judge: Judge, members: str, told: tuple[str, ...]) -> None:
    assert judge.violations(f"package p\ndeny := {members}", PLAN) == told


@pytest.mark.parametrize("rest", ["", "allow := true", "deny contains msg if { msg := input.nothing.of.this }"])
def test_nothing_said_is_a_pass(judge: Judge, rest: str) -> None:
    judge.check(f"package p\n{rest}")
    assert judge.violations(f"package p\n{rest}", PLAN) == ()


@pytest.mark.parametrize("name", ["plans", "a.b.c", 'a["b c"].d', "deny", 'p["deny"]'])
def test_plan_custom_package(judge: Judge, name: str) -> None:
    module = f"# of ours\npackage {name}\n\nimport rego.v1\n\ndeny contains input.agentType"
    judge.check(module)
    assert judge.violations(module, PLAN) == ("argo-cd",)


def test_plan_rego_v0_rejected(judge: Judge) -> None:
    module = 'package p\ndeny[msg] { msg := "a" }'
    with pytest.raises(RegoInvalid, match="Rego v1 is required"):
        judge.check(module)
    with pytest.raises(RegoFailed, match="Rego v1 is required"):
        judge.violations(module, PLAN)


@pytest.mark.parametrize(
    "rest, place, words",
    [
        ('deny contains "é" if {\n  "é" == $x\n}', (3, 7), "Invalid boolean operator"),
        ('deny contains "a" if { input.x == }', (2, 32), "Invalid boolean operator"),
        ("deny contains x if { x := nothing.like(1) }", (2, 27), "There is no function `nothing.like`"),
        ("deny contains x if { x := net.cidr_contains(1, 2) }", (2, 27), "There is no function `net.cidr_contains`"),
        ("deny contains x if { x := data.p.nope(1) }", (2, 27), "Function not found: data.p.nope"),
        ("deny contains x if { deny[x] }", (1, 1), "Recursion detected"),
        ("f(x) := f(x + 1)\ndeny contains f(1)", (1, 1), "Recursion detected"),
    ],
)
def test_a_module_that_does_not_compile_is_refused_with_its_place(
    judge: Judge, rest: str, place: tuple[int, int], words: str
) -> None:
    module = f"package p\n{rest}"
    with pytest.raises(RegoInvalid, match=words) as told:
        judge.check(module)
    assert (told.value.line, told.value.column) == place
    with pytest.raises(RegoFailed):
        judge.violations(module, PLAN)


@pytest.mark.parametrize(
    "rest, words",
    [
        ("f(x) := 1 if x == 1\nf(x) := 2 if x == 1\ndeny contains f(1)", "multiple outputs"),
        ('deny := {"a": true}', "is no set"),
        ("deny := true", "is no set"),
    ],
)
def test_a_module_without_an_answer_fails_and_does_not_pass(judge: Judge, rest: str, words: str) -> None:
    with pytest.raises(RegoFailed, match=words):
        judge.violations(f"package p\n{rest}", PLAN)


def test_plan_one_bad_rule_keeps_others(judge: Judge) -> None:
    good = "package p\ndeny contains input.agentType"
    for bad in ("package p\ndeny contains", "package p\ndeny := 1", "no module"):
        with pytest.raises(RegoFailed):
            judge.violations(bad, PLAN)
        assert judge.violations(good, PLAN) == ("argo-cd",)


def test_a_module_sees_its_input_and_nothing_of_this_process(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_POSTGRES", "secret")
    assert judge.violations("package p\ndeny contains x if some x, _ in input", {"a": 1}) == ("a",)
    assert judge.violations("package p\ndeny contains x if { some x, _ in input; print(x) }", {"a": 1}) == ("a",)
    # What one module defines is not there for the next.
    judge.violations("package first\ndeny := {1}\nfound := 1", {})
    assert judge.violations("package second\ndeny := {data.first.found}", {}) == ()


@pytest.mark.parametrize("value", [float("nan"), {1: {2}}, "x" * MAX_INPUT_BYTES, b"bytes"], ids=["nan", "set", "large", "bytes"])
def test_an_input_that_can_not_be_handed_over_fails(judge: Judge, value: Any) -> None:
    with pytest.raises(RegoFailed, match="The input"):
        judge.violations("package p\ndeny contains 1", value)


def test_closing_twice_is_closing_once_and_a_closed_one_starts_again() -> None:
    judge = Judge()
    judge.close()
    assert judge.violations("package p\ndeny contains 1", {}) == ("1",)
    judge.close()
    judge.close()
    assert judge.violations("package p\ndeny contains 2", {}) == ("2",)
    judge.close()


async def test_the_shared_one_is_asked_without_keeping_the_loop_waiting() -> None:
    module = "package p\ndeny contains input.n"
    await in_turn(partial(check, module))
    told = await asyncio.gather(*(in_turn(partial(violations, module, {"n": n})) for n in range(20)))
    assert told == [(str(n),) for n in range(20)]


def test_a_machine_without_the_library_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Path(apart.__file__).with_name("worker.py").read_text("utf-8")
    script = tmp_path / "worker.py"
    script.write_text(worker.replace("import regopy\n", "import regopy_of_another_platform as regopy\n"), "utf-8")
    monkeypatch.setattr(apart, "_SCRIPT", script)
    with pytest.raises(RegoUnavailable, match="can not be loaded: No module named"):
        Judge().check("package p")
    with pytest.raises(RegoFailed, match="can not be loaded: No module named"):
        Judge().violations("package p", {})
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(RegoUnavailable, match="can not be run now"):
        Judge().check("package p")
