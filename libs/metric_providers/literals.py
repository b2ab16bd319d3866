"""What texts that somebody wrote out can never be, told when a configuration is saved and not when it is asked; pure.

A text with a template, a reference to a secret or a mask in it is whatever these come to. Whether that can be asked shows when it is asked, and
so it does for everything by then: checks apply where a configuration is validated with `AS_WRITTEN` as its context.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, ValidationInfo

from libs.metric_providers.addresses import base_of
from libs.metric_providers.port import NoResult
from libs.outbound.failures import NoWay
from libs.outbound.wire import checked_url, header_name, header_value
from libs.secrets.references import MASK

AS_WRITTEN: Final[Mapping[str, bool]] = {"as_written": True}
"""Context of a validation that looks at what texts say."""

_FILLED_IN: Final = ("{{", "${secret", MASK)
_SCHEME: Final = re.compile(r"https?:", re.IGNORECASE)


def is_literal(text: str | None) -> bool:
    """Whether a text is what will be asked, and nothing is filled in before."""
    return text is not None and not any(sign in text for sign in _FILLED_IN)


def is_as_written(info: ValidationInfo) -> bool:
    """Whether a configuration is looked at that somebody saves."""
    context: Mapping[str, Any] = info.context or {}
    return bool(context.get("as_written"))


def literal(check: Callable[[str], object], *, filled_in: bool = True) -> AfterValidator:
    """Checks a text that is literal. None is left alone.

    Args:
        check: raises NoResult, NoWay or ValueError, whose message must not repeat the text where that is a secret.
        filled_in: whether templates and references to secrets are understood there at all.
    """

    def checked(text: str | None, info: ValidationInfo) -> str | None:
        if text is not None and is_as_written(info) and (is_literal(text) or not filled_in):
            try:
                check(text)
            except (NoResult, NoWay) as error:
                raise ValueError(str(error)) from None
        return text

    return AfterValidator(checked)


def check_address(text: str) -> None:
    """An address that can be called as it stands. Raises: ValueError, NoWay."""
    if text != text.strip():
        raise ValueError("there are blanks around the address; take them away")
    if _SCHEME.match(text) is None:
        raise ValueError("the address must begin with http:// or https://, for example https://example.com/health")
    checked_url(text)


def check_server(text: str) -> None:
    """An address that paths are appended to, of https where it does not say. Raises: NoResult, NoWay."""
    checked_url(base_of(text, "it"))


def check_header_name(text: str) -> None:
    """Raises: NoWay."""
    header_name(text.lower())


def check_header_value(text: str) -> None:
    """Says nothing of what is in it, since it may be a secret. Raises: ValueError."""
    try:
        header_value("", text)
    except NoWay:
        raise ValueError("a header can not hold a line break or another control character; take it away") from None


def check_certificates(text: str) -> None:
    """At least one certificate in PEM; an empty text stands for none. Raises: ValueError."""
    if not text:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError, TypeError):
        raise ValueError(
            "no certificate can be read there; it must be PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
        ) from None


Address: TypeAlias = Annotated[str, literal(check_address)]
"""What is called as it stands."""
ServerAddress: TypeAlias = Annotated[str, literal(check_server)]
"""What paths are appended to; of https where it does not say."""
HeaderName: TypeAlias = Annotated[str, literal(check_header_name)]
"""The name of a header to send."""
HeaderValue: TypeAlias = Annotated[str, literal(check_header_value)]
"""What a header is to say, or what goes into one, such as a token."""
Certificates: TypeAlias = Annotated[str | None, literal(check_certificates)]
"""Certificates in PEM, or none."""
