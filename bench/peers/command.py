"""Ours and a Kafka Streams application on the same broker, topics and bookings: `python -m bench peers`."""

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from bench import report, state
from bench.chain import started
from bench.latency import Load
from bench.peers import application, turns
from operations.waiting import print_progress

_LOADS = {"500": Load(500, 0.2), "5": Load(5, 1.0)}
"""Bookings a second; at 5 each raises alerts, or there would be too few for a percentile."""
_LIMIT = "reading-alone"


def main(
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    accounts: Annotated[int, typer.Option(min=1_000)] = 100_000,
    bookings: Annotated[int, typer.Option(min=10_000, help="Measured bookings of each turn.")] = 2_000_000,
    warm_up: Annotated[int, typer.Option(min=1_000, help="Bookings before them, in each turn.")] = 1_500_000,
    seconds: Annotated[float, typer.Option(min=0, help="Length of each latency measurement; 0: none.")] = 20,
    backend: Annotated[state.Backend, typer.Option(help="Ours: Flink's state backend.")] = (
        state.Backend.HASHMAP
    ),
    name: Annotated[str, typer.Option(help="Results: bench/results/<date>-<name>.json.")] = "peers",
) -> None:
    """Compare the alerting job with a Kafka Streams application, in turns: throughput, CPU, latency.

    The peer has two topologies: two-joins (bookings, authorizations, settings as its tables stand) and
    prejoined (rules of an account in one row). All sides read the same bookings from the same broker,
    committed records only, with as many threads, and commit or checkpoint as often. Of each turn the first
    bookings are the warm-up. By-passed: the queue, the bridge and the senders; the peer counts nothing, and
    joins with its tables as they stand, without history. Its tables, and our state, are made before.
    """
    began = time.monotonic()
    result: report.Result = {"machine": report.machine(), "rounds": []}
    with (
        tempfile.TemporaryDirectory(prefix="alerts-bench-peer-") as folder,
        started(
            state.overrides(accounts, backend),
            lambda config: state.fill(accounts, config),
        ) as chain,
    ):
        classes = Path(folder) / "classes"
        classes.mkdir()
        classpath = application.build(classes)
        ours = turns.Ours(chain)
        ours.stop()
        peers = [
            application.Peer(chain.config, Path(folder), classpath, one) for one in application.TOPOLOGIES
        ]
        for peer in peers:
            peer.prepare()
        sides: list[turns.Side] = [ours, *peers]
        owed = {side.name: 0 for side in sides}
        for number in range(rounds):
            print_progress(f"round {number + 1} of {rounds}")
            one_round = turns.Round(chain, accounts, owed)
            backlog = one_round.write(bookings, warm_up)
            found: dict[str, Any] = {}
            alerts: dict[str, turns.Alerts] = {}
            # Another one begins each time: the disk's cache and the machine's other work favour none.
            for side in sides[number % len(sides) :] + sides[: number % len(sides)]:
                figures, alerts[side.name] = one_round.work_off(side, backlog)
                for rate, load in _LOADS.items() if seconds else ():
                    figures.latency[rate] = one_round.measure_latency(side, load, seconds)
                side.stop()
                found[side.name] = figures.as_dict()
            found["alerts_that_differ"] = [len(alerts["ours"] ^ alerts[peer.name]) for peer in peers]
            found[_LIMIT] = one_round.read_only(backlog).as_dict()
            result["rounds"].append(found)
            result["minutes"] = round((time.monotonic() - began) / 60, 1)
            print_progress(f"-> {report.write(result, name)}")
    result["ratios"] = ratios(result["rounds"])
    print_progress(f"-> {report.write(result, name)}")
    typer.echo(tables(result))


def _values(one: report.Result) -> dict[str, float]:
    """Return what is compared of a side in a round."""
    values = {
        "bookings/s": one["bookings_per_second"],
        "CPU us a booking": one["worker_us"],
        "broker us a booking": one["broker_us"],
    }
    for rate, found in one["latency"].items():
        values |= {f"{rate}/s {key} ms": found[key] for key in ("p50", "p95", "p99")}
    return values


def ratios(rounds: list[report.Result]) -> dict[str, dict[str, list[float]]]:
    """Return ours by the other side's, round by round: by side, by figure."""
    found: dict[str, dict[str, list[float]]] = {}
    for one in rounds:
        ours = _values(one["ours"])
        for side in (*application.TOPOLOGIES, _LIMIT):
            for figure, value in _values(one[side]).items():
                if value:
                    found.setdefault(side, {}).setdefault(figure, []).append(round(ours[figure] / value, 3))
    return found


def tables(result: report.Result) -> str:
    """Return the results as Markdown: medians of the rounds, and ratios with their least and greatest."""
    rounds = result["rounds"]
    sides = ["ours", *application.TOPOLOGIES, _LIMIT]
    figures = list(_values(rounds[0]["ours"]))
    by_side = {side: [_values(one[side]) for one in rounds] for side in sides}
    medians = [
        [
            figure,
            *(
                f"{median(one[figure] for one in by_side[side]):,}" if figure in by_side[side][0] else "-"
                for side in sides
            ),
        ]
        for figure in figures
    ]
    relative = [
        [figure, *(_spread(result["ratios"].get(side, {}).get(figure, [])) for side in sides[1:])]
        for figure in figures
    ]
    complete = [
        [
            side,
            str(sum(one[side]["missing"] for one in rounds)),
            *(
                str(sum(load[key] for one in rounds for load in one[side]["latency"].values()))
                for key in ("missing", "repeated")
            ),
        ]
        for side in sides[:-1]
    ]
    differ = sum(sum(one["alerts_that_differ"]) for one in rounds)
    return "\n\n".join(
        [
            report.table(["alerts", "missing in bulk", "missing when paced", "repeated"], complete),
            f"alerts of the measured bookings that not all sides made alike: {differ}",
            report.table([f"median of {len(rounds)} rounds", *sides], medians),
            report.table(["ours / theirs: median (least to greatest)", *sides[1:]], relative),
        ]
    )


def _spread(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})" if values else "-"
