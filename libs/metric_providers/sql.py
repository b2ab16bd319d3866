"""`sql`: asks a Postgres database one question, and can change nothing there."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeAlias, cast

import orjson
import psycopg
from pydantic import Field, ValidationInfo, model_validator

from contracts.shapes import Json
from libs.metric_providers.literals import Certificates, is_as_written, is_literal, literal
from libs.metric_providers.port import SECRET, Asking, NoResult, Provider, ProviderConfig
from libs.metric_providers.sql_connection import connected, place_of
from libs.metric_providers.sql_statement import ENDING, problem_of
from libs.secrets.redaction import Redacted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from libs.metric_providers.sql_connection import Connection

MAX_ROWS: Final = 100
MAX_BYTES: Final = 256 * 1024
MAX_TIMEOUT_S: Final = 300
GRACE_S: Final = 5.0
"""How much later than the server we give up, so that it can say itself that the time is over."""
GOING_AWAY: Final = ("57P", "08")
"""Classes of errors that say something about the server, which stops, and nothing about the question."""


def _check_query(text: str) -> None:
    if (said := problem_of(text)) is not None:
        raise NoResult(said)


ConnectionString: TypeAlias = Annotated[str | None, literal(place_of)]


class SqlConfig(ProviderConfig):
    """Which database, and what to ask it.

    Attributes:
        dsn, url: the same: a connection string, as `sql_connection.place_of` takes it.
        query: one statement that gives rows.
        timeout_seconds: for the connection, and again for the query.
        ca_certificate: PEM; the server must show a certificate signed by one of these.
    """

    dsn: ConnectionString = Field(None, min_length=1, json_schema_extra=SECRET)
    url: ConnectionString = Field(None, min_length=1, json_schema_extra=SECRET)
    query: Annotated[str, literal(_check_query)] = Field(min_length=1)
    timeout_seconds: int = Field(10, ge=1, le=MAX_TIMEOUT_S)
    ca_certificate: Certificates = None

    @model_validator(mode="after")
    def _one(self) -> Self:  # noqa: N804  # after the fields, it is handed the model itself
        if (self.dsn is None) == (self.url is None):
            raise ValueError("give the connection string, as dsn or as url")
        return self

    @model_validator(mode="after")
    def _verifying(self, info: ValidationInfo) -> Self:  # noqa: N804  # after the fields, it is handed the model itself
        if is_as_written(info) and self.ca_certificate is not None and is_literal(self.given):
            try:
                place_of(self.given, self.ca_certificate)
            except NoResult as error:
                raise ValueError(str(error)) from None
        return self

    @property
    def given(self) -> str:
        """The connection string."""
        return self.dsn or self.url or ""


async def measure(config: SqlConfig, asking: Asking) -> Json:
    """Gives `ok`, `rows` (a list of `{column: value}`), `rowCount`, `value` (the first row's first column, where it is a number) and
    `duration` (ms); `truncated: true` where there were more rows; `noData: true` where there were none, or only one empty field, as
    aggregates of nothing give. What the database refuses is `ok: false` with `error` and `sqlState`.

    Raises: NoResult: no connection, or it was lost.
    """
    place = place_of(config.given, config.ca_certificate)
    redacted = Redacted([place.password, config.given])
    loop = asyncio.get_running_loop()
    async with connected(place, asking.outbound, timeout_s=float(config.timeout_seconds)) as connection:
        began = loop.time()
        try:
            async with asyncio.timeout(config.timeout_seconds + GRACE_S):
                result = await _rows(connection, config.query, config.timeout_seconds)
        except TimeoutError:
            raise NoResult(f"{place.shown()} did not answer within {config.timeout_seconds} s") from None
        except (psycopg.Error, UnicodeError) as error:
            result = _refusal(error, config.query, place.shown(), redacted)
        return {**result, "duration": round((loop.time() - began) * 1000)}


async def _rows(connection: Connection, query: str, timeout_s: int) -> Json:
    await connection.execute(f"BEGIN READ ONLY; SET LOCAL statement_timeout = {timeout_s * 1000:d}".encode())
    rows: list[Any] = []
    size = 0
    truncated = False
    # Postgres itself makes JSON of a row, by its own rules for every type, and keeps back what is too large to be read. What comes one by
    # one is sent by the protocol that takes a single statement and refuses more.
    stream = cast("AsyncGenerator[tuple[str | None]]", connection.cursor().stream(_wrapped(query).encode()))
    async with aclosing(stream) as told:
        async for (text,) in told:
            size += len(text.encode()) if text is not None else MAX_BYTES + 1
            if len(rows) == MAX_ROWS or size > MAX_BYTES:
                truncated = True
                break
            try:
                rows.append(orjson.loads(text or b""))
            except orjson.JSONDecodeError:
                return {"ok": False, "error": f"row {len(rows) + 1} holds a number that is too large"}
    if truncated and not rows:
        return {"ok": False, "error": f"a row is larger than {MAX_BYTES} bytes; select fewer columns"}
    return {"ok": True, "rows": rows, "rowCount": len(rows), **({"truncated": True} if truncated else {}), **_summed_up(rows)}


def _wrapped(query: str) -> str:
    """One row more than is kept tells that there are more. A line of its own ends a comment at the query's end."""
    asked = query.strip().rstrip(ENDING)
    rows = f"SELECT row_to_json(question)::text AS told FROM (\n{asked}\n) AS question LIMIT {MAX_ROWS + 1}"
    return f"SELECT CASE WHEN octet_length(told) <= {MAX_BYTES} THEN told END FROM ({rows}) AS telling"


def _summed_up(rows: list[Any]) -> Json:
    if not rows:
        return {"noData": True}
    first = next(iter(rows[0].values()), None)
    if isinstance(first, int | float) and not isinstance(first, bool):
        return {"value": first}
    # Postgres writes a number that is none as a text.
    nothing = len(rows) == 1 and len(rows[0]) <= 1 and first in (None, "NaN")
    return {"noData": True} if nothing else {}


def _refusal(error: psycopg.Error | UnicodeError, query: str, where: str, redacted: Redacted) -> Json:
    """What the database says of the question. Raises: NoResult: it did not come to that."""
    if isinstance(error, UnicodeError):
        return {"ok": False, "error": "a text can not be read as UTF-8"}
    state = error.sqlstate
    if state is None or state.startswith(GOING_AWAY):
        raise NoResult(f"the connection to {where} was lost: {' '.join(redacted.error(error).split())}") from None
    told = error.diag
    one = "Only one statement is asked" if isinstance(error, psycopg.errors.SyntaxError) and ";" in query else None
    texts = [text for text in (told.message_primary, told.message_detail, told.message_hint, one) if text]
    return {"ok": False, "error": redacted.text(". ".join(texts) or str(error))[:2000], "sqlState": state}


def _party(config: SqlConfig) -> str:
    """Host and port where they can be read; of a string that is still sealed, something that is the same for the same string."""
    try:
        place = place_of(config.given)
    except NoResult:
        return f"postgresql:{hashlib.sha256(config.given.encode()).hexdigest()[:16]}"
    return f"postgresql://{place.host}:{place.port}"


PROVIDER = Provider("sql", SqlConfig, measure, party=_party)
