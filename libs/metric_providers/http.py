"""`http`: asks an HTTP endpoint."""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field

from contracts.shapes import Json
from libs.metric_providers.answers import headers_of, result_of
from libs.metric_providers.durations import Duration, go_seconds
from libs.metric_providers.port import MAX_ANSWER_BYTES, Asking, Provider, ProviderConfig

MAX_REDIRECTS: Final = 10
MAX_TIMEOUT_S: Final = 600.0


class HttpConfig(ProviderConfig):
    """What to send where. Beyond the v1 API: with `insecure` it is not asked for a valid certificate."""

    url: str = Field(min_length=1)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = "GET"
    headers: dict[str, str] | None = None
    body: str | None = None
    timeout: Duration = "30s"
    insecure: bool | None = None


async def measure(config: HttpConfig, asking: Asking) -> Json:
    """Gives `ok` (2xx), `statusCode`, `body`, `json` where the body is JSON, `headers` (name → list) and `duration` (ms).

    Raises: CallFailed: nothing usable came back.
    """
    timeout_s = min(go_seconds(config.timeout) or MAX_TIMEOUT_S, MAX_TIMEOUT_S)
    answer = await asking.outbound.ask(
        config.method,
        config.url,
        headers=config.headers or {},
        content=config.body,
        timeout_s=timeout_s,
        connect_s=timeout_s,
        max_bytes=MAX_ANSWER_BYTES,
        redirects=MAX_REDIRECTS,
        insecure=bool(config.insecure),
    )
    return {**result_of(answer), "headers": headers_of(answer)}


def party_of(url: str) -> str:
    """Scheme, host and port of an address, as far as they are there."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    except ValueError:
        # What can not be told apart may hold a secret.
        return f"{url.partition('://')[0][:20]}://"


PROVIDER = Provider("http", HttpConfig, measure, party=lambda config: party_of(config.url))
