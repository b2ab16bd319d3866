"""Which fields of a configuration hold secrets: those that the agent type's model names, and those whose name says so; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

Path = tuple[str | int, ...]

_SECRET: Final = re.compile(
    r"(?:.*(?:password|passwd|pwd|passphrase|secret|secrets|token|apikey|appkey|applicationkey|privatekey|secretkey|accesskey|signingkey|sshkey|sharedkey|"
    r"encryptionkey|connectionstring|dsn|credential|credentials|kubeconfig)|authorization|proxyauthorization|cookie)"
)
_PAGES: Final = frozenset({"pagetoken", "nextpagetoken", "nexttoken", "continuationtoken"})
_SEPARATORS: Final = re.compile(r"[\s_.\-]+")


def sounds_secret(name: str) -> bool:
    """Whether a field's name says that it holds a secret: `password`, `API_KEY`, `webhook-secret`, `X-Auth-Token` …

    The end of a name says what it is: `tokenUrl`, `secretName`, `secretRef` and `privateKeyPath` are no secrets.
    """
    plain = _SEPARATORS.sub("", name).lower()
    return plain not in _PAGES and _SECRET.fullmatch(plain) is not None


@dataclass(frozen=True, slots=True)
class SecretFields:
    """Which values to seal.

    Attributes:
        names: fields of these very names, wherever they are.
        paths: fields at these places; `*` stands for any key or place in a list.
        by_name: also those whose name sounds secret. Known types want this too, because they ignore fields that they do not know,
            and such a field may hold a secret all the same.
    """

    names: frozenset[str] = frozenset()
    paths: frozenset[tuple[str, ...]] = frozenset()
    by_name: bool = True

    @classmethod
    def of(cls, *fields: str, by_name: bool = True) -> Self:
        """From names (`apiKey`) and dotted paths (`authentication.oauth2.clientSecret`, `headers.*.value`)."""
        split = [tuple(field.split(".")) for field in fields]
        return cls(frozenset(one[0] for one in split if len(one) == 1), frozenset(one for one in split if len(one) > 1), by_name)

    def has(self, path: Path, siblings: Mapping[str, Any] | None = None) -> bool:
        """Whether the value at a path is a secret.

        Args:
            path: from the root; its last part is the field's key.
            siblings: the object that the field is in: in `{"key": "Authorization", "value": …}` one field names what the other holds.
        """
        last = path[-1] if path else None
        if isinstance(last, str):
            if last in self.names or (self.by_name and sounds_secret(last)):
                return True
            if self.by_name and siblings is not None and last.lower() == "value" and _named_secret(siblings):
                return True
        return any(_fits(pattern, path) for pattern in self.paths)


def _named_secret(siblings: Mapping[str, Any]) -> bool:
    labels: Iterable[Any] = (value for key, value in siblings.items() if key.lower() in ("key", "name"))
    return any(isinstance(label, str) and sounds_secret(label) for label in labels)


def _fits(pattern: tuple[str, ...], path: Path) -> bool:
    return len(pattern) == len(path) and all(want in ("*", str(is_)) for want, is_ in zip(pattern, path, strict=True))
