"""Ports: whether they are free, who holds one, and free ones for throw-away environments."""

import errno
import random
import socket
from pathlib import Path

import psutil

from account_alerts.config import PREFIX, Config
from account_alerts.model.errors import OperationError

CHAIN = frozenset({"kafka_port", "kafka_controller_port", "flink_rest_port", "flink_rpc_port"})
"""The ports of what is always started; the others are of ingestion and delivery."""

LISTENING = range(10_000, 32_768)
"""Below what Linux gives to outgoing connections (net.ipv4.ip_local_port_range) unless told otherwise."""


def check_free(config: Config, *, full: bool = False) -> None:
    """Raise a `OperationError` that names every port that is taken, its key, and who holds it."""
    taken = [
        f"port {port} (local.{key}) is taken{_holder(port)}. Stop that, or set another port: local.{key} in "
        f"{config.path}, or {PREFIX}LOCAL__{key.upper()}."
        for key, port in config.local_environment().ports().items()
        if (full or key in CHAIN) and not _is_free(port)
    ]
    if taken:
        raise OperationError("\n".join(taken))


def _is_free(port: int) -> bool:
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
        except OSError as error:
            # A machine without IPv6 says "address not available", which is nobody's fault.
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
    return True


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.pid
            if listens and connection.laddr and connection.laddr.port == port:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass  # Other users' processes are not ours to see.
    return ""


def throw_away(config: Config, state: Path) -> Config:
    """Return the same environment on free ports, with its state in another folder.

    The ports are none that the system gives to outgoing connections: one of those may have it by the time
    that the port is listened on.
    """
    keys = list(config.local_environment().ports())
    free = (port for port in random.sample(LISTENING, len(LISTENING)) if _is_free(port))
    ports = dict(zip(keys, free, strict=False))
    return config.override({"local": {**ports, "state_dir": str(state)}})
