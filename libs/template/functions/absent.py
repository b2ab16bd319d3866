"""Functions that Go, Sprig or Helm have and templates here have not, each with its reason."""

from __future__ import annotations

from typing import Final

_CLOCK: Final = "a template renders the same whenever it is rendered; take a time from the context, such as .version.createdAt"
_CHANCE: Final = "a template renders the same whenever it is rendered; pass a random value in as a variable"
_ENVIRONMENT: Final = "templates do not see the environment of the server; pass the value in as a variable"
_NETWORK: Final = "templates reach no network; pass the value in as a variable"
_KEYS: Final = "templates make no keys and keep no secrets; refer to a secret that exists"
_FILES: Final = "templates read no files"
_HELM: Final = "it belongs to Helm"

_REASONS: Final[dict[str, tuple[str, ...]]] = {
    _CLOCK: ("now", "ago"),
    _CHANCE: ("randAlpha", "randAlphaNum", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle", "uuidv4"),
    _ENVIRONMENT: ("env", "expandenv"),
    _NETWORK: ("getHostByName",),
    _KEYS: (
        "bcrypt", "htpasswd", "derivePassword", "genPrivateKey", "buildCustomCert", "genCA", "genCAWithKey", "genSelfSignedCert",
        "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "encryptAES", "decryptAES",
    ),
    _FILES: ("readFile", "osBase", "osDir", "osExt", "osClean", "osIsAbs"),
    f"{_HELM}; write {{{{template \"name\" .}}}}": ("include", "tpl"),
    f"{_HELM}; pass the value in as a variable": ("lookup",),
    "values of the context have no functions to call": ("call",),
}  # fmt: skip

_REASON_OF: Final = {name: reason for reason, names in _REASONS.items() for name in names}


def why_absent(name: str) -> str | None:
    """Why a known function is not here, and what to do instead; None for a name that nobody knows."""
    return _REASON_OF.get(name)
