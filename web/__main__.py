"""Runs the web application until SIGTERM: `python -m web --config FILE`."""

import asyncio
import logging
import sys

import uvicorn

from account_alerts.service.process import Service, run
from web.app import create_app
from web.auth.openid import ProviderUnreachableError
from web.parts import make_parts

_GRACE_SECONDS = 5
"""How long requests that have begun may go on after SIGTERM; live events end then."""
_log = logging.getLogger(__name__)


def main(service: Service) -> None:
    """Answer requests; whatever is away is waited for by the requests that need it."""
    web = service.config.require("web")
    parts = make_parts(service.config, service.registry)
    try:
        asyncio.run(parts.provider.check())
    except ProviderUnreachableError as error:
        _log.warning("nobody can log in until the OpenID provider answers: %s", error)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(parts),
            host=web.host,
            port=web.port,
            access_log=False,  # Who looks at what is nobody's business.
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
    service.serve(web.metrics_port, lambda: server.started)
    server.run()


if __name__ == "__main__":
    sys.exit(
        run(
            main,
            "python -m web",
            "Run one process of the web application; any number may run behind a load balancer.",
        )
    )
