"""Programs of the local environment, each by itself: so a test starts only what it needs."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from account_alerts.config import Config
from devenv import supervise
from devenv.layout import Layout
from devenv.services.catalog import Service
from operations.waiting import wait_for

_SECONDS = 300.0


class Programs:
    """Programs on free ports and throw-away state, under a supervisor each."""

    def __init__(self, config: Config, folder: Path) -> None:
        """Start nothing; state and logs go into a folder for each program."""
        self.config = config
        self.folder = folder
        self._started: list[str] = []

    def start(self, service: Service) -> None:
        """Configure and start a program, wait until it is ready, and prepare it."""
        layout = self.layout(service.program)
        layout.make()
        self.config.write(layout.config)
        commands = {service.program: service.write(self.config, layout)}
        supervise.write(layout, commands, {service.program: service.stop_signal})
        supervise.start(layout)
        self._started.append(service.program)
        self.wait(service)
        if service.prepare:
            service.prepare(self.config)

    def wait(self, service: Service) -> None:
        """Wait until a program is ready."""
        log = self.layout(service.program).logs / f"{service.program}.out"
        wait_for(service.program, lambda: service.ready(self.config), _SECONDS, f"See {log}.")

    def layout(self, program: str) -> Layout:
        """Where a program's files are."""
        return Layout(self.folder / program)

    def processes(self, program: str) -> list[psutil.Process]:
        """The program's processes that live."""
        return supervise.processes(self.layout(program)).get(program, [])

    def kill(self, program: str, match: Callable[[psutil.Process], bool] = lambda process: True) -> None:
        """SIGKILL all of its processes, or those that match; the supervisor starts it again."""
        for process in self.processes(program):
            if match(process):
                process.send_signal(signal.SIGKILL)

    @contextmanager
    def paused(self, program: str) -> Iterator[None]:
        """Let it do nothing meanwhile: what is sent to it waits in its connections, unanswered."""
        processes = self.processes(program)
        assert processes, f"{program} does not run"
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def stop(self, program: str) -> None:
        """Stop it; `start` starts it again on its state."""
        supervise.stop(self.layout(program))

    def stop_all(self) -> None:
        """Stop whatever was started, the newest first."""
        for program in reversed(self._started):
            self.stop(program)
