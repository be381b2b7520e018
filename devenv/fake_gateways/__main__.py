"""Runs local gateways in one process until SIGTERM: `python -m devenv.fake_gateways FILE mailbox smsc ...`.

One that fails is started again, as a supervisor would; the others go on meanwhile.
"""

import asyncio
import importlib
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import uvloop

from account_alerts.config import Config, load
from account_alerts.service.process import configure_logging

_PAUSE_SECONDS = 1.0
_log = logging.getLogger("gateways")
Serve = Callable[[Config, asyncio.Event], Awaitable[None]]


async def serve_all(config: Config, gateways: Mapping[str, Serve], stop: asyncio.Event) -> None:
    """Serve all gateways, by name, until stopped."""
    await asyncio.gather(*(_keep_serving(name, config, serve, stop) for name, serve in gateways.items()))


async def _keep_serving(name: str, config: Config, serve: Serve, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await serve(config, stop)
        except Exception:
            _log.exception("%s: failed, and starts again", name)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE_SECONDS)


async def _main(file: Path, names: list[str]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # A test that needs one loads what that one runs on only.
    modules = {name: importlib.import_module(f"devenv.fake_gateways.{name}") for name in names}
    await serve_all(load(file), {name: module.serve for name, module in modules.items()}, stop)


if __name__ == "__main__":
    configure_logging(logging.WARNING)
    uvloop.run(_main(Path(sys.argv[1]), sys.argv[2:]))
