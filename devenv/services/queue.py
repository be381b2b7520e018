"""The local message queue: Artemis with an AMQP 1.0 acceptor, on this machine only."""

import shlex
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from account_alerts import installation
from account_alerts.config import Config
from devenv.layout import Layout
from devenv.services import java

if TYPE_CHECKING:
    from operations.queue import Status

# A message is tried for ever: a bridge that is killed again and again must not cost a booking. A disk that is
# nearly full is no reason to stop before it is, and a process that was paused is none to halt the broker.
_BROKER = """\
<configuration xmlns="urn:activemq">
  <core xmlns="urn:activemq:core">
    <name>queue</name>
    <persistence-enabled>true</persistence-enabled>
    <security-enabled>false</security-enabled>
    <jmx-management-enabled>false</jmx-management-enabled>
    <management-address>{management}</management-address>
    <journal-type>NIO</journal-type>
    <journal-min-files>2</journal-min-files>
    <journal-pool-files>4</journal-pool-files>
    <journal-directory>{data}/journal</journal-directory>
    <bindings-directory>{data}/bindings</bindings-directory>
    <large-messages-directory>{data}/large</large-messages-directory>
    <paging-directory>{data}/paging</paging-directory>
    <max-disk-usage>-1</max-disk-usage>
    <critical-analyzer>false</critical-analyzer>
    <acceptors>
      <acceptor name="amqp">tcp://localhost:{port}?protocols=AMQP;amqpMinLargeMessageSize=-1</acceptor>
    </acceptors>
    <addresses>
      <address name="{address}"><anycast><queue name="{address}"/></anycast></address>
      <address name="{dead}"><anycast><queue name="{dead}"/></anycast></address>
    </addresses>
    <address-settings>
      <address-setting match="#">
        <dead-letter-address>{dead}</dead-letter-address>
        <expiry-address>{dead}</expiry-address>
        <max-delivery-attempts>-1</max-delivery-attempts>
        <redelivery-delay>0</redelivery-delay>
        <max-size-bytes>64MB</max-size-bytes>
        <address-full-policy>PAGE</address-full-policy>
        <auto-create-queues>false</auto-create-queues>
        <auto-create-addresses>false</auto-create-addresses>
      </address-setting>
    </address-settings>
  </core>
</configuration>
"""
_MAIN = "org.apache.activemq.artemis.core.server.embedded.Main"


def write(config: Config, layout: Layout) -> str:
    """Write the broker's configuration; return the shell command that runs it."""
    from operations.queue import DEAD_LETTERS  # It loads the AMQP client, which takes a while.

    bridge, folder = config.require("bridge"), layout.queue
    etc = folder / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    values = {
        "management": bridge.management or "",
        "data": folder / "data",
        "port": config.local_environment().queue_port,
        "address": bridge.address,
        "dead": bridge.address + DEAD_LETTERS,
    }
    text = _BROKER.format(**{key: escape(str(value), {'"': "&quot;"}) for key, value in values.items()})
    (etc / "broker.xml").write_text(text)
    command = [
        *(*installation.java("queue"), "-Xms64m", "-Xmx256m", *java.options(config, "-XX:+UseG1GC")),
        *(f"-Djava.io.tmpdir={layout.tmp}", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
        *(
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-cp",
            f"{installation.JARS}/queue/*",
            _MAIN,
            str(folder),
        ),
    ]
    return f"exec {shlex.join(command)}"


def ready(config: Config) -> bool:
    """Tell whether the queue can be asked for its depth."""
    return status(config) is not None


def status(config: Config) -> "Status | None":
    """Return how the queue is; None while it cannot be asked."""
    from operations import queue  # It loads the AMQP client, which takes a while.

    return queue.status(config.require("bridge"))


def where(config: Config) -> str:
    """Return the queue's address."""
    bridge = config.require("bridge")
    return f"{bridge.url}/{bridge.address}"
