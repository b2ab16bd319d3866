"""`prometheus`: asks a Prometheus server, or whatever speaks its HTTP API, for an instant or a range."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Final, Self
from urllib.parse import urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, Field, model_validator

from contracts.shapes import Json
from libs.metric_providers import prometheus_answer
from libs.metric_providers.access_tokens import OAuth2, tokens_of
from libs.metric_providers.answers import heed_limits
from libs.metric_providers.durations import Duration, go_seconds
from libs.metric_providers.http import MAX_REDIRECTS, party_of
from libs.metric_providers.literals import HeaderName, HeaderValue, check_address, check_header_value, literal
from libs.metric_providers.port import MAX_ANSWER_BYTES, PLAIN, SECRET, Asking, NoResult, Provider, ProviderConfig
from libs.outbound.answer import Answer
from libs.secrets.redaction import Redacted

DEFAULT_TIMEOUT_S: Final = 30
MAX_TIMEOUT_S: Final = 600
STEPS: Final = 10
"""How many steps a range has that does not say where it starts."""


def _not_negative(text: str) -> str:
    if go_seconds(text) is None:
        raise ValueError(f"{text!r} is no duration; write for example 30s or 1m30s")
    return text


Ago = Annotated[str, AfterValidator(_not_negative), Field(json_schema_extra=PLAIN)]
"""A Go duration, 0 or above."""


class Header(ProviderConfig):
    """A header to send; with a key that sounds like a secret, such as `Authorization`, its value is one."""

    key: HeaderName = Field(min_length=1)
    value: HeaderValue


class Basic(ProviderConfig):
    """A user and password."""

    username: str = Field(min_length=1)
    password: str = Field(json_schema_extra=SECRET)


class Authentication(ProviderConfig):
    """One way to say who asks. `basic` is beyond the v1 API."""

    bearer_token: Annotated[str | None, literal(check_header_value)] = Field(None, json_schema_extra=SECRET)
    oauth2: OAuth2 | None = None
    basic: Basic | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:  # noqa: N804  # after the fields, it is handed the model itself
        if sum(one is not None for one in (self.bearer_token, self.oauth2, self.basic)) != 1:
            raise ValueError("give one of bearerToken, oauth2 and basic, or leave authentication out")
        return self


class RangeQuery(ProviderConfig):
    """A range of time: from `start` ago (10 steps before its end) to `end` ago (now), a sample each `step`."""

    step: Duration
    start: Ago | None = None
    end: Ago | None = None

    def seconds(self) -> tuple[float, float, float]:
        """Step, start and end; the latter two count back from now."""
        step_s, end_s = go_seconds(self.step) or 0.0, go_seconds(self.end or "0s") or 0.0
        return step_s, end_s + STEPS * step_s if self.start is None else go_seconds(self.start) or 0.0, end_s

    @model_validator(mode="after")
    def _in_order(self) -> Self:  # noqa: N804  # after the fields, it is handed the model itself
        step_s, start_s, end_s = self.seconds()
        if step_s < 0.001:
            raise ValueError(f"the step {self.step} is shorter than a millisecond")
        if start_s < end_s:
            raise ValueError(f"the range starts {self.start} ago and ends {self.end} ago: its start must not be after its end")
        return self


class PrometheusConfig(ProviderConfig):
    """Whom to ask for what. `timeout` is in seconds; 0 is the default of 30."""

    address: Annotated[str, literal(lambda text: check_address(text.strip()))] = Field(min_length=1)
    query: str = Field(min_length=1)
    timeout: int | None = Field(None, ge=0, le=MAX_TIMEOUT_S)
    insecure: bool = False
    headers: tuple[Header, ...] | None = None
    authentication: Authentication | None = None
    range_query: RangeQuery | None = None

    @model_validator(mode="after")
    def _one_authorization(self) -> Self:  # noqa: N804  # after the fields, it is handed the model itself
        named = any(one.key.lower() == "authorization" for one in self.headers or ())
        if named and self.authentication is not None:
            raise ValueError("there are an Authorization header and an authentication: give one of them")
        return self


async def measure(config: PrometheusConfig, asking: Asking) -> Json:
    """Gives what `prometheus_answer.read` says. A query that is wrong or too slow is an answer, and not ok.

    Raises: NoResult: no token, too much to read, or asked too often. CallFailed: nothing usable came back.
    """
    url = address_of(config, asking.now())
    known = config.authentication
    if known is None or known.oauth2 is None:
        return _read(await _asked(config, asking, url, _authorization(known)), asking)
    tokens, timeout_s = tokens_of(asking), _timeout_s(config)
    token = await tokens.token(known.oauth2, asking, timeout_s=timeout_s, insecure=config.insecure)
    answer = await _asked(config, asking, url, f"Bearer {token}")
    if answer.status == 401:
        # The server may have forgotten a token before its time; a new one that is refused as well is an answer.
        token = await tokens.token(known.oauth2, asking, timeout_s=timeout_s, insecure=config.insecure, refused=token)
        answer = await _asked(config, asking, url, f"Bearer {token}")
    # Nobody else knows this secret, so nobody else could take it out of an answer that repeats it.
    result: Json = Redacted([token]).json(_read(answer, asking))
    return result


def address_of(config: PrometheusConfig, now: datetime) -> str:
    """The address to ask, with the query; instants are Unix seconds with three decimals."""
    asked = {"query": config.query}
    path = "query"
    if config.range_query is not None:
        step_s, start_s, end_s = config.range_query.seconds()
        at = now.timestamp()
        path = "query_range"
        asked |= {"start": f"{at - start_s:.3f}", "end": f"{at - end_s:.3f}", "step": f"{step_s:.3f}"}
    try:
        parts = urlsplit(config.address.strip())
    except ValueError as error:
        raise NoResult(f"the address is none: {error}") from None
    coded = urlencode(asked)
    query = f"{parts.query}&{coded}" if parts.query else coded
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/api/v1/{path}", query, ""))


async def _asked(config: PrometheusConfig, asking: Asking, url: str, authorization: str | None) -> Answer:
    headers = [(one.key, one.value) for one in config.headers or ()]
    if authorization is not None:
        headers.append(("Authorization", authorization))
    timeout_s = _timeout_s(config)
    return await asking.outbound.ask(
        "GET",
        url,
        headers=headers,
        timeout_s=timeout_s,
        connect_s=timeout_s,
        max_bytes=MAX_ANSWER_BYTES,
        redirects=MAX_REDIRECTS,
        insecure=config.insecure,
    )


def _read(answer: Answer, asking: Asking) -> Json:
    heed_limits(answer, "Prometheus", asking.now())
    if answer.cut:
        raise NoResult(f"the answer is longer than {MAX_ANSWER_BYTES} bytes; ask for fewer series, or a longer step")
    return prometheus_answer.read(answer)


def _authorization(known: Authentication | None) -> str | None:
    if known is None:
        return None
    if known.bearer_token is not None:
        return f"Bearer {known.bearer_token}"
    if known.basic is not None:
        pair = f"{known.basic.username}:{known.basic.password}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"
    return None


def _timeout_s(config: PrometheusConfig) -> float:
    return float(config.timeout or DEFAULT_TIMEOUT_S)


PROVIDER = Provider("prometheus", PrometheusConfig, measure, party=lambda config: party_of(config.address))
