"""What can go wrong with a call, told by the one thing its caller must know: can the other side have received it?"""

from __future__ import annotations

from typing import Literal, TypeAlias

Reason: TypeAlias = Literal["request", "address", "name", "refused", "tls", "timeout", "cut", "protocol", "redirect"]
"""`request`: its address, method or headers can not be sent. `address`: not allowed to be called. `name`: has no address. `refused`:
nobody listens there, or no way leads there. `tls`: no secure connection. `timeout`. `cut`: the connection ended. `protocol`: what came
back is no HTTP. `redirect`: it leads nowhere, in a circle, or where we do not follow."""


class CallFailed(Exception):
    """No usable answer came. Its text is for people and holds neither query nor credentials of the address.

    Attributes:
        reason: for programs.
        status: the status that had come before it failed, if one had.
    """

    def __init__(self, reason: Reason, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status


class NotSent(CallFailed):
    """Nothing of the request was written: the call may be made again without any thought."""


class PerhapsSent(CallFailed):
    """The request began to be written, so its effect may have happened: look before making the call again."""


class NoWay(Exception):
    """No connection can be had; raised inside, where it is not known yet which request that ends."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class NotJson(ValueError):
    """An answer came, but it is no JSON."""
