"""Become another program whose life is tied to the process that started it.

Run as `python -I -S launch.py PARENT_PID SIGNAL ROOT_MODE COMMAND...`: give up root in the chosen way, ask the kernel for
SIGNAL when the parent dies, then replace this interpreter by the command. Being a program of its own, it needs no code between
fork and exec in the parent, which would not be safe beside threads. It imports only the standard library.

ROOT_MODE is `none` (stay who we are), `userns` (keep the files' owner, but be uid 65534 in a user namespace of our own) or
`UID:GID` (become that user, keeping of root's powers only the one to pass through folders that are closed to others).
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

NOBODY = 65534
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
# Reading and entering any folder is enough where it is allowed; containers often allow only the wider power.
CAP_DAC_READ_SEARCH = 2
CAP_DAC_OVERRIDE = 1


def main(arguments: list[str]) -> None:
    parent, death_signal, mode, *command = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    if mode == "userns":
        enter_user_namespace(libc)
    elif mode != "none":
        become_user(libc, *map(int, mode.split(":")))
    if sys.platform == "linux":
        # Only now, because changing credentials clears the setting.
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != int(parent):
        # The parent died before the kernel was asked to tell us, so nobody would ever stop this process.
        sys.exit("launch.py: the supervisor is gone")
    # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which stops its children in order.
    os.setsid()
    os.execv(command[0], command)


def enter_user_namespace(libc: ctypes.CDLL) -> None:
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        sys.exit(f"launch.py: no user namespace: {os.strerror(ctypes.get_errno())}")
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1", "ascii")


def become_user(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    kept = kept_capability()
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if kept is None:
        return
    bits = 1 << kept
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # Two words each of effective, permitted, inheritable; both capabilities lie in the low word.
    data = (ctypes.c_uint32 * 6)(bits, bits, bits, 0, 0, 0)
    if libc.capset(header, data) == 0:
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept, 0, 0)


def kept_capability() -> int | None:
    """Choose the smallest power this process has that lets it pass through a folder of mode 0700."""
    status = Path("/proc/self/status").read_text("ascii")
    permitted = int(status.split("CapPrm:")[1].split()[0], 16)
    return next((one for one in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if permitted >> one & 1), None)


if __name__ == "__main__":
    main(sys.argv[1:])
