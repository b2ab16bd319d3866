"""What expressions answer: matches, verdicts, values."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from libs.cel import CelError, Environment, Outcome, contexts
from libs.cel.regex import Searcher, searcher

RESOURCE: dict[str, Any] = {
    "name": "us-east-1",
    "kind": "VM",
    "createdAt": "2026-01-02T03:04:05Z",
    "metadata": {"env": "prod", "app.kubernetes.io/name": "api", "on": "true", "namespace": "shop"},
    "config": {"port": 8080, "cpu": 0.5, "none": None, "list": [1, "a", 2.0], "spot": True, "zero": 0},
}


def outcome(source: str) -> Outcome:
    program = contexts.SELECTOR.compile(source)
    verdict = program.verdict(resource=RESOURCE)
    assert program.matches(resource=RESOURCE) is verdict.is_match
    assert program.filter([RESOURCE]) == ([0] if verdict.is_match else [])
    return verdict.outcome


def value(source: str) -> Any:
    return Environment("open", {"x": None}).compile(source).value(x=RESOURCE)


@pytest.mark.parametrize(
    "source",
    [
        "true",
        "  true\n",
        'resource.kind == "VM"',
        'resource["kind"] == "VM"',
        'resource.metadata["app.kubernetes.io/name"].startsWith("a")',
        'resource.metadata.namespace == "shop"',
        'resource.name.matches("^us-[a-z]+-\\\\d$")',
        'resource.name.matches(r"^us-") && matches(resource.name, "east")',
        'resource.name in ["us-east-1", "x"]',
        "resource.config.port in [80, 8080]",
        "resource.config.port == 8080.0",
        "resource.config.zero < 0.01",
        "resource.config.port % 2 == 0",
        "resource.config.none == null",
        "resource.config.spot",
        'resource.config.list.exists(x, x == "a")',
        'resource.config.list.exists(x, x > 5 || x == "a")',
        "resource.config.list.filter(x, type(x) == int).size() == 1",
        'resource.metadata.all(key, key != "secret")',
        'has(resource.metadata["env"])',
        "has(resource.metadata.env)",
        '!has(resource.metadata["nope"])',
        '!("nope" in resource.metadata)',
        'resource.name.toUpperCase() == "US-EAST-1"',
        'resource.metadata["nope"] == "x" || true',
        "1 / resource.config.zero == 1 || true",
        'timestamp(resource.createdAt) < timestamp("2027-01-01T00:00:00Z")',
        'resource.createdAt < timestamp("2027-01-01T00:00:00Z") && resource.createdAt < "2027-01-01T00:00:00Z"',
        'resource.createdAt == timestamp("2026-01-02T04:04:05+01:00") && resource.createdAt == "2026-01-02T03:04:05Z"',
        'resource.createdAt in [timestamp("2026-01-02T04:04:05+01:00")]',
        'resource.createdAt.getFullYear() == 2026 && resource.createdAt + duration("1h") > timestamp("2026-01-02T03:04:05Z")',
        'resource.kind == "VM" ? resource.config.spot : false',
        "// a comment with ' and \\n\nresource.config.spot",
        "'''a\nb''' == 'a\\nb'",
    ],
)
def test_match(source: str) -> None:
    assert outcome(source) is Outcome.MATCH


@pytest.mark.parametrize(
    "source",
    [
        "false",
        'resource.kind == "Bucket"',
        'resource.kind == "Bucket" && resource.metadata["nope"] == "x"',
        'resource.metadata["nope"] == "x" && false',
        "resource.config.port == true",
        '"8080" == resource.config.port',
    ],
)
def test_no_match(source: str) -> None:
    assert outcome(source) is Outcome.NO_MATCH


@pytest.mark.parametrize(
    "source",
    [
        'resource.metadata["nope"] == "x"',
        'resource.metadata["nope"] != "x"',
        '!(resource.metadata["nope"] == "x")',
        "resource.config.nope.deeper == 1",
        'resource.providerId == "x"',
        'has(resource.config.nope.deeper) || resource.kind == "x"',
        'resource.kind == "VM" && resource.metadata.nope == "x"',
        "resource.config.list.all(x, resource.config.nope == x)",
    ],
)
def test_missing_key_decides(source: str) -> None:
    assert outcome(source) is Outcome.MISSING


@pytest.mark.parametrize(
    "source, kind",
    [
        ("resource.name < 3", "overload"),
        ("resource.config.none.x == 1", "overload"),
        ("resource.name.x == 1", "overload"),
        ("resource.config.list[7] == 1", "range"),
        ("1 / resource.config.zero == 1", "range"),
        ("9223372036854775807 + resource.config.port > 0", "range"),
        ('"a".matches(resource.name + "(")', "regex"),
        ('resource.name + "!"', "overload"),
        ("resource.config.port", "overload"),
        ("resource.metadata", "overload"),
    ],
)
def test_error(source: str, kind: str) -> None:
    assert outcome(source) is Outcome.ERROR
    assert contexts.SELECTOR.compile(source).verdict(resource=RESOURCE).kind == kind


@pytest.mark.parametrize(
    "text, expected",
    [(t, True) for t in ["1", "t", "T", "true", "TRUE", "True"]]
    + [(t, False) for t in ["0", "f", "F", "false", "FALSE", "False"]],
)
def test_text_of_a_boolean_is_a_result(text: str, expected: bool) -> None:
    resource = {"metadata": {"flag": text}}
    program = contexts.SELECTOR.compile("resource.metadata.flag")
    assert program.matches(resource=resource) is expected
    assert program.verdict(resource=resource).outcome is (Outcome.MATCH if expected else Outcome.NO_MATCH)
    conditional = contexts.SELECTOR.compile('has(resource.metadata.flag) ? resource.metadata.flag : "false"')
    assert conditional.matches(resource=resource) is expected


@pytest.mark.parametrize("operator", ["&&", "||"])
def test_text_of_a_boolean_is_no_operand(operator: str) -> None:
    neutral = "true" if operator == "&&" else "false"
    assert outcome(f"resource.metadata.on {operator} {neutral}") is Outcome.ERROR


@pytest.mark.parametrize("order", ["{0} && {1}", "{1} && {0}", "{0} || {1}", "[1].all(x, {0} && {1})"])
def test_an_error_outranks_a_missing_key_in_any_order(order: str) -> None:
    assert outcome(order.format('resource.metadata.nope == "x"', "resource.name < 3")) is Outcome.ERROR


@pytest.mark.parametrize("text", ["true", "1", "t", "false"])
def test_strict_verdict_takes_no_text_for_an_answer(text: str) -> None:
    program = contexts.SELECTOR.compile("resource.metadata.on")
    assert not program.verdict(resource={"metadata": {"on": text}}).is_error
    strict = program.strict_verdict(resource={"metadata": {"on": text}})
    assert (strict.outcome, strict.kind) == (Outcome.ERROR, "overload")
    assert program.strict_verdict(resource={"metadata": {"on": True}}).is_match
    assert program.strict_verdict(resource={"metadata": {}}).outcome is Outcome.MISSING


def test_verdict_has_the_place_and_no_value_of_the_document() -> None:
    verdict = contexts.SELECTOR.compile('resource.kind == "VM" &&\n  resource.config.port < resource.name').verdict(
        resource=RESOURCE
    )
    assert (verdict.outcome, verdict.kind, verdict.line, verdict.column) == (Outcome.ERROR, "overload", 2, 3)
    assert verdict.message == "no such overload: <(int, string)"
    missing = contexts.SELECTOR.compile("resource.metadata[resource.name] == 'x'").verdict(resource=RESOURCE)
    assert missing.outcome is Outcome.MISSING
    assert missing.message == "no such key"


def test_value_raises_with_kind_and_place() -> None:
    with pytest.raises(CelError) as caught:
        contexts.SELECTOR.compile('[1] + [resource.metadata["nope"]]').value(resource=RESOURCE)
    assert (caught.value.kind, caught.value.line, caught.value.column) == ("missing", 1, 8)
    assert caught.value.message == "no such key: nope"


def test_declared_variable_that_is_not_passed_is_an_empty_map() -> None:
    program = contexts.TARGET.compile('environment.name == "prod"')
    assert program.verdict().outcome is Outcome.MISSING
    assert program.matches() is False
    assert program.matches(environment={"name": "prod"}) is True
    assert program.roots == {"environment"}


def test_two_variables_meet() -> None:
    program = contexts.RELATION.compile('from.metadata["vpc"] == to.metadata["vpc"] && to.kind == "VPC"')
    one, other = {"metadata": {"vpc": "a"}}, {"metadata": {"vpc": "a"}, "kind": "VPC"}
    assert program.matches(**{"from": one, "to": other})
    assert not program.matches(**{"from": one, "to": one})


TIMES: list[Any] = [
    dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    "2026-01-02T03:04:05Z",
    "2026-01-02T04:04:05+01:00",
    "2026-01-02T03:04:06Z",
    "2026-13-02T03:04:05Z",
    "text",
    None,
    1,
]


@pytest.mark.parametrize(
    "source, found",
    [
        ('x == "2026-01-02T03:04:05Z"', [0, 1]),
        ('x != "2026-01-02T03:04:05Z"', [2, 3, 4, 5, 6, 7]),
        ('x == timestamp("2026-01-02T03:04:05Z")', [0, 1, 2]),
        ('x in ["2026-01-02T03:04:05Z", "text"]', [0, 1, 5]),
        ('x > "2026-01-02T03:04:05Z"', [2, 3, 4, 5]),
        ('x > timestamp("2026-01-02T03:04:05Z")', [3]),
        ('x >= "text"', [5]),
        ('x - timestamp("2026-01-02T03:04:05Z") >= duration("0s")', [0, 1, 2, 3]),
        ("x.getSeconds() == 5", [0, 1, 2]),
    ],
)
def test_a_time_is_a_time_however_a_document_holds_it(source: str, found: list[int]) -> None:
    program = Environment("open", {"x": None}).compile(source)
    assert program.filter(TIMES) == found
    assert [n for n, value in enumerate(TIMES) if program.matches(x=value)] == found
    assert [n for n, value in enumerate(TIMES) if program.verdict(x=value).is_match] == found


def test_filter_over_one_of_several_variables() -> None:
    program = contexts.RELATION.compile('from.name == to.name && to.name.matches("^[a-z]{2}$")')
    rows = [{"name": "ab"}, {"name": "cd"}, {}, None, {"name": "ab"}]
    assert program.filter(rows, "to", **{"from": {"name": "ab"}}) == [0, 4]
    assert program.filter(rows, "from", to={"name": "cd"}) == [1]
    assert program.filter(rows, "from") == []


@pytest.mark.parametrize("distinct", [7, 5000])
def test_a_regular_expression_over_many_documents(distinct: int) -> None:
    rows: list[Any] = [{"name": f"n-{n % distinct}"} for n in range(6000)]
    rows[5:5] = [{"name": None}, {}, {"name": ["n-3"]}, {"name": "n-3\ud800"}]
    for pattern in ("-[0-9]*3$", "^n-[0-9]*3$", "3.$"):
        program = contexts.SELECTOR.compile(f'resource.name.matches("{pattern}")')
        assert program.filter(rows) == [n for n, row in enumerate(rows) if program.verdict(resource=row).is_match]


def test_a_regular_expression_whose_automaton_fails_is_searched_for_plainly() -> None:
    found = searcher("a[0-9]+b")
    failing = Searcher(b"a[0-9]+b", lambda text: [])
    for text in ("a12b", "ab", "", "xa1bé"):
        assert failing(text) is found(text)


def test_filter_gives_ascending_positions_and_survives_any_document() -> None:
    rows: list[Any] = [RESOURCE, {}, {"metadata": None}, {"metadata": {"env": "prod"}}, None, [], {"metadata": {"env": ["prod"]}}]
    assert contexts.SELECTOR.compile('resource.metadata.env == "prod"').filter(rows) == [0, 3]
    assert contexts.SELECTOR.compile('resource.metadata.env in ["prod"]').filter(rows) == [0, 3]
    assert contexts.SELECTOR.compile('resource.metadata.env != "dev"').filter(rows) == [0, 3, 6]


def test_programs_are_cached_by_environment_and_text() -> None:
    source = 'resource.name == "cached"'
    assert contexts.SELECTOR.compile(source) is contexts.SELECTOR.compile(source)
    assert contexts.SELECTOR.compile(source) is not contexts.TARGET.compile(source)


@pytest.mark.parametrize(
    "source, expected",
    [
        ('"A-É".lowerAscii()', "a-É"),
        ('" \\tx\\n".trim()', "x"),
        ('"a,b,c".split(",")', ["a", "b", "c"]),
        ('"a,b,c".split(",", 2)', ["a", "b,c"]),
        ('["a", "b"].join("-")', "a-b"),
        ('"tacocat".substring(4, 7)', "cat"),
        ('"tacocat".substring(4)', "cat"),
        ('"tacocat".indexOf("c", 3)', 4),
        ('"tacocat".lastIndexOf("c", 3)', 2),
        ('"hello".replace("l", "L", 1)', "heLlo"),
        ('"abc".charAt(3)', ""),
        ('"abc".reverse()', "cba"),
        (r'strings.quote("a\n\"b")', r'"a\n\"b"'),
        (
            '"%s has %d, %.2f, %x, %X, %o, %b, %e%%".format(["a", 1, 2.5, 255, "hi", 8, 5, 1200.0])',
            "a has 1, 2.50, ff, 6869, 10, 101, 1.200000e+03%",
        ),
        ('"%s".format([[1, "a", null, true, {"b": 1.5, "a": 2}]])', "[1, a, null, true, {a: 2, b: 1.5}]"),
        ("math.greatest(1, 2.5, 2)", 2.5),
        ("math.least([3, 1, 2])", 1),
        ("math.round(-1.5)", -2.0),
        ("math.round(0.49999999999999994)", 0.0),
        ("math.bitShiftRight(-1024, 3)", 2305843009213693824),
        ("math.sign(-2)", -1),
        ("[3, 1, 2].sort()", [1, 2, 3]),
        ('[{"n": 2}, {"n": 1}].sortBy(x, x.n).map(x, x.n)', [1, 2]),
        ("[1, [2, [3]]].flatten()", [1, 2, [3]]),
        ("[1, [2, [3]]].flatten(2)", [1, 2, 3]),
        ("[1, 1.0, 2, 1u].distinct()", [1, 2]),
        ("[1, 2, 3].slice(1, 3)", [2, 3]),
        ("[1, 2, 3].reverse()", [3, 2, 1]),
        ("lists.range(3)", [0, 1, 2]),
        ("[1, 2, 3].first() + [1, 2, 3].last()", 4),
        ("sets.contains([1, 2, 3], [3, 1])", True),
        ("sets.equivalent([1, 2, 2], [2.0, 1])", True),
        ("sets.intersects([1], [2])", False),
        ("[1, 2, 3].map(x, x > 1, x * 2)", [4, 6]),
        ('int("42") + int(1.9)', 43),
        ("string(8080.0)", "8080"),
        ("string(123456789.0)", "1.23456789e+08"),
        ('string(duration("1h30m") + duration("1.5s"))', "5401.5s"),
        ('string(timestamp("2026-01-02T03:04:05.5+01:00"))', "2026-01-02T02:04:05.5Z"),
        ('timestamp("2026-01-02T03:04:05Z").getHours("America/New_York")', 22),
        ('timestamp("2026-01-02T03:04:05Z").getDayOfWeek()', 5),
        ('duration("-90m").getMinutes()', -90),
        ('bytes("é")', b"\xc3\xa9"),
        (r'b"\xff\377"', b"\xff\xff"),
        (r'"\u00e9\x41\101\U0001F600\?"', "éAA\U0001f600?"),
        ('size("é")', 1),
        ("-7 / 2 * 10 + -7 % 3", -31),
        ('{"a": 1}["a"]', 1),
    ],
)
def test_value(source: str, expected: object) -> None:
    found = value(source)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "source, kind",
    [
        ('"abc".substring(2, 1)', "range"),
        ('"abc".indexOf("a", 9)', "range"),
        ('"%d".format(["a"])', "overload"),
        ('"%s".format([])', "range"),
        ('"%q".format([1])', "range"),
        ("[1, 'a'].sort()", "overload"),
        ("[].first()", "range"),
        ("math.abs(-9223372036854775808)", "range"),
        ('int("1.5")', "range"),
        ("1u - 2u", "range"),
        ("1 + 1.0", "overload"),
        ("-false", "overload"),
        ('timestamp("2026-01-02T00:00:00Z").getHours("Nowhere/At_All")', "range"),
    ],
)
def test_no_value(source: str, kind: str) -> None:
    with pytest.raises(CelError) as caught:
        value(source)
    assert caught.value.kind == kind
