"""Runs the endpoint until it is told to stop: `python -m ingest.clicks --config conf/local.yaml`."""

import argparse
import logging
import sys
from pathlib import Path

import uvicorn

from account_alerts.config import ConfigError, load
from ingest.clicks.app import make_app, section


def main() -> None:
    """The command line; SIGTERM lets the requests that are there be answered."""
    parser = argparse.ArgumentParser(prog="python -m ingest.clicks", description=__doc__)
    parser.add_argument("--config", type=Path, help="the environment's YAML file (default: conf/local.yaml)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        config = load(arguments.config)
        clicks, _ = section(config)
        app = make_app(config)
    except ConfigError as error:
        sys.exit(f"clicks: {error}")
    # Whose events come when is nobody's business: no access log.
    uvicorn.run(
        app,
        host=clicks.host,
        port=clicks.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=clicks.acknowledged_within // 1000 + 5,
    )


if __name__ == "__main__":
    main()
