"""Runs a server that refuses to be run by root, such as PostgreSQL, as somebody else who can reach its files.

`python unprivileged.py [--own FOLDER] COMMAND...`, by its path: it needs the standard library only, so it
stays small. Not as root, it only stands between the supervisor and the server.

As root, the server becomes `nobody`, who cannot pass through folders that are root's alone: a clone below
/root, a temporary folder. So it keeps the capability to pass through folders and open files (the right
CAP_DAC_OVERRIDE of capabilities(7)), which every root has, in a container too.

A SIGTERM, which PostgreSQL would answer by waiting for its clients to leave, is handed on as SIGINT: end now,
in order. The same happens to the server when this process dies.
"""

import argparse
import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _become(user: pwd.struct_passwd) -> None:
    """Become the user for good, with no right of root's but to pass through folders and open files."""
    _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    kept = 1 << _CAP_DAC_OVERRIDE
    header, data = _Header(_CAPABILITY_VERSION_3, 0), (_Data * 2)(_Data(kept, kept, kept))
    # Where a container's root lacks the right, both fail, and the server may still reach its files.
    _libc.capset(ctypes.byref(header), data)
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def main() -> int:
    """Run the command and stay with it; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--own", metavar="FOLDER", help="make it, and give it to the user the command runs as"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    if arguments.own:
        os.makedirs(arguments.own, mode=0o700, exist_ok=True)  # noqa: PTH103 - pathlib costs memory.
        if nobody:
            os.chown(arguments.own, nobody.pw_uid, nobody.pw_gid)
    parent = os.getpid()

    def prepare() -> None:
        if nobody:
            _become(nobody)
        # After the change of user, which clears it.
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    # A session of its own: signals to the supervisor's group are not for it, this process hands them on.
    server = subprocess.Popen(arguments.command, preexec_fn=prepare, start_new_session=True)

    def stop(number: int, frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            server.send_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return server.wait()


if __name__ == "__main__":
    sys.exit(main())
