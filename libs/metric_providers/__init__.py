"""Who can be asked for a metric: one module for each type of provider, found by being here."""

from libs.metric_providers.known import KNOWN, fields_of_provider, no_value, problems, provider_of, secret_problems
from libs.metric_providers.port import Asking, NoResult, Provider, ProviderConfig

__all__ = [
    "KNOWN",
    "Asking",
    "NoResult",
    "Provider",
    "ProviderConfig",
    "fields_of_provider",
    "no_value",
    "problems",
    "provider_of",
    "secret_problems",
]
