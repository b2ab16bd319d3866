"""Links of freezes: pages show them as links, so that they must lead to the web."""

from __future__ import annotations

import orjson
import pytest
from pydantic import BaseModel

from services.gateway.http.bodies import ChangeFreeze, CreateFreeze, StopBody
from services.gateway.http.validation import body_of

FORMS: tuple[type[BaseModel], ...] = (CreateFreeze, ChangeFreeze, StopBody)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("link", ["https://status.example/1?a=b#c", "http://10.0.0.1:8080", "HTTPS://EXAMPLE.COM/ü", ""])
def test_an_address_of_the_web_is_taken_as_it_is(form: type[BaseModel], link: str) -> None:
    sent = {"reason": "fire", "link": link}
    found, problems = body_of(sent, orjson.dumps(sent), form)
    assert (problems, getattr(found, "link", None)) == ([], link)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "ftp://example.com",
        "example.com/1",
        "https://",
        "https:///x",
        "https://a b",
        " https://a",
        "https://a\n",
    ],
)
def test_anything_else_is_refused_with_what_to_do(form: type[BaseModel], link: str) -> None:
    sent = {"reason": "fire", "link": link}
    found, problems = body_of(sent, orjson.dumps(sent), form)
    (problem,) = problems
    assert (found, problem["path"]) == (None, "/body/link")
    assert "https://" in problem["message"]
