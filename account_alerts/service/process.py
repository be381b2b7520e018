"""TODO."""

import argparse
import logging
import sys

from account_alerts.config import Config, ConfigError, load
from account_alerts.config.delivery import Senders
from delivery.worker.startup import CHANNELS


def arguments(process: str) -> tuple[argparse.Namespace, Config, Senders]:
    """What the command line and the configuration say; ends the process where either is wrong."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {'delivery' if process == 'sender' else 'delivery.profiles.consumer'}"
    )
    if process == "sender":
        parser.add_argument("--channel", required=True, choices=CHANNELS)
        parser.add_argument(
            "--instance", help="a name this process keeps when it is started again (group.instance.id)"
        )
    parser.add_argument("--config", help="the environment's YAML file (default: conf/local.yaml)")
    parser.add_argument("--metrics-port", type=int, help="instead of the configuration's")
    chosen = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # They log addresses of requests: with the tokens of devices in them.
    for library in ("httpx2", "httpcore2"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        config = load(chosen.config)
        if config.senders is None:
            raise ConfigError(f"{config.path}: has no section 'senders'. Add it, as in conf/local.yaml.")
    except ConfigError as error:
        sys.exit(f"{parser.prog}: {error}")
    return chosen, config, config.senders
