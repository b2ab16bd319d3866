"""What the check at save time finds, and where."""

from __future__ import annotations

import subprocess
import sys

import pytest

from libs.cel import CelProblems, Environment, contexts

SELECTOR = contexts.SELECTOR


@pytest.mark.parametrize(
    "source, code, line, column",
    [
        ("", "empty", 1, 1),
        (" \n\t", "empty", 1, 1),
        ("1 +", "syntax", 1, 4),
        ('resource.kind = "x"', "syntax", 1, 15),
        ("[1, 2", "syntax", 1, 6),
        ("resource.name resource", "syntax", 1, 15),
        ('"a" "b"', "syntax", 1, 5),
        ("Message{a: 1}", "syntax", 1, 1),
        ("`name`", "syntax", 1, 1),
        ('resource.name ==\n  "open', "unterminated_string", 2, 3),
        (r'"x\q"', "bad_escape", 1, 3),
        (r'"\ud800"', "bad_escape", 1, 2),
        ("if == 1", "reserved_word", 1, 1),
        ("9223372036854775808 > 1", "out_of_range", 1, 1),
        ("1 == -1u", "out_of_range", 1, 6),
        ("nope == 1", "unknown_variable", 1, 1),
        ("true &&\n nope", "unknown_variable", 2, 2),
        ("math == 1", "unknown_variable", 1, 1),
        ("resource.name.foo()", "unknown_function", 1, 15),
        ("foo(1)", "unknown_function", 1, 1),
        ("math.foo(1) == 1", "unknown_function", 1, 1),
        ('startsWith(resource.name, "a")', "unknown_function", 1, 1),
        ('"1".int() == 1', "unknown_function", 1, 5),
        ("all(resource, true)", "unknown_function", 1, 1),
        ('resource.name.startsWith("a", "b")', "wrong_arity", 1, 15),
        ("size() == 1", "wrong_arity", 1, 1),
        ("has(resource)", "bad_macro", 1, 1),
        ("resource.config.all(1, true)", "bad_macro", 1, 21),
        ("resource.config.all(x)", "bad_macro", 1, 17),
        ('resource.name.matches("(")', "bad_regex", 1, 23),
        ('resource.name.matches("(a)\\\\1")', "bad_regex", 1, 23),
        ('timestamp("2026-01-02") == timestamp(0)', "bad_timestamp", 1, 11),
        ('duration("1d") == duration("0")', "bad_duration", 1, 10),
        ('{"a": 1, "a": 2} == {}', "duplicate_key", 1, 10),
    ],
)
def test_error_with_its_place(source: str, code: str, line: int, column: int) -> None:
    errors = [(p.code, p.line, p.column) for p in SELECTOR.check(source) if p.severity == "error"]
    assert errors == [(code, line, column)]
    with pytest.raises(CelProblems):
        SELECTOR.compile(source)


@pytest.mark.parametrize(
    "source, hint",
    [
        ('resorce.name == "x"', "did you mean resource?"),
        ('resource.nmae == "x"', "did you mean name?"),
        ('resource.name.startswith("x")', "did you mean startsWith?"),
        ('resource.kind = "x"', "compare with =="),
        ("zzz == 1", "here an expression can name resource"),
        ("", 'write "true" to match everything'),
    ],
)
def test_hint(source: str, hint: str) -> None:
    assert [problem.hint for problem in SELECTOR.check(source)] == [hint]


def test_all_problems_come_at_once_in_order() -> None:
    source = 'nope == 1 &&\nresource.nmae.foo() && resource.metadata.a != "b"'
    found = [(p.severity, p.code, p.line, p.column) for p in SELECTOR.check(source)]
    assert found == [
        ("error", "unknown_variable", 1, 1),
        ("warning", "unknown_field", 2, 10),
        ("error", "unknown_function", 2, 15),
        ("warning", "optional_key", 2, 24),
    ]


def test_message_shows_the_line_with_a_caret() -> None:
    source = 'true &&\n  resource.nmae == "x"'
    (problem,) = SELECTOR.check(source)
    assert problem.render(source).split("\n") == [
        "2:12: warning: resource has no field 'nmae'",
        '    resource.nmae == "x"',
        "             ^",
        "  did you mean name?",
    ]


@pytest.mark.parametrize(
    "source",
    [
        'resource.metadata["env"] != "prod"',
        '"prod" != resource.metadata.env',
        '!(resource.metadata.env == "prod")',
        '!(resource.kind == "VM" && resource.metadata.env == "prod")',
        '!(resource.metadata.env in ["prod"])',
        '!resource.metadata.env.startsWith("prod")',
        'resource.providerId != "x"',
    ],
)
def test_warning_that_a_missing_key_means_no_match(source: str) -> None:
    assert [(p.severity, p.code) for p in SELECTOR.check(source)] == [("warning", "optional_key")]
    assert [p.code for p in SELECTOR.compile(source).problems] == ["optional_key"]


@pytest.mark.parametrize(
    "source",
    [
        'resource.metadata["env"] == "prod"',
        'has(resource.metadata.env) && resource.metadata.env != "prod"',
        '!has(resource.metadata["env"]) || resource.metadata.env != "prod"',
        '!("env" in resource.metadata) || !(resource.metadata.env == "prod")',
        'resource.kind != "VM"',
        '!(resource.metadata.env != "prod")',
        'resource.config.list.all(x, x != "a")',
    ],
)
def test_nothing_to_say(source: str) -> None:
    assert SELECTOR.check(source) == []


@pytest.mark.parametrize("source", ["1", '"x"', "[1]", "{}", "1 + 1", "size(resource.name)", "resource.config.l.map(x, x)"])
def test_warning_that_the_result_is_no_boolean(source: str) -> None:
    assert [p.code for p in SELECTOR.check(source)] == ["not_boolean"]


def test_open_map_takes_any_field() -> None:
    assert contexts.RESULT.check("result.json.value < 0.01 || result.ok") == []


@pytest.mark.parametrize(
    "environment, source",
    [
        (contexts.TARGET, 'deployment.slug == "api" && environment.name == "prod" && version.config.major == 1'),
        (contexts.ENVIRONMENT, 'environment.metadata["tier"] == "1"'),
        (contexts.DEPENDENCY, 'version.tag.startsWith("v2.") && deployment.name == "db"'),
        (contexts.VERSION, 'version.jobAgentConfig.ref == "main"'),
        (contexts.AGENT, 'jobAgent.type == "argo-cd" && resource.kind == "Cluster"'),
        (contexts.RELATION, "from.type == 'resource' && from.config.vpc == to.id"),
        (contexts.RESULT, "result.statusCode == 200"),
    ],
)
def test_ready_environments(environment: Environment, source: str) -> None:
    assert environment.check(source) == []


@pytest.mark.parametrize(
    "source, column",
    [
        ('resource.nmae == "x"', 10),
        ('resource["nmae"] == "x"', 10),
        ("has(resource.nmae)", 14),
        ('has(resource["nmae"])', 14),
    ],
)
def test_a_field_that_documents_do_not_have_is_warned_of_and_matches_nothing(source: str, column: int) -> None:
    (found,) = [problem for problem in SELECTOR.check(source) if problem.code == "unknown_field"]
    assert (found.severity, found.line, found.column) == ("warning", 1, column)
    assert not SELECTOR.compile(source).matches(resource={"name": "x"})


def test_what_a_context_does_not_offer() -> None:
    assert [p.code for p in SELECTOR.check("environment.name == 'x'")] == ["unknown_variable"]
    assert [p.code for p in contexts.DEPENDENCY.check("version.config.major == 1")] == ["unknown_field"]


def test_start_up_does_not_pay_for_the_parser() -> None:
    script = (
        "import sys, libs.cel; from libs.cel import contexts; contexts.SELECTOR.compile('true');"
        "assert not {'celpy', 'lark', 're2', 'pydantic'} & sys.modules.keys();"
        "contexts.SELECTOR.compile('1 == 1'); assert 'celpy' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
