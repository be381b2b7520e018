"""What a library leaves unset on its connections, and gives no way to set."""

import os
import socket

import psutil


def send_at_once(port: int) -> int:
    """Let this process's TCP connections from and to a port send what is written at once; returns how many.

    By default the kernel holds a small write back while an earlier one is not acknowledged (Nagle's
    algorithm, RFC 896), and the other side puts its acknowledgement off for 40 ms: every tenth SMS would wait
    so long.
    """
    connections = [
        connection
        for connection in psutil.Process().net_connections("tcp")
        if connection.raddr and port in (connection.laddr.port, connection.raddr.port) and connection.fd >= 0
    ]
    for connection in connections:
        with socket.socket(fileno=os.dup(connection.fd)) as duplicate:
            duplicate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return len(connections)
