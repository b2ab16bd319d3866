"""What a measurement asks: the provider's configuration with its templates rendered, and which secrets may be opened for it; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts.facts.verifier import VerificationStarted
from contracts.shapes import Json, MetricProvider
from libs.metric_providers import provider_of
from libs.metric_providers.port import PLAIN, is_marked
from libs.secrets.problem import SecretProblem
from libs.secrets.references import references
from services.verifier.documents import context_of, rendered
from services.verifier.state import State


def request_of(provider: MetricProvider, state: State, about: VerificationStarted) -> Json:
    """The request of a measurement's intent.

    Returns: `provider`: the configuration as it is to be asked, references to secrets in it; `secrets`: those of them that may be opened;
        `workspace_id`: whose they are.
    """
    given = provider.given
    texts = list(_texts(given))
    has_templates = any("{{" in text for text in texts)
    # What templates bring in may look like a reference to a secret; only those are opened that the metric itself names.
    secrets = dict.fromkeys(one for text in texts for one in _references(text))
    return {
        "provider": _rendered(given, context_of(state, about), _plain(provider)) if has_templates else given,
        "secrets": list(secrets),
        "workspace_id": state.workspace_id,
    }


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)


def _references(text: str) -> list[str]:
    """The references in a text; what only begins like one stays a text."""
    if "${" not in text:
        return []
    try:
        return [str(one) for one in references(text)]
    except SecretProblem:
        return []


def _plain(provider: MetricProvider) -> frozenset[str]:
    """The provider's own fields that are no templates."""
    known = provider_of(provider)
    if known is None:
        return frozenset()
    fields = known.config.model_fields.items()
    return frozenset(field.alias or name for name, field in fields if is_marked(field, PLAIN))


def _rendered(value: Any, context: Json, plain: frozenset[str] = frozenset()) -> Any:
    match value:
        case str():
            return rendered(value, context)
        case dict():
            return {key: inner if key in plain else _rendered(inner, context) for key, inner in value.items()}
        case list():
            return [_rendered(inner, context) for inner in value]
        case _:
            return value
