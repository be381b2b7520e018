"""The skeleton of a service: command line, configuration, log, signals, metrics and health, exit status.

A service is a function of a `Service`; its `__main__` is

    def main(service: Service) -> None:
        section = service.config.require("bridge")
        service.serve(section.metrics_port, ready=lambda: bridge.connected)
        service.on_stop(bridge.stop)
        bridge.run()

    if __name__ == "__main__":
        sys.exit(run(main, "python -m ingest.bridge", "One bridge; several may share a queue."))

Every service has the options `--config` and `--metrics-port`; others come by `add_options` and stand in
`service.options`. It ends when `main` returns; `service.fail` has it end where it can never do its work
again. SIGTERM and SIGINT set `service.stop`, and call what `on_stop` was given; in asyncio hand in
`lambda: loop.call_soon_threadsafe(event.set)`. Metrics are made in `service.registry`
(`metrics.BRIDGE_BOOKINGS.create(service.registry)`).

`serve` opens one port: `/metrics` for Prometheus, `/healthz` (200 while the process runs), `/readyz` (200
while `ready()`, else 503).

Exit status: 0 stopped, 1 failed (start it again), 2 wrong command line or configuration (correct it first).
An `AlertsError` is logged in one line; any other exception is a defect and shows its stack.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    make_wsgi_app,
)

from account_alerts.config import Config, load
from account_alerts.model.errors import AlertsError, ConfigError

_log = logging.getLogger(__name__)
END_SECONDS = 30.0
"""How long a service that has failed may take to end in order; what is left is done after its restart."""
_HTTP_LIBRARIES = ("httpx", "httpx2", "httpcore", "httpcore2", "h2", "hpack")
"""They log the addresses of requests, with customers and tokens of devices in them."""


def configure_logging(level: int = logging.INFO) -> None:
    """Log to stderr in the project's one format, and HTTP libraries' warnings only."""
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for library in _HTTP_LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)


class Service:
    """What a running service is given."""

    def __init__(self, options: argparse.Namespace, config: Config | None = None) -> None:
        """Take the command line; nothing is read or opened before it is asked for.

        Args:
            options: The command line.
            config: The configuration, where it is read already.
        """
        self.options = options
        if config is not None:
            self.config = config
        self.stop = threading.Event()
        """Set when the process shall end."""
        self.failed = False
        """Whether it ends because it cannot do its work any more."""
        self._on_stop: list[Callable[[], object]] = []
        self._server: WSGIServer | None = None

    @cached_property
    def config(self) -> Config:
        """The configuration; raises `ConfigError` where it cannot be used."""
        return load(self.options.config)

    @cached_property
    def registry(self) -> CollectorRegistry:
        """Where the service's metrics stand, beside those of its Python process."""
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        return registry

    def on_stop(self, callback: Callable[[], object]) -> None:
        """Have something called, in the main thread, when the process shall end."""
        self._on_stop.append(callback)
        if self.stop.is_set():
            callback()

    def serve(self, port: int | None, ready: Callable[[], bool] = lambda: True) -> int | None:
        """Answer `/metrics`, `/healthz` and `/readyz` from a thread; returns the port.

        A port that another process has is logged and done without: alerts matter more than metrics.

        Args:
            port: The configuration's; `--metrics-port` wins over it. None: none is opened.
            ready: Whether the service does its work; asked from another thread.
        """
        port = self.options.metrics_port or port
        if port is None:
            return None
        try:
            self._server = make_server("", port, self._app(ready), _ThreadingServer, _SilentHandler)
        except OSError as error:
            _log.warning("metrics: port %d: %s; give this process another by --metrics-port", port, error)
            return None
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self._server.server_port

    def close(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _app(self, ready: Callable[[], bool]) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
        metrics = make_wsgi_app(self.registry)

        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            path = environ["PATH_INFO"]
            if path == "/metrics":
                found: Iterable[bytes] = metrics(environ, start_response)
                return found
            healths = {"/healthz": lambda: True, "/readyz": ready}
            if path not in healths:
                start_response("404 Not Found", [("Content-Type", "text/plain")])
                return [b"/metrics, /healthz, /readyz\n"]
            well = healths[path]()
            status = "200 OK" if well else "503 Service Unavailable"
            start_response(status, [("Content-Type", "text/plain")])
            return [b"ok\n" if well else b"not ready\n"]

        return answer

    def fail(self, reason: str) -> None:
        """Let the process end as SIGTERM does, with exit status 1; safe in any thread.

        Args:
            reason: For the log, the first time; nothing personal.
        """
        if self.failed:
            return
        self.failed = True
        _log.error("%s: this process ends, to be started again", reason)
        # Whatever cannot do its work may not be able to end in order either.
        hard_end = threading.Timer(END_SECONDS, os._exit, (1,))
        hard_end.daemon = True
        hard_end.start()
        os.kill(os.getpid(), signal.SIGTERM)

    def end(self, *_: object) -> None:
        """Let the service end, as a signal does."""
        self.stop.set()
        for callback in self._on_stop:
            callback()


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing: a request a few seconds is no news."""


def run(
    main: Callable[[Service], None],
    program: str,
    description: str,
    add_options: Callable[[argparse.ArgumentParser], object] | None = None,
    arguments: list[str] | None = None,
) -> int:
    """Run a service until it is stopped; returns the exit status.

    Args:
        main: The service.
        program: How it is started, such as `python -m ingest.bridge`.
        description: What `--help` says.
        add_options: Adds the service's own options.
        arguments: The command line, where it is not this process's.
    """
    parser = argparse.ArgumentParser(prog=program, description=description)
    if add_options is not None:
        add_options(parser)
    parser.add_argument("--config", type=Path, help="the environment's YAML file (default: conf/local.yaml)")
    parser.add_argument("--metrics-port", type=int, help="instead of the configuration's")
    service = Service(parser.parse_args(arguments))
    configure_logging()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, service.end)
    try:
        main(service)
    except ConfigError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except AlertsError as error:
        _log.error("%s", error)
        return 1
    finally:
        service.close()
    return 1 if service.failed else 0
