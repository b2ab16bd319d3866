"""Configurations with secrets in them: sealed for the log, masked for whoever reads them, merged when a mask comes back; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from libs.secrets.fields import Path, SecretFields
from libs.secrets.problem import SecretProblem
from libs.secrets.references import MASK, MAX_DEPTH, Reference, masked_text, references
from libs.secrets.sealing import SecretBox

_IDENTITIES: Final = ("id", "name", "key")


def texts(config: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text of a configuration with its path; keys are none."""
    _not_too_deep(path)
    if isinstance(config, str):
        yield path, config
    elif isinstance(config, Mapping):
        for key, value in config.items():
            yield from texts(value, (*path, key))
    elif isinstance(config, Sequence):
        for place, value in enumerate(config):
            yield from texts(value, (*path, place))


def references_of(config: Any) -> tuple[Reference, ...]:
    """Every reference in a configuration, in order, each once.

    Raises: SecretProblem: `malformed`, with the path.
    """
    found: dict[Reference, None] = {}
    for path, text in texts(config):
        try:
            found |= dict.fromkeys(references(text))
        except SecretProblem as problem:
            raise problem.at(path) from None
    return tuple(found)


def clear_secrets(config: Any, fields: SecretFields) -> tuple[Path, ...]:
    """The paths of secrets that stand in clear: what `sealed` would seal."""
    found: list[Path] = []

    def note(path: Path, value: str | float) -> Any:
        found.append(path)
        return value

    _sealing(config, fields, note, (), secret=False, siblings=None)
    return tuple(found)


def sealed(config: Any, fields: SecretFields, box: SecretBox) -> Any:
    """The configuration as it may be recorded: secrets in clear are sealed, references stay as they are.

    A secret field with lists or objects in it has all texts and numbers in them sealed. Empty texts, truth values and null hide nothing.

    Raises: SecretProblem: with the path: `masked` (merge it back first), `broken` (a sealed text that is not this workspace's),
        `malformed`, `too_large`.
    """
    for path, text in texts(config):
        try:
            found = references(text)
            for one in found:
                if one.kind == "sealed":
                    box.open(one.name)
        except SecretProblem as problem:
            raise problem.at(path) from None
        if MASK in text:
            raise _unknown_mask(path)

    def seal(path: Path, value: str | float) -> Any:
        try:
            return str(box.seal(value))
        except SecretProblem as problem:
            raise problem.at(path) from None

    return _sealing(config, fields, seal, (), secret=False, siblings=None)


def masked(config: Any) -> Any:
    """The configuration as it may be shown: `••••••` for what is sealed, other references as they are."""
    return _masked(config, 0)


def merged_back(new: Any, known: Any) -> Any:
    """The configuration that a client means when it sends back masks that it was shown: each is what it stood for.

    Args:
        new: as it was sent.
        known: as it is recorded, sealed; None when nothing is.

    In lists a mask finds its secret by the same element elsewhere, by `id`, `name` or `key`, or by the same place in a list that is as long as before.

    Raises: SecretProblem: `masked`, with the path of a mask behind which no secret is known.
    """
    return _merged(new, known, ())


def _merged(new: Any, known: Any, path: Path) -> Any:
    _not_too_deep(path)
    if isinstance(new, str):
        if MASK not in new:
            return new
        if isinstance(known, str) and masked_text(known) == new:
            return known
        raise _unknown_mask(path)
    if isinstance(new, Mapping):
        old = known if isinstance(known, Mapping) else {}
        return {key: _merged(value, old.get(key), (*path, key)) for key, value in new.items()}
    if isinstance(new, Sequence):
        old_list = known if isinstance(known, Sequence) and not isinstance(known, str) else ()
        lost = _Counterparts(old_list, len(new))
        return [_merged(value, lost.of(value, place), (*path, place)) for place, value in enumerate(new)]
    return new


def _masked(config: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return MASK  # nothing so deep was ever sealed by us
    if isinstance(config, str):
        return masked_text(config)
    if isinstance(config, Mapping):
        return {key: _masked(value, depth + 1) for key, value in config.items()}
    if isinstance(config, Sequence):
        return [_masked(value, depth + 1) for value in config]
    return config


class _Counterparts:
    """Which element of a recorded list an element of a new one goes back to, without comparing each with each.

    Args:
        known: the recorded list.
        length: of the new one.
    """

    def __init__(self, known: Sequence[Any], length: int) -> None:
        self._known = known
        self._same_length = len(known) == length
        self._shown: list[bytes] | None = None
        self._places: dict[object, list[int]] = {}

    def of(self, value: Any, place: int) -> Any:
        """The recorded element; None when there is none for certain."""
        if not any(MASK in text for _, text in texts(value)):
            return None
        if self._shown is None:
            self._shown = self._index()
        shape = _shape(value)
        if place < len(self._shown) and self._shown[place] == shape:
            return self._known[place]
        if same := self._places.get(shape):
            return self._known[same[0]] if len(same) == 1 else None
        for identity in _IDENTITIES if isinstance(value, Mapping) else ():
            if identity in value:
                alike = self._places.get((identity, _shape(value[identity])), ())
                return self._known[alike[0]] if len(alike) == 1 else None
        return self._known[place] if self._same_length else None

    def _index(self) -> list[bytes]:
        shown = [_shape(masked(one)) for one in self._known]
        for place, one in enumerate(self._known):
            self._places.setdefault(shown[place], []).append(place)
            for identity in _IDENTITIES if isinstance(one, Mapping) else ():
                if identity in one:
                    self._places.setdefault((identity, _shape(one[identity])), []).append(place)
        return shown


def _shape(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


Seal = Callable[[Path, str | float], Any]


def _sealing(
    value: Any, fields: SecretFields, seal: Seal, path: Path, *, secret: bool, siblings: Mapping[str, Any] | None
) -> Any:
    _not_too_deep(path)
    secret = secret or fields.has(path, siblings)
    if isinstance(value, Mapping):
        return {key: _sealing(one, fields, seal, (*path, key), secret=secret, siblings=value) for key, one in value.items()}
    if isinstance(value, str):
        return seal(path, value) if secret and value and not _references_at(path, value) else value
    if isinstance(value, Sequence):
        return [_sealing(one, fields, seal, (*path, place), secret=secret, siblings=None) for place, one in enumerate(value)]
    if secret and isinstance(value, int | float) and not isinstance(value, bool):
        return seal(path, value)
    return value


def _references_at(path: Path, text: str) -> tuple[Reference, ...]:
    try:
        return references(text)
    except SecretProblem as problem:
        raise problem.at(path) from None


def _not_too_deep(path: Path) -> None:
    if len(path) > MAX_DEPTH:
        raise SecretProblem("too_large", f"the configuration has more than {MAX_DEPTH} levels", path)


def _unknown_mask(path: Path) -> SecretProblem:
    return SecretProblem(
        "masked", f"{MASK} stands for a secret that is not known here; enter the secret itself or a reference to it", path
    )
