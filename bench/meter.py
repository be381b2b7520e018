"""What each process of the environment uses: CPU seconds and memory."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

from account_alerts.config import Config
from devenv import supervise
from devenv.layout import layout

_INTERVAL = 1.0


@dataclass
class Usage:
    """What the processes of a program used during a phase."""

    cpu_seconds: float = 0.0
    rss_mib: int = 0
    """The most that was seen, resident."""


@dataclass
class Usages:
    """By program: broker, jobmanager, taskmanager, peer, python (the jobs' workers), rest (supervisor,
    reconciler), and elsewhere: what else ran on the machine, the producer and the measurement included."""

    programs: dict[str, Usage] = field(default_factory=dict)

    def as_dict(self) -> dict[str, dict[str, float]]:
        """For the report."""
        return {
            name: {"cpu_seconds": round(usage.cpu_seconds, 1), "rss_mib": usage.rss_mib}
            for name, usage in sorted(self.programs.items())
        }


_NAMES = {"kafka": "broker", "jobmanager": "jobmanager", "taskmanager": "taskmanager", "peer": "peer"}


def _program(program: str, process: psutil.Process) -> str:
    """Return what a process counts as; the TaskManager starts Python workers for jobs in process mode."""
    name = _NAMES.get(program, "rest")
    return "python" if name == "taskmanager" and "java" not in process.name() else name


class Processors:
    """Processor time by program, as in `Usages`, of the processes that live when this is made."""

    def __init__(self, config: Config) -> None:
        """Find them: it takes a look at all processes of the machine."""
        self._watched = _watched(config)

    def read(self) -> dict[str, float]:
        """Return the CPU seconds of each program up to now; 0 for one that does not run."""
        seconds: dict[str, float] = defaultdict(float)
        for process, name in self._watched.items():
            seconds[name] += _cpu(process)
        return seconds


def _watched(config: Config) -> dict[psutil.Process, str]:
    return {
        process: _program(program, process)
        for program, processes in supervise.processes(layout(config)).items()
        for process in processes
    }


@contextmanager
def measured(config: Config) -> Iterator[Usages]:
    """Measure while the block runs; the result is complete after it."""
    usages, stop = Usages(), threading.Event()
    watched = _watched(config)
    first = {process: _cpu(process) for process in watched}
    last = dict(first)
    busy = _busy()

    def look() -> None:
        memory: dict[str, int] = defaultdict(int)
        for process, name in watched.items():
            try:
                memory[name] += process.memory_info().rss >> 20
                last[process] = _cpu(process)
            except psutil.NoSuchProcess:
                continue
        for name, mib in memory.items():
            usage = usages.programs.setdefault(name, Usage())
            usage.rss_mib = max(usage.rss_mib, mib)

    def follow() -> None:
        while not stop.wait(_INTERVAL):
            look()

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield usages
    finally:
        stop.set()
        follower.join()
        look()
        elsewhere = _busy() - busy
        for process, name in watched.items():
            used = last[process] - first[process]
            usages.programs.setdefault(name, Usage()).cpu_seconds += used
            elsewhere -= used
        usages.programs["elsewhere"] = Usage(max(0.0, elsewhere))


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _busy() -> float:
    """CPU seconds that the machine has worked."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))
