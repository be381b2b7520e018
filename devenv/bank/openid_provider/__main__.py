"""Runs the local OpenID provider until SIGTERM: `python -m devenv.bank.openid_provider --config FILE`."""

import argparse
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from account_alerts.config import load
from devenv.bank.openid_provider.app import make_app
from devenv.bank.openid_provider.people import sample_customers


def main() -> None:
    """Answer requests on this machine only."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    config = load(parser.parse_args().config)
    app = make_app(config, sample_customers())
    port = urlsplit(config.require("web").openid.issuer).port or 80
    uvicorn.run(app, host="localhost", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
