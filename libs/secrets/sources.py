"""Secrets that live outside: in variables and files that an operator set aside for configurations, and nowhere else.

Who may write a configuration may have its secrets sent anywhere, so a reference must not reach anything that was not meant for it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

from libs.secrets.problem import SecretProblem
from libs.secrets.references import Reference

ENV_PREFIX: Final = "SIGNALBOX_SECRET_"
DIR_SETTING: Final = "SIGNALBOX_SECRETS_DIR"
KEY_SETTING: Final = "SIGNALBOX_SECRET_KEY_FILE"
MAX_FILE_BYTES: Final = 64 * 1024

_OURS: Final = frozenset({KEY_SETTING, "SIGNALBOX_SECRET_KEY"})
"""Begin as secrets do, and say where our own key is."""

_ENV_NAME: Final = re.compile(r"SIGNALBOX_SECRET_[A-Za-z0-9_]{1,200}")
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,199}")


class Sources:
    """Reads variables and files at each use, so that a changed secret needs no restart.

    Args:
        environment: the variables.
        folder: where files are; one that belongs to a single workspace is in a folder of the workspace's id in it. None: nowhere.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path | None) -> None:
        self._environment = environment
        self._folder = folder

    def text(self, workspace_id: str, reference: Reference) -> str:
        """The secret that a reference of kind `env` or `file` means.

        Raises: SecretProblem: `forbidden`, `unknown`, `unavailable`, `too_large`, `malformed`.
        """
        assert reference.kind in ("env", "file"), "what is sealed is opened with the workspace's key"
        return self._variable(reference.name) if reference.kind == "env" else self._file(workspace_id, reference.name)

    def _variable(self, name: str) -> str:
        if not _ENV_NAME.fullmatch(name) or name in _OURS:
            raise SecretProblem(
                "forbidden",
                f"the variable {name[:100]!r} can not be read: only those whose names begin with {ENV_PREFIX} are for secrets",
            )
        value = self._environment.get(name)
        if value is None:
            raise SecretProblem("unknown", f"there is no variable {name} in the environment of the service")
        return value

    def _file(self, workspace_id: str, name: str) -> str:
        if not _FILE_NAME.fullmatch(name):
            raise SecretProblem(
                "forbidden",
                f"{name[:100]!r} is no plain file name; a reference names a file in the folder of {DIR_SETTING}, without a path",
            )
        if self._folder is None:
            raise SecretProblem("unavailable", f"there are no secrets in files here: an operator sets {DIR_SETTING}")
        # UUID() makes the folder's name ours whatever was passed in.
        for folder in (self._folder / str(UUID(workspace_id)), self._folder):
            try:
                return _content(folder, name)
            except FileNotFoundError:
                continue
            except (OSError, RuntimeError) as error:
                raise SecretProblem("unavailable", f"the file {name} can not be read ({type(error).__name__})") from None
        raise SecretProblem("unknown", f"there is no file {name} in the folder of {DIR_SETTING}")


def _content(folder: Path, name: str) -> str:
    """The text of a file in a folder, less one line break at its end. Raises: OSError; RuntimeError for links in a circle; SecretProblem."""
    # Links inside the folder are usual (Kubernetes mounts secrets so); one that leads out of it is not followed.
    home, path = folder.resolve(strict=True), (folder / name).resolve(strict=True)
    if not path.is_relative_to(home):
        raise SecretProblem("forbidden", f"the file {name} is a link to a place outside its folder")
    # Without waiting: opening a pipe would otherwise last until somebody writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SecretProblem("forbidden", f"{name} is no file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(raw) > MAX_FILE_BYTES:
        raise SecretProblem("too_large", f"the file {name} has more than {MAX_FILE_BYTES} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise SecretProblem("malformed", f"the file {name} is no UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r")
