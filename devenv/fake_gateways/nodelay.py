"""TCP_NODELAY for connections that a library opens itself.

smpp34 opens its sockets in compiled code (Rust), and neither takes a socket nor has an option or a hook for
one: nothing of it can be subclassed. Until it has, the option is set from outside, on the open sockets of
this process. Without it the kernel holds a small write back while an earlier one is not acknowledged (Nagle's
algorithm, RFC 896), and the other side delays its acknowledgement by 40 ms: every tenth SMS would wait.
"""

import logging
import os
import socket
import stat
from pathlib import Path

_log = logging.getLogger(__name__)
_OPEN_FILES = Path("/dev/fd")


def set_nodelay(port: int) -> int:
    """Set TCP_NODELAY on this process's connections from and to a port; returns on how many.

    Never raises: where it cannot be set, messages are slower.
    """
    try:
        descriptors = [int(file.name) for file in _OPEN_FILES.iterdir()]
    except OSError as error:
        _log.warning("small messages may wait 40 ms: %s", error)
        return 0
    return sum(_set(descriptor, port) for descriptor in descriptors)


def _set(descriptor: int, port: int) -> bool:
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        with socket.socket(fileno=os.dup(descriptor)) as duplicate:
            if port not in (duplicate.getsockname()[1:2] + duplicate.getpeername()[1:2]):
                return False
            duplicate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, TypeError):  # No connection, or not one of TCP; or the library has closed it meanwhile.
        return False
    return True
