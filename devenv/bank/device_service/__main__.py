"""Runs the device service: python -m devices --database FILE [--host HOST] [--port PORT]

Where the variable ALERTS_DEVICES__TOKEN is set, only who sends it as a bearer token is served.
"""

import argparse
import os
from pathlib import Path

import uvicorn

from devenv.bank.device_service.app import make_app
from devenv.bank.device_service.store import Store


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="devices", description=__doc__.partition("\n")[0])
    parser.add_argument("--database", type=Path, required=True, help="the SQLite file; made where missing")
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--port", type=int, default=8091)
    arguments = parser.parse_args()
    store = Store(arguments.database)
    app = make_app(store, os.environ.get("ALERTS_DEVICES__TOKEN") or None)
    try:
        # Addresses have customers in them: no access log.
        uvicorn.run(app, host=arguments.host, port=arguments.port, access_log=False, log_level="warning")
    finally:
        store.close()


if __name__ == "__main__":
    main()
