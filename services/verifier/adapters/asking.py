"""Takes measurements: opens the secrets that a metric names, asks its provider, and takes the secrets out of whatever comes back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError

from contracts.shapes import Json
from libs.metric_providers import KNOWN, Asking, NoResult, Provider, fields_of_provider
from libs.metric_providers.known import told_by
from libs.metric_providers.literals import AS_WRITTEN
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.outbound.failures import CallFailed
from libs.runtime import clock
from libs.runtime.service import Intent, NotYet
from libs.secrets.hiding import hidden
from libs.secrets.problem import SecretProblem
from libs.secrets.redaction import Redacted
from libs.secrets.references import replaced
from libs.secrets.vault import Vault
from services.verifier.adapters.parties import Busy, Parties
from services.verifier.recording import is_deep

LONGEST_S: Final = 660.0
"""A question that takes longer is given up, whatever its provider thinks of time."""
DEEPEST: Final = 100
"""Levels of JSON that an answer may have: outcomes are handed on as JSON, and what can not be would be asked for ever."""
BUSY_S: Final = 0.1
"""Before a party is tried again that is asked as much as it may be."""

log_ = logging.getLogger("signalbox.verifier")


class Asker:
    """Performs verifier's intents. What goes wrong outside is an outcome with an `error`; nothing in an outcome is a secret that was used for it.

    Args:
        outbound: makes the calls; without it public addresses are called.
        vault: opens the secrets that a metric names; without it none are opened.
        providers: who can be asked, by type.
        parties: bounds how hard one of them is asked.
        now: the clock.
        longest_s: seconds after which a question is given up.
    """

    def __init__(
        self,
        outbound: Outbound | None = None,
        vault: Vault | None = None,
        *,
        providers: Mapping[str, Provider[Any]] = KNOWN,
        parties: Parties | None = None,
        now: Callable[[], datetime] = clock.now,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._asking = Asking(outbound or Outbound(AddressRules()), now)
        self._vault = vault
        self._providers = providers
        self._parties = parties or Parties()
        self._now = now
        self._longest_s = longest_s

    async def __call__(self, intent: Intent) -> Json | NotYet:
        """Take the measurement that an intent asks for.

        Returns: `asked`, `measured_at` (ISO 8601) and `result`, or `error` and perhaps `retry_after_s`; NotYet before it is due, and while its
            party is asked too much.
        """
        if intent.not_before is not None and (early_s := (intent.not_before - self._now()).total_seconds()) > 0:
            return NotYet(early_s)  # timers and clocks do not agree to the millisecond
        try:
            async with self._parties.turn(intent.lane):
                return await self._measured(intent.request)
        except Busy:
            return NotYet(BUSY_S)

    async def _measured(self, request: Json) -> Json:
        given = request["provider"]
        # References to variables and files stay readable; what is in clear where a secret belongs is no more recorded than what is sealed.
        shown, in_clear = hidden(given, fields_of_provider(given["type"]))
        told: Json = {"asked": shown}
        redacted = Redacted()
        try:
            filled, redacted = await self._opened(request)
            told["measured_at"] = self._now().isoformat()
            async with asyncio.timeout(self._longest_s):
                result = await self._result(filled, request.get("unfilled", {}))
        except SecretProblem as problem:
            told["error"] = f"a secret can not be opened: {problem.message}"
        except NoResult as nothing:
            told["error"] = in_clear.text(redacted.error(nothing))
            if nothing.retry_after_s is not None:
                told["retry_after_s"] = nothing.retry_after_s
        except CallFailed as failed:
            told["error"] = in_clear.text(redacted.error(failed))
        except TimeoutError:
            told["error"] = f"the {given.get('type')} provider gave no answer within {self._longest_s:g} s"
        else:
            told["result"] = redacted.json(result) if shown == given else in_clear.json(redacted.json(result))
        told.setdefault("measured_at", self._now().isoformat())
        return told

    async def _opened(self, request: Json) -> tuple[Json, Redacted]:
        """The configuration in clear, and what takes its secrets out again. Raises: SecretProblem; KeysUnavailable."""
        given, named = request["provider"], request["secrets"]
        if self._vault is None or not named:
            return given, Redacted()
        opened = await self._vault.opened(request["workspace_id"], named)
        values = {name: str(value) for name, value in zip(named, opened.config, strict=True)}
        # What a template brought into a text may look like a reference as well, and is left alone.
        return _filled(given, lambda text: replaced(text, lambda one: values.get(str(one), str(one)))), opened.redacted

    async def _result(self, given: Json, unfilled: Mapping[str, Sequence[str]]) -> Json:
        """What the provider answers.

        Args:
            unfilled: by the path of a text, the values of its templates that came to nothing.

        Raises: NoResult, CallFailed, TimeoutError.
        """
        provider = self._providers.get(given["type"])
        if provider is None:
            raise NoResult(f"there is no provider {given['type']!r}; there are {', '.join(sorted(self._providers))}")
        try:
            # Where a value is missing, what is wrong with a text is told by its path, so that the value can be named as well.
            config = provider.config.model_validate(given, context=AS_WRITTEN if unfilled else None)
        except ValidationError as error:
            raise NoResult(_wrong(error, unfilled)) from None
        try:
            result = await provider.measure(config, self._asking)
        except (NoResult, CallFailed, TimeoutError):
            raise
        except Exception as error:
            # Our own fault, and no reason to ask again every second for ever: it counts as a question without a result.
            log_.exception("a provider broke", extra={"provider": given["type"]})
            raise NoResult(f"the {given['type']} provider broke ({type(error).__name__}); the service's log says where") from None
        if isinstance(result.get("body"), str):
            # The body as JSON is made again from its text, which is all that is kept with the decision.
            result = {key: value for key, value in result.items() if key != "json"}
        if is_deep(result, DEEPEST):
            raise NoResult(
                f"the {given['type']} provider's answer has more than {DEEPEST} levels, which is too deep to be judged"
            )
        return result


def _filled(value: Any, fill: Callable[[str], str]) -> Any:
    match value:
        case str():
            return fill(value)
        case dict():
            return {key: _filled(inner, fill) for key, inner in value.items()}
        case list():
            return [_filled(inner, fill) for inner in value]
        case _:
            return value


def _wrong(error: ValidationError, unfilled: Mapping[str, Sequence[str]]) -> str:
    """What is wrong with a configuration, without what was sent, and which values are missing there."""
    return "; ".join(_said(path, message, unfilled.get(path, ())) for path, message in islice(told_by(error), 5))


def _said(path: str, message: str, missing: Sequence[str]) -> str:
    told = f"{path}: {message}" if path else message
    return f"{told} ({', '.join(missing)} came to nothing: is the value there?)" if missing else told
