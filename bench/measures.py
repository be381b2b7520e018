"""Figures that several benchmarks take: percentiles, and processor time of processes."""

import psutil


def percentile(values: list[float], share: float) -> float:
    """Return the value that a share (0 to 1) of all is not above."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """Return the processor time that processes and their children have used up to now, in seconds."""
    # PostgreSQL's own processes do not show whose they are, except by their parent.
    children = [child for process in processes for child in process.children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in {*processes, *children})
