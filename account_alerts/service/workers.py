"""Several workers of a service in one process, each as if it had one of its own.

Each has its own thread, metrics and port, and says by itself whether it is ready. One that fails is started
again after a second, as a supervisor would start its process; the others do not notice. What they share is
memory and the interpreter: where a crash of one must not be one of all, give each a process.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from account_alerts.model.errors import AlertsError
from account_alerts.service.process import Service

PAUSE_SECONDS = 1.0
_log = logging.getLogger(__name__)


def run_workers(service: Service, workers: Mapping[str, Callable[[Service], object]]) -> None:
    """Run workers, by name, until the service is stopped and all of them have ended.

    Raises:
        ConfigError: The configuration cannot be used.
    """
    config = service.config  # Here, so that a wrong one ends the process.
    running: dict[str, Service] = {}

    def end() -> None:
        for worker in list(running.values()):
            with suppress(RuntimeError):  # Its event loop is closed: it has ended by itself meanwhile.
                worker.end()

    def keep_running(name: str, work: Callable[[Service], object]) -> None:
        while not service.stop.is_set():
            own = running[name] = Service(service.options, config)
            if service.stop.is_set():
                break
            try:
                work(own)
            except AlertsError as error:
                _log.error("%s: %s", name, error)
            except Exception:
                _log.exception("%s: failed", name)
            finally:
                own.close()
                service.failed |= own.failed
            if not service.stop.wait(PAUSE_SECONDS):
                _log.warning("%s: starts again", name)

    threads = [
        threading.Thread(target=keep_running, args=worker, name=worker[0]) for worker in workers.items()
    ]
    service.on_stop(end)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
