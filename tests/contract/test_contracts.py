"""What is committed for others is what the code means, and what was ever published is still understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from contracts.command import WISHES
from contracts.compatibility import breaks
from contracts.fact import FACTS
from contracts.generate import ROOT, generate, schemas, text
from contracts.sampling import sample
from libs.bus.asyncapi import documents
from libs.eventlog.mapping import decode

SERVICES = {"inventory", "planner", "policy", "dispatcher", "verifier", "gateway"}
SAMPLES = sorted((ROOT / "samples").glob("*.json"))


def published(folder: str) -> dict[str, str]:
    return {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in (ROOT / folder).rglob("*.*")}


def test_schemas_have_not_drifted() -> None:
    assert published("schemas") == {path: text(schema) for path, schema in schemas().items()}, "run: python -m contracts.generate"


def test_asyncapi_has_not_drifted() -> None:
    assert published("asyncapi") == documents(), "run: python -m libs.bus.asyncapi"


@pytest.mark.parametrize("path", sorted(schemas()))
def test_no_schema_breaks_what_was_published(path: str) -> None:
    file = ROOT / path
    assert not file.exists() or breaks(json.loads(file.read_text("utf-8")), schemas()[path]) == []


def test_every_fact_has_a_sample() -> None:
    assert {file.stem for file in SAMPLES} >= set(FACTS), "run: python -m contracts.generate"


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_sample_still_decodes(file: Path) -> None:
    payload = file.read_bytes()
    fact = decode(file.stem, payload)
    assert "/" in fact.stream
    # A sample under an older wire name may be upcast to another shape; one under today's says exactly what it said.
    assert file.stem != fact.TYPE or _within(json.loads(payload), json.loads(fact.to_json()))


def _within(old: Any, new: Any) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and _within(value, new[key]) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_within, old, new))
    return bool(old == new)


@pytest.mark.parametrize("type_", sorted(FACTS))
def test_sample_sets_every_field(type_: str) -> None:
    assert set(json.loads(sample(FACTS[type_]))) == set(FACTS[type_].model_fields)


@pytest.mark.parametrize("type_", sorted(FACTS))
def test_wire_name_says_owner_and_version(type_: str) -> None:
    owner, name, version = type_.split(".")
    assert owner in SERVICES
    module = FACTS[type_].__module__
    assert f"{module}.".startswith(f"contracts.facts.{owner}."), "a fact lives in the module of the service that appends it"
    assert name.replace("_", "").isalpha()
    assert name.islower()
    assert version[0] == "v"
    assert version[1:].isdigit()


def test_wishes_live_with_the_service_that_answers() -> None:
    for subject, one in WISHES.items():
        assert f"{one.__module__}.".startswith(f"contracts.commands.{one.SERVICE}."), subject


class Inner(BaseModel):
    model_config = ConfigDict(frozen=True)
    word: str
    inner: Inner | None = None


class Old(BaseModel):
    name: str
    count: int = 1
    note: str | None = None
    inners: tuple[Inner, ...] = ()
    words: dict[str, int] = Field(default_factory=dict)


def schema(**changed: Any) -> dict[str, Any]:
    from pydantic import create_model

    return create_model("New", __base__=Old, **changed).model_json_schema()


@pytest.mark.parametrize(
    "changed",
    [{}, {"more": (str, "")}, {"count": (float, 1)}, {"name": (str | None, None)}, {"note": (Any, None)}],
    ids=["same", "optional field", "wider number", "no longer required", "anything"],
)
def test_harmless_change_is_let_through(changed: dict[str, Any]) -> None:
    assert breaks(Old.model_json_schema(), schema(**changed)) == []


@pytest.mark.parametrize(
    "changed, told",
    [
        ({"more": (str, ...)}, ".more: is required now"),
        ({"count": (int, ...)}, ".count: is required now"),
        ({"name": (int, ...)}, ".name: was string, is integer"),
        ({"note": (str, "")}, ".note: was null, is string"),
        ({"words": (dict[str, str], {})}, ".words.*: was integer, is string"),
        ({"inners": (tuple[int, ...], ())}, ".inners[]: was object, is integer"),
    ],
)
def test_breaking_change_is_told(changed: dict[str, Any], told: str) -> None:
    assert told in breaks(Old.model_json_schema(), schema(**changed))


def test_removed_field_is_told() -> None:
    class Less(BaseModel):
        name: str

    assert breaks(Old.model_json_schema(), Less.model_json_schema()) == [
        ".count: was removed or renamed",
        ".inners: was removed or renamed",
        ".note: was removed or renamed",
        ".words: was removed or renamed",
    ]


def test_fewer_words_of_a_closed_set_are_told() -> None:
    old, new = {"enum": ["a", "b"], "type": "string"}, {"const": "a", "type": "string"}
    assert breaks(old, new) == ["the whole: no longer allows 'b'"]
    assert breaks(new, old) == []


def test_breaking_schema_is_not_written_and_samples_are_never_changed(tmp_path: Path) -> None:
    assert generate(tmp_path) == []
    path, schema_ = next(iter(schemas().items()))
    stricter = json.loads(text(schema_))
    stricter["properties"]["gone"] = {"type": "string"}
    (tmp_path / path).write_text(text(stricter), "utf-8")
    old = min((tmp_path / "samples").iterdir())
    old.write_text("{}", "utf-8")
    assert generate(tmp_path) == [f"{path}: .gone: was removed or renamed"]
    assert "gone" in (tmp_path / path).read_text("utf-8")
    assert old.read_text("utf-8") == "{}"
