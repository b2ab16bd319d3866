"""Whom the metrics of a verification ask, once their templates are rendered; pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import VerificationStarted
from contracts.shapes import Json, MetricProvider, MetricSpec
from services.verifier.asked import rendered_provider
from services.verifier.documents import context_of
from services.verifier.due import party_of
from services.verifier.state import State


def parties_of(metrics: Sequence[MetricSpec], state: State, about: VerificationRequired | VerificationStarted) -> tuple[str, ...]:
    """The party of each metric, with the documents of today.

    Rendering is only for addresses that a template has a part in: of many verifications that begin together it would take the most time.
    """

    @cache
    def context() -> Json:
        return context_of(state, about)

    def of(provider: MetricProvider) -> str:
        party = party_of(provider)
        host = party.partition("://")[2]
        if host and "{{" not in party:
            return party
        asked = rendered_provider(provider, context)
        return party if asked is provider else party_of(asked)

    return tuple(of(spec.provider) for spec in metrics)
