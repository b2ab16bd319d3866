"""What can be wrong with a secret; never told with the secret itself."""

from __future__ import annotations

from typing import Literal, TypeAlias

Code: TypeAlias = Literal["malformed", "unknown", "forbidden", "unavailable", "broken", "masked", "too_large", "in_clear"]
"""`malformed`: no reference that we know. `unknown`: nothing of that name. `forbidden`: not to be read by a configuration. `unavailable`:
this installation keeps no such secrets. `broken`: sealed elsewhere, changed, or its key is gone. `masked`: a mask where no secret is known.
`too_large`. `in_clear`: a secret where nothing is sealed."""


class SecretProblem(Exception):
    """A reference that leads to no secret, or a configuration whose secrets can not be kept.

    Attributes:
        code: for programs.
        message: for people, without the path.
        path: where in the configuration, as keys and places in lists; empty for a text by itself.
    """

    def __init__(self, code: Code, message: str, path: tuple[str | int, ...] = ()) -> None:
        where = "/".join(map(str, path))
        super().__init__(f"{where}: {message}" if where else message)
        self.code = code
        self.message = message
        self.path = path

    def at(self, path: tuple[str | int, ...]) -> SecretProblem:
        """The same problem with the place where it was met."""
        return SecretProblem(self.code, self.message, path)
