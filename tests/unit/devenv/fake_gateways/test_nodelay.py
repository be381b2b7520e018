"""Connections that send at once."""

import socket

from devenv.fake_gateways.nodelay import set_nodelay


def test_only_the_connections_of_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        port = server.getsockname()[1]
        clients = [socket.create_connection(each.getsockname()) for each in (server, other)]
        accepted, _ = server.accept()
        assert set_nodelay(port) == 2
        at_once = [
            each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0 for each in (*clients, accepted)
        ]
        assert at_once == [True, False, True]
        for each in (*clients, accepted):
            each.close()
