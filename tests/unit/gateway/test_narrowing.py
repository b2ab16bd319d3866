"""What the tables are asked of an expression."""

from __future__ import annotations

import pytest

from libs.cel import contexts
from services.gateway.narrowing import MOST_NEEDS, Need, needs_of

ENV = ("metadata", "env")


@pytest.mark.parametrize(
    "source, expected",
    [
        ('resource.kind == "Cluster"', ((Need("eq", ("kind",), "Cluster"),),)),
        ('resource.metadata["env"] in ["a", "b"]', ((Need("eq", ENV, "a"), Need("eq", ENV, "b")),)),
        ('resource.name.startsWith("x")', ((Need("prefix", ("name",), "x"),),)),
        ("has(resource.metadata.env)", ((Need("has", ENV),),)),
        ("resource.config.on == true", ((Need("eq", ("config", "on"), "true"),),)),
        # Numbers have several texts, nothing is known of the others.
        ("resource.config.port == 80", ()),
        ('resource.kind == "a" || resource.config.port == 80', ()),
        ('resource.name.contains("x")', ()),
        ("true", ()),
        # What the tables can not hold is not asked of them.
        (r'resource.name == "\x00"', ()),
    ],
)
def test_needs(source: str, expected: object) -> None:
    assert needs_of(contexts.SELECTOR.compile(source), "resource") == expected


def test_conditions_on_other_variables_and_on_what_rows_do_not_have_are_left_to_the_expression() -> None:
    program = contexts.TARGET.compile('resource.kind == "a" && deployment.name == "b"')
    assert needs_of(program, "deployment") == ((Need("eq", ("name",), "b"),),)
    program = contexts.VERSION.compile('has(version.dependencies["a"]) && version.tag == "v1"')
    assert needs_of(program, "version", frozenset({"dependencies"})) == ((Need("eq", ("tag",), "v1"),),)


def test_only_so_many_are_looked_at() -> None:
    source = " && ".join(f'resource.metadata["k{number}"] == "v"' for number in range(30))
    assert len(needs_of(contexts.SELECTOR.compile(source), "resource")) == MOST_NEEDS
