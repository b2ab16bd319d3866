"""What a measurement asks: the provider's configuration with its templates rendered, and which secrets may be opened for it; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.facts.verifier import VerificationStarted
from contracts.shapes import Json, MetricProvider
from libs.metric_providers import provider_of
from libs.metric_providers.port import PLAIN, is_marked
from libs.secrets.config import texts as texts_of
from libs.secrets.fields import Path
from libs.secrets.problem import SecretProblem
from libs.secrets.references import references
from services.verifier.documents import context_of, rendered
from services.verifier.state import State
from services.verifier.unfilled import unfilled


def request_of(provider: MetricProvider, state: State, about: VerificationStarted) -> Json:
    """The request of a measurement's intent.

    Returns: `provider`: the configuration as it is to be asked, references to secrets in it; `secrets`: those of them that may be opened;
        `workspace_id`: whose they are; `unfilled`, where there are some: by the path of a text, which of its templates' values came to nothing.
    """
    given = provider.given
    texts = _texts(given)
    has_templates = any("{{" in text for _, text in texts)
    # What templates bring in may look like a reference to a secret; only those are opened that the metric itself names.
    secrets = dict.fromkeys(one for _, text in texts for one in _references(text))
    request: Json = {"provider": given, "secrets": list(secrets), "workspace_id": state.workspace_id}
    if has_templates:
        context, plain = context_of(state, about), _plain(provider)
        request["provider"] = _rendered(given, context, plain)
        placed = (("/".join(map(str, path)), text) for path, text in texts if path[0] not in plain)
        if found := {where: names for where, text in placed if (names := unfilled(text, context))}:
            request["unfilled"] = found
    return request


def _texts(given: Json) -> list[tuple[Path, str]]:
    """Every text of a configuration with its path; none of one that is deeper than any provider's, which says so when it is asked."""
    try:
        return list(texts_of(given))
    except SecretProblem:
        return []


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


def rendered_provider(provider: MetricProvider, context: Callable[[], Json]) -> MetricProvider:
    """The provider's configuration with the templates in it rendered; the very same where there are none, and the context is not made then.

    One of a type that is not known stays as it is, too: its type may be a template that comes to nothing.
    """
    given = provider.given
    if provider_of(provider) is None or not any("{{" in text for _, text in _texts(given)):
        return provider
    return MetricProvider.model_validate(_rendered(given, context(), _plain(provider)))


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
