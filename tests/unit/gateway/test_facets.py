"""What resources can be filtered by: counted in any parts, what most have first, within bounds."""

from __future__ import annotations

from typing import Any

import pytest

from services.gateway import facets
from services.gateway.facets import Facets


def resource(
    kind: str = "Cluster", provider: str | None = None, config: dict[str, Any] | None = None, **metadata: str
) -> dict[str, Any]:
    return {"kind": kind, "version": "v1", "providerId": provider, "config": config or {}, "metadata": metadata}


def test_what_most_have_comes_first() -> None:
    counted = Facets()
    counted.add([resource(region="eu"), resource(region="us", zone="a")])
    counted.add([resource("Database", "p", region="eu")])
    told = counted.told({"p": {"name": "terraform"}})
    assert told["total"] == 3
    assert told["kinds"] == [{"value": "Cluster", "count": 2}, {"value": "Database", "count": 1}]
    assert told["providers"] == [{"id": "p", "name": "terraform", "count": 1}]
    region, zone = told["metadata"]
    assert (region["key"], region["count"], region["values"][0], region["more"]) == (
        "region",
        3,
        {"value": "eu", "count": 2},
        False,
    )
    assert (zone["key"], zone["values"]) == ("zone", [{"value": "a", "count": 1}])


def test_a_provider_that_is_gone_is_left_out() -> None:
    counted = Facets()
    counted.add([resource(provider="gone")])
    assert counted.provider_ids == ["gone"]
    assert counted.told({})["providers"] == []


def test_paths_are_written_as_an_expression_has_them() -> None:
    counted = Facets()
    counted.add([resource(config={"server": "x", "node-pool": {"size": 3}, "a": {"b": {"c": {"d": 1}}}, "empty": {}})])
    assert counted.told({})["paths"] == ["config.a.b.c", "config.empty", "config.server", 'config["node-pool"].size']


def test_a_key_with_a_value_for_each_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "_COUNTED", 3)
    counted = Facets()
    counted.add([resource(serial=str(n)) for n in range(5)])
    (serial,) = counted.told({})["metadata"]
    assert (serial["count"], len(serial["values"]), serial["more"]) == (5, 3, True)


def test_keys_and_paths_without_end_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "_KEYS", 2)
    counted = Facets()
    for n in range(4):
        counted.add([resource(config={f"c{n}": 1}, **{f"k{n}": "x"}), resource(config={"c0": 1}, k0="x")])
    told = counted.told({})
    assert [(one["key"], one["count"]) for one in told["metadata"]] == [("k0", 5), ("k1", 1)]
    assert told["paths"] == ["config.c0", "config.c1"]


def test_values_of_all_keys_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "_COUNTED_IN_ALL", 3)
    counted = Facets()
    for n in range(2):
        counted.add([resource(a=str(n)), resource(b=str(n)), resource(a="0")])
    found = {
        one["key"]: (one["count"], [each["value"] for each in one["values"]], one["more"]) for one in counted.told({})["metadata"]
    }
    assert found == {"a": (4, ["0", "1"], False), "b": (2, ["0"], True)}


def test_a_value_that_is_very_long_is_only_said_to_be_there() -> None:
    counted = Facets()
    counted.add([resource(notes="x" * 201), resource(notes="x" * 200)])
    (notes,) = counted.told({})["metadata"]
    assert (notes["count"], [len(one["value"]) for one in notes["values"]], notes["more"]) == (2, [200], True)
