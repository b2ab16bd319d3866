"""`Vault`: what services do with the secrets of a workspace's configurations: seal before recording, open for a call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from libs.secrets.addresses import none_in_clear
from libs.secrets.config import clear_secrets, masked, merged_back, references_of, sealed, texts
from libs.secrets.fields import Path, SecretFields
from libs.secrets.keys import SecretKeys
from libs.secrets.problem import SecretProblem
from libs.secrets.redaction import Redacted
from libs.secrets.references import MASK, SEALED, Reference, replaced, whole
from libs.secrets.sealing import SecretBox
from libs.secrets.sources import KEY_SETTING, Sources

MAX_REFERENCES: Final = 200
MAX_FILLED: Final = 1024 * 1024
"""Characters of secrets that are filled in, all together: naming a large one many times must not fill the memory."""


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A configuration in clear, for a call and for nothing else.

    Attributes:
        config: with every secret filled in.
        redacted: takes these secrets out of whatever the call answers.
    """

    config: Any
    redacted: Redacted


class Vault:
    """The secrets of all workspaces.

    Args:
        sources: variables and files.
        keys: None where no master key is configured: then nothing can be sealed or opened, and references to variables and files work.
        remembered_s: so long a key that opened something opens more without being looked up; one that was destroyed meanwhile, too.
        ticks: seconds, only going forward.
    """

    def __init__(
        self,
        sources: Sources,
        keys: SecretKeys | None,
        *,
        remembered_s: float = 0.0,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = sources
        self._keys = keys
        self._remembered_s = remembered_s
        self._ticks = ticks
        self._boxes: dict[str, tuple[SecretBox, float]] = {}

    async def sealed(self, workspace_id: str, config: Any, fields: SecretFields, *, known: Any = None) -> Any:
        """The configuration as it may be recorded.

        Args:
            config: as a client sent it: secrets in clear, references, or masks of what it was shown.
            known: the configuration that is recorded now, which masks go back to.

        Raises: SecretProblem: with the path; also `in_clear` for a password inside of an address, where that is not sealed as a whole.
            KeysUnavailable.
        """
        if any(MASK in text for _, text in texts(config)):
            config = merged_back(config, known)
        kept = any(one.kind == "sealed" for one in references_of(config))
        if kept or clear_secrets(config, fields):
            if self._keys is None:
                raise _no_keys()
            config = sealed(config, fields, SecretBox(workspace_id, await self._keys.making(workspace_id)))
        none_in_clear(config)
        return config

    async def opened(self, workspace_id: str, config: Any) -> Opened:
        """The configuration with every reference replaced by its secret.

        Raises: SecretProblem: with the path. KeysUnavailable.
        """
        found = references_of(config)
        if len(found) > MAX_REFERENCES:
            raise SecretProblem("too_large", f"the configuration names {len(found)} secrets, at most {MAX_REFERENCES} are opened")
        box = await self._box(workspace_id) if any(one.kind == "sealed" for one in found) else None
        values: dict[Reference, str | int | float | SecretProblem] = {}
        for one in found:
            try:
                values[one] = box.open(one.name) if one.kind == "sealed" and box else self._sources.text(workspace_id, one)
            except SecretProblem as problem:
                values[one] = problem
        clear = _Filling(values).filled(config, ())
        return Opened(clear, Redacted(str(value) for value in values.values()))

    async def unsealed(self, workspace_id: str, config: Any) -> Any:
        """The configuration as it was sent: what is sealed in clear, references to variables and files as they are.

        For whoever may write the configuration, and for nothing that is kept. What can not be opened (any more) is masked, so that the rest
        can still be read.

        Raises: KeysUnavailable.
        """
        if not any(SEALED in text for _, text in texts(config)):
            return config
        try:
            box = await self._box(workspace_id)
        except SecretProblem:
            return masked(config)
        return _unsealed(config, box)

    async def _box(self, workspace_id: str) -> SecretBox:
        if self._keys is None:
            raise _no_keys()
        now = self._ticks()
        known = self._boxes.get(workspace_id)
        if known is not None and now < known[1]:
            return known[0]
        self._boxes = {one: kept for one, kept in self._boxes.items() if now < kept[1]}
        key = await self._keys.existing(workspace_id)
        if key is None:
            raise SecretProblem("broken", "the key of this workspace's secrets is gone; enter the secrets again")
        box = SecretBox(workspace_id, key)
        if self._remembered_s > 0:
            self._boxes[workspace_id] = (box, now + self._remembered_s)
        return box


def _unsealed(config: Any, box: SecretBox) -> Any:
    if isinstance(config, str):
        alone = whole(config)
        return _clear(alone, box) if alone is not None else replaced(config, lambda one: str(_clear(one, box)))
    if isinstance(config, Mapping):
        return {key: _unsealed(one, box) for key, one in config.items()}
    if isinstance(config, Sequence):
        return [_unsealed(one, box) for one in config]
    return config


def _clear(reference: Reference, box: SecretBox) -> str | int | float:
    if reference.kind != "sealed":
        return str(reference)
    try:
        return box.open(reference.name)
    except SecretProblem:
        return MASK


class _Filling:
    """Puts secrets in the place of their references."""

    def __init__(self, values: Mapping[Reference, str | int | float | SecretProblem]) -> None:
        self._values = values
        self._room = MAX_FILLED

    def filled(self, config: Any, path: Path) -> Any:
        if isinstance(config, str):
            alone = whole(config)
            return self._value(alone, path) if alone else replaced(config, lambda one: str(self._value(one, path)))
        if isinstance(config, Mapping):
            return {key: self.filled(one, (*path, key)) for key, one in config.items()}
        if isinstance(config, Sequence):
            return [self.filled(one, (*path, place)) for place, one in enumerate(config)]
        return config

    def _value(self, reference: Reference, path: Path) -> str | int | float:
        value = self._values[reference]
        if isinstance(value, SecretProblem):
            raise value.at(path)
        self._room -= len(value) if isinstance(value, str) else 0
        if self._room < 0:
            raise SecretProblem(
                "too_large", f"the secrets of the configuration have more than {MAX_FILLED} characters together", path
            )
        return value


def _no_keys() -> SecretProblem:
    return SecretProblem(
        "unavailable",
        f"secrets can not be sealed or opened here: an operator sets {KEY_SETTING}; until then write ${{secret:env:NAME}} or "
        "${secret:file:NAME}",
    )
