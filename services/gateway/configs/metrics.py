"""What is secret of whom a metric asks, and which of it is known when a policy is saved again; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts.commands.policy.policies import RuleInput
from contracts.shapes import Json, MetricSpec
from libs.secrets.config import clear_secrets
from libs.secrets.fields import Path, SecretFields

Place = tuple[str, str, int]
"""A rule, the name of a metric in it, and which one of this name it is."""


def templates_of(config: Json, fields: SecretFields) -> dict[Path, str]:
    """Texts of secret fields that are templates, by their path: the secret is what they name, and they stay as they are."""
    found: dict[Path, str] = {}
    for path in clear_secrets(config, fields):
        value = _at(config, path)
        if isinstance(value, str) and "}}" in value.partition("{{")[2]:
            found[path] = value
    return found


def with_texts(config: Any, texts: Mapping[Path, str], path: Path = ()) -> Any:
    """The configuration with these texts at their paths."""
    if path in texts:
        return texts[path]
    if isinstance(config, Mapping):
        return {key: with_texts(value, texts, (*path, key)) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [with_texts(value, texts, (*path, place)) for place, value in enumerate(config)]
    return config


def _at(config: Any, path: Path) -> Any:
    for part in path:
        config = config[part]
    return config


def metrics_of(rules: Sequence[RuleInput]) -> Iterator[tuple[int, int, Place, MetricSpec]]:
    """Every metric of a policy that is sent: the number of its rule, its own, its place, itself."""
    for index, rule in enumerate(rules):
        seen: Counter[str] = Counter()
        for number, metric in enumerate(rule.verification.metrics if rule.verification is not None else ()):
            yield index, number, (rule.id or "", metric.name, seen[metric.name]), metric
            seen[metric.name] += 1


class KnownProviders:
    """Whom the metrics of a recorded policy ask.

    Args:
        policy: its document; None when there is none.
    """

    def __init__(self, policy: Json | None) -> None:
        self._by_place: dict[Place, Json] = {}
        self._by_name: dict[str, list[Json]] = {}
        for rule in policy["rules"] if policy is not None else ():
            seen: Counter[str] = Counter()
            for metric in rule.get("verification", {}).get("metrics", ()):
                name = metric["name"]
                self._by_place[rule["id"], name, seen[name]] = metric["provider"]
                self._by_name.setdefault(name, []).append(metric["provider"])
                seen[name] += 1

    def of(self, place: Place) -> Json | None:
        """Whom the metric asks that a sent one stands for: that of the same rule and name, or the only one of its name. Clients that do
        not send the ids of rules get new ones each time."""
        if place in self._by_place:
            return self._by_place[place]
        alike = self._by_name.get(place[1], [])
        return alike[0] if len(alike) == 1 else None
