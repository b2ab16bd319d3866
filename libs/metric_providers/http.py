"""`http`: asks an HTTP endpoint."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from contracts.shapes import Json
from libs.metric_providers.answers import headers_of, result_of
from libs.metric_providers.durations import Duration, go_seconds
from libs.metric_providers.literals import Address, HeaderValue, check_header_name, literal
from libs.metric_providers.port import MAX_ANSWER_BYTES, Asking, Provider, ProviderConfig

MAX_REDIRECTS: Final = 10
MAX_TIMEOUT_S: Final = 600.0


def _not_too_long(text: str) -> str:
    if (go_seconds(text) or 0.0) > MAX_TIMEOUT_S:
        raise ValueError(f"{text!r} is longer than {MAX_TIMEOUT_S / 60:g} minutes, which is the most")
    return text


Timeout: TypeAlias = Annotated[Duration, AfterValidator(_not_too_long)]
HeaderName: TypeAlias = Annotated[str, literal(check_header_name, filled_in=False)]
"""A name in an object, where nothing is filled in."""


class HttpConfig(ProviderConfig):
    """What to send where. Beyond the v1 API: with `insecure` it is not asked for a valid certificate."""

    url: Address = Field(min_length=1)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = "GET"
    headers: dict[HeaderName, HeaderValue] | None = None
    body: str | None = None
    timeout: Timeout = "30s"
    insecure: bool | None = None


async def measure(config: HttpConfig, asking: Asking) -> Json:
    """Gives `ok` (2xx), `statusCode`, `body`, `json` where the body is JSON, `headers` (name → list) and `duration` (ms).

    Raises: CallFailed: nothing usable came back.
    """
    timeout_s = go_seconds(config.timeout) or MAX_TIMEOUT_S
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


PROVIDER = Provider(
    "http",
    HttpConfig,
    measure,
    party=lambda config: party_of(config.url),
    no_value=lambda _: "an HTTP endpoint has no value of its own: look for example at result.json.errors or result.statusCode",
)
