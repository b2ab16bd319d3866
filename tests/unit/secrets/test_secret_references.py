"""References inside of texts."""

from __future__ import annotations

import pytest

from libs.secrets.problem import SecretProblem
from libs.secrets.references import MASK, Reference, masked_text, references, replaced, whole


@pytest.mark.parametrize(
    "text,found",
    [
        ("", ()),
        ("no $reference {here}", ()),
        ("{{ .Secret }} ${var} $${HOME}", ()),
        ("${secret:env:A_B}", (Reference("env", "A_B"),)),
        ("Bearer ${secret:file:tls.key}!", (Reference("file", "tls.key"),)),
        ("${secret:env:A}:${secret:sealed:x-_1}", (Reference("env", "A"), Reference("sealed", "x-_1"))),
        ("${secret:env:}", (Reference("env", ""),)),
    ],
)
def test_the_references_of_a_text(text: str, found: tuple[Reference, ...]) -> None:
    assert references(text) == found
    assert replaced(text, str) == text
    assert whole(text) == (found[0] if found and text == str(found[0]) else None)


@pytest.mark.parametrize(
    "text", ["${secret:vault:A}", "${secret:env:A", "${secret:env:${secret:env:A}}", "${secret:env:A B}", "${secret:}", "${secret:env:A}${secret:x}"]
)  # fmt: skip
def test_what_begins_like_a_reference_and_is_none_is_a_mistake(text: str) -> None:
    with pytest.raises(SecretProblem, match=r"write \$\{secret:env:NAME\}") as told:
        references(text)
    assert told.value.code == "malformed"


def test_values_are_not_searched_for_references_again() -> None:
    assert replaced("<${secret:env:A}>", lambda one: f"{one}{one}") == "<${secret:env:A}${secret:env:A}>"


def test_only_what_is_sealed_is_masked() -> None:
    assert masked_text("Bearer ${secret:sealed:abc}") == f"Bearer {MASK}"
    assert masked_text("${secret:env:A}/${secret:file:b}") == "${secret:env:A}/${secret:file:b}"


def test_a_problem_tells_its_place() -> None:
    problem = SecretProblem("unknown", "there is no such thing").at(("headers", 0, "value"))
    assert str(problem) == "headers/0/value: there is no such thing"
