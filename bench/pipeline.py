"""From Kafka to Kafka: throughput, latency, and cost of state of the jobs: `python -m bench pipeline`."""

import os
import time
from dataclasses import replace
from enum import StrEnum
from itertools import product
from typing import Annotated, Any

import typer

from bench import latency, plot, report, state, throughput
from bench.chain import started
from bench.meter import measured
from operations.waiting import print_progress


class Part(StrEnum):
    """What can be measured."""

    THROUGHPUT = "throughput"
    LATENCY = "latency"
    IDLE = "idle"
    STATE = "state"


_QUICK_ACCOUNTS = 1_000


def main(
    parts: Annotated[
        list[Part] | None,
        typer.Argument(help="What to measure; all of it without an argument.", show_default=False),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Throughput and latency with small numbers: does it work at all?")
    ] = False,
    bookings: Annotated[int, typer.Option(min=10_000, help="Bookings of the throughput run.")] = 6_000_000,
    warm_up: Annotated[int, typer.Option(min=1_000, help="Bookings worked off before them.")] = 3_000_000,
    seconds: Annotated[float, typer.Option(min=1, help="Length of each latency run.")] = 40,
    accounts: Annotated[
        list[int] | None,
        typer.Option(help="Numbers of accounts of the state runs. Default: 100000, 1000000, 3000000."),
    ] = None,
    backend: Annotated[
        list[state.Backend] | None, typer.Option(help="Backends of the state runs. Default: both.")
    ] = None,
    state_bookings: Annotated[int, typer.Option(min=10_000, help="Bookings of each state run.")] = 2_000_000,
    counting: Annotated[
        bool,
        typer.Option("--counting", help="Every tenth account also has a rule of type TRANSACTION_COUNT."),
    ] = False,
    quiet: Annotated[
        float,
        typer.Option(
            help="Wait at most ten minutes until the load of the machine is below; 0: begin at once."
        ),
    ] = 0,
    name: Annotated[
        str, typer.Option(help="The results go to bench/results/<date>-<name>.json and .svg.")
    ] = "run",
) -> None:
    """Measure the chain from Kafka to Kafka on an environment of its own, on throw-away state.

    Rules and bookings go through the job by the three topics. By-passed: the queue, the bank's database and
    the senders. The machine should do nothing else.
    docs/operations/performance.md says what the figures mean.
    """
    chosen = parts or ([Part.THROUGHPUT, Part.LATENCY] if quick else list(Part))
    size = 100_000
    loads: tuple[latency.Load, ...] = latency.LOADS
    if quick:
        size, bookings, warm_up, seconds = _QUICK_ACCOUNTS, 50_000, 10_000, 3
        loads = tuple(replace(load, warm_up=1.0) for load in loads)
        state_bookings, accounts = 50_000, accounts or [_QUICK_ACCOUNTS]
    if quiet:
        _wait_until_quiet(quiet)
    began = time.monotonic()
    result: report.Result = {"machine": report.machine()}

    def keep() -> None:
        """After each measurement, so that an interrupted run leaves what it has."""
        result["minutes"] = round((time.monotonic() - began) / 60, 1)
        print_progress(f"-> {report.write(result, name)}")

    if set(chosen) - {Part.STATE}:
        result["counting"] = counting
        _steady_state(chosen, result, keep, size, bookings, warm_up, seconds, loads)
    if Part.STATE in chosen:
        result["state"] = []
        for count, one in product(
            accounts or [100_000, 1_000_000, 3_000_000], backend or list(state.Backend)
        ):
            cost = state.run(count, one, state_bookings, min(warm_up, state_bookings))
            result["state"].append(cost.as_dict())
            keep()
    typer.echo(report.tables(result))
    file = report.write(result, name).with_suffix(".svg")
    if plot.draw(result, file):
        print_progress(f"-> {file}")
    else:
        print_progress("no plot: matplotlib is not installed (pip install -e '.[bench]')")


def _steady_state(
    chosen: list[Part],
    result: dict[str, Any],
    keep: Any,
    size: int,
    bookings: int,
    warm_up: int,
    seconds: float,
    loads: tuple[latency.Load, ...],
) -> None:
    """Throughput, latency, and the processor time without bookings, on one environment."""
    with started({}, lambda config: state.fill(size, config, bool(result["counting"]))) as chain:
        result["accounts"] = size
        result["settings"] = report.settings(chain.config)
        if Part.THROUGHPUT in chosen:
            result["throughput"] = throughput.run(chain, size, bookings, warm_up).as_dict()
            keep()
        else:
            throughput.warm(chain, size, min(warm_up, 1_000_000))
        if Part.LATENCY in chosen:
            result["latency"] = []
            for load in loads:
                result["latency"].append(latency.run(chain, load, size, seconds).as_dict())
                keep()
        if Part.IDLE in chosen:
            with measured(chain.config) as usages:
                time.sleep(seconds)  # What is measured is that nothing happens.
            result["idle"] = {"seconds": seconds, "usage": usages.as_dict()}
            keep()


def _wait_until_quiet(most: float) -> None:
    """Wait until the machine does nothing else, at most ten minutes; the results say what load there was."""
    end = time.monotonic() + 600
    print_progress(f"waiting until the load is below {most}")
    while os.getloadavg()[0] >= most and time.monotonic() < end:
        time.sleep(5)
    print_progress(f"load: {os.getloadavg()[0]:.2f}")
