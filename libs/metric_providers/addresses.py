"""Addresses of APIs as configurations give them; pure."""

from __future__ import annotations

from libs.metric_providers.port import NoResult


def with_scheme(text: str) -> str:
    """The address, one without a scheme being of HTTPS, without slashes at its end."""
    text = text.strip()
    return (text if "://" in text else f"https://{text}").rstrip("/")


def base_of(text: str, field: str) -> str:
    """The address that paths are appended to, for example `https://example.com/prefix`.

    Raises: NoResult: nothing can be appended to it.
    """
    base = with_scheme(text)
    if "://" not in base or any(sign in base for sign in "?#"):
        raise NoResult(f"{field} is no address of an API; write for example https://example.com, without ? and #")
    return base
