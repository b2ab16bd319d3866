"""Who can be asked for a metric: one module for each type of provider, found by being here."""

from libs.metric_providers.known import KNOWN, problems, provider_of
from libs.metric_providers.port import Asking, NoResult, Provider, ProviderConfig

__all__ = ["KNOWN", "Asking", "NoResult", "Provider", "ProviderConfig", "problems", "provider_of"]
