"""Connecting to the queue's broker over AMQP 1.0, with TLS and a user where the configuration says so."""

from typing import Any

from proton import Connection, Link, SSLDomain, symbol
from proton.reactor import Container, LinkOption

from account_alerts.config.ingest import Bridge

_SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


class _Queue(LinkOption):
    """Says that the address is a queue's: IBM MQ takes it for a topic otherwise."""

    def apply(self, link: Link) -> None:
        """Write it where a link says what it wants of its address."""
        terminus = link.source if link.is_receiver else link.target
        terminus.capabilities.put_symbol(symbol("queue"))


QUEUE = _Queue()


def connect(container: Container, bridge: Bridge) -> Connection:
    """Begin to connect, once: coming back is the caller's business."""
    options: dict[str, Any] = {}
    if bridge.url.startswith("amqps"):
        domain = SSLDomain(SSLDomain.MODE_CLIENT)
        domain.set_trusted_ca_db(str(bridge.ca_file or _SYSTEM_AUTHORITIES))
        domain.set_peer_authentication(SSLDomain.VERIFY_PEER_NAME)
        options["ssl_domain"] = domain
    if bridge.username is not None and bridge.password is not None:
        options |= {
            "user": bridge.username.get_secret_value(),
            "password": bridge.password.get_secret_value(),
            "allowed_mechs": "PLAIN",
        }
    return container.connect(
        bridge.url, reconnect=False, heartbeat=bridge.heartbeat / 1000, allow_insecure_mechs=False, **options
    )
