"""Which queries can be one statement that gives rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.metric_providers.sql_statement import problem_of


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "select 1 ;\n; ",
        "((SELECT 1) UNION (SELECT 2))",
        "-- how many\n/* of /* all */ of them */ WITH new AS (SELECT 1) SELECT * FROM new -- these",
        "VALUES (1), (2)",
        "TABLE orders",
        "SELECT ';', '''; ', \"a;b\" FROM t",
        r"SELECT E'it\'s; ' || e'\\', 'a\'",
        "SELECT $$;$$ || $a$ $$ ; ' $a$ || $1",
        "SELECT a$b$c FROM t",
        "SELECT ')' /* ( */ -- )",
        "SELECT 5 - 3, 6 / 2, e FROM these WHERE e = 'e'",
    ],
)
def test_one_statement_that_gives_rows_is_taken(query: str) -> None:
    assert problem_of(query) is None


@pytest.mark.parametrize(
    "query,said",
    [
        ("", "must give rows"),
        ("-- nothing", "must give rows"),
        ("SELEC 1", "must give rows"),
        ("SELECTED", "must give rows"),
        ("EXPLAIN SELECT 1", "must give rows"),
        ("'SELECT' 1", "must give rows"),
        ("INSERT INTO t VALUES (1) RETURNING id", "must give rows"),
        ("SELECT 1; SELECT 2", "another statement follows its semicolon"),
        ("SELECT 1;DROP TABLE t;", "another statement follows its semicolon"),
        ("SELECT '\\'; DROP TABLE t; --'", "another statement follows its semicolon"),
        ("SELECT 1; -- the last", "a comment follows its semicolon"),
        ("SELECT 1; /* the last */ ;", "a comment follows its semicolon"),
        ("SELECT 'a", "not closed"),
        ('SELECT "a', "not closed"),
        ("SELECT $a$ $$", "not closed"),
        ("SELECT 1 /* /* */", "not closed"),
        (r"SELECT E'\'", "not closed"),
        ("SELECT (1", "a bracket of the query is not closed"),
        ("SELECT 1) AS q; SELECT (1", "another statement"),
        ("SELECT 1)", "closed that was never opened"),
    ],
)
def test_what_is_no_such_statement_is_told(query: str, said: str) -> None:
    assert said in (problem_of(query) or "")


@given(st.text(st.sampled_from("SELECT eE1';\"$a-/*() \n\\"), max_size=60))
def test_quoting_what_is_there_makes_it_one_statement(text: str) -> None:
    problem_of(text)  # says something about everything
    quoted = text.replace("'", "''")
    assert problem_of(f"SELECT '{quoted}'") is None
    assert problem_of(f"SELECT '{quoted}'; SELECT 1") is not None


def test_a_long_query_is_read_in_no_time() -> None:
    for part in ("e", "'a' ", "-- a\n", "/**/", "$a$ $a$ ", "(", "e'", "$a"):
        problem_of("SELECT " + part * 20_000)
