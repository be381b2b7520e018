"""Runs the clicks endpoint until SIGTERM: `python -m ingest.clicks --config FILE`."""

import sys

import uvicorn

from account_alerts.service.process import Service, run
from ingest.clicks import writer
from ingest.clicks.app import make_app
from ingest.clicks.protocol import limited


def main(service: Service) -> None:
    """Answer requests; on SIGTERM those that have begun are answered first."""
    config = service.config
    clicks = config.require("clicks")
    events = writer.Writer(config, writer.connect(config, clicks.acknowledged_within, service.fail))
    try:
        app = make_app(config, events, service.registry)
        service.serve(clicks.metrics_port, events.is_reachable)
        # Whose events come when is nobody's business: no access log.
        uvicorn.run(
            app,
            host=clicks.host,
            port=clicks.port,
            access_log=False,
            log_config=None,
            http=limited(2 * clicks.request_within / 1000),  # Head and body; the app tells of the body first.
            timeout_graceful_shutdown=clicks.acknowledged_within // 1000 + 5,
        )
    finally:
        events.close()


if __name__ == "__main__":
    sys.exit(
        run(
            main,
            "python -m ingest.clicks",
            "Run one clicks endpoint; any number may run behind a load balancer.",
        )
    )
